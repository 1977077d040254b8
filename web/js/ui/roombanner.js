/** What the banner says about the server and the others. Pure. */

/**
 * @param {object} now
 * @param {import("../signaling.js").SignalingState} now.signaling
 * @param {boolean} now.joinedOnce
 * @param {string[]} now.connected names of people whose connection stands
 * @param {string[]} now.troubled names of people whose connection was there and is not now
 * @returns {{ state: "none" | "server-gone" | "reconnecting" | "peer-trouble", text: string }}
 */
export function bannerFor({ signaling, joinedOnce, connected, troubled }) {
  if (signaling === "reconnecting" || (signaling === "connecting" && joinedOnce)) {
    return connected.length > 0
      ? { state: "server-gone", text: "The server is away. Your call goes on; nobody new can come in until it is back." }
      : { state: "reconnecting", text: "The connection is gone. Reconnecting…" };
  }
  if (signaling === "connecting") return { state: "reconnecting", text: "Reaching the server…" };
  if (troubled.length > 0) return { state: "peer-trouble", text: `Reconnecting to ${list(troubled)}…` };
  return { state: "none", text: "" };
}

/** @param {string[]} names */
export function list(names) {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}
