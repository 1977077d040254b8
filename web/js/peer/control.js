/**
 * The control channel: JSON messages between two connected people. It is the pre-negotiated data channel 0, so
 * both sides have it without asking, and it goes on when the server is gone.
 *
 * Everything that arrives was written by another person's machine: it is parsed into a known shape or dropped.
 */

/** @typedef {import("../types.js").MediaState} MediaState */
/** @typedef {import("../types.js").SignalData} SignalData */

/** The channel's label and stream, the same on both sides. */
export const CONTROL_LABEL = "twocan";
export const CONTROL_STREAM = 0;
/** Longer messages are dropped unread: bytes of UTF-16, far over any real one. */
const MESSAGE_LIMIT = 64 * 1024;
export const CHAT_LIMIT = 4_000;
const NAME_LIMIT = 64;

/**
 * @typedef {{ type: "state", name?: string } & MediaState} StateMessage  `name`: theirs, where it has changed since they joined
 * @typedef {{ type: "chat", text: string, author?: string }} ChatMessage  `author`: a streamer passes a viewer's words on
 * @typedef {{ type: "via", server: boolean }} ViaMessage  which way the sender takes what we send: through the server, or directly
 * @typedef {{ type: "bye" }} ByeMessage
 * @typedef {{ type: "signal", data: SignalData }} SignalMessage  signaling while the server is gone
 * @typedef {{ type: string } & Record<string, unknown>} FileMessage  its type begins with `file-`: see files/protocol.js
 * @typedef {StateMessage | ChatMessage | ViaMessage | ByeMessage | SignalMessage | FileMessage} ControlMessage
 */

/**
 * @param {unknown} text
 * @returns {ControlMessage | null} null for anything that is not one of ours
 */
export function parseControl(text) {
  if (typeof text !== "string" || text.length > MESSAGE_LIMIT) return null;
  /** @type {any} */
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (value === null || typeof value !== "object" || typeof value.type !== "string") return null;
  switch (value.type) {
    case "state":
      return {
        type: "state",
        mic: value.mic === true,
        camera: value.camera === true,
        screen: value.screen === true,
        hand: value.hand === true,
        ...(typeof value.name === "string" && value.name.trim() !== "" ? { name: value.name.trim().slice(0, NAME_LIMIT) } : {}),
      };
    case "chat":
      return typeof value.text === "string" && value.text.trim() !== ""
        ? {
            type: "chat",
            text: value.text.slice(0, CHAT_LIMIT),
            ...(typeof value.author === "string" && value.author.trim() !== "" ? { author: value.author.trim().slice(0, NAME_LIMIT) } : {}),
          }
        : null;
    case "via":
      return { type: "via", server: value.server === true };
    case "bye":
      return { type: "bye" };
    case "signal":
      return isSignalData(value.data) ? { type: "signal", data: value.data } : null;
    default:
      return value.type.startsWith("file-") ? value : null;
  }
}

/** What comes as `signal.data`, from whoever. @param {any} data @returns {data is SignalData} */
export function isSignalData(data) {
  if (!isObject(data) || !isName(data.connection)) return false;
  const { to, description, candidate, hello } = data;
  return (
    (hello === undefined || (isObject(hello) && ["send", "receive", "drop"].includes(String(hello.role)))) &&
    (to === undefined || isName(to)) &&
    (description === undefined || (isObject(description) && typeof description.type === "string" && isOptionalText(description.sdp))) &&
    (candidate === undefined || candidate === null || (isObject(candidate) && isOptionalText(candidate.candidate)))
  );
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isObject(value) {
  return typeof value === "object" && value !== null;
}

/** A connection's. @param {unknown} value @returns {value is string} */
function isName(value) {
  return typeof value === "string" && value !== "" && value.length <= NAME_LIMIT;
}

/** @param {unknown} value */
function isOptionalText(value) {
  return value === undefined || typeof value === "string";
}
