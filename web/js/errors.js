/**
 * Every problem that a person can meet, in words, with the next step. One place, so that no two pages explain the
 * same thing differently.
 *
 * @typedef {object} Problem
 * @property {string} code stable: see docs/web.md
 * @property {string} title
 * @property {string} text what happened
 * @property {string} next what to do about it
 */

/** @type {Record<string, Omit<Problem, "code">>} */
const PROBLEMS = {
  "no-devices": {
    title: "No camera or microphone found",
    text: "This computer shows the browser neither a camera nor a microphone.",
    next: "Plug one in and choose it above, or join without: you can still see, hear, chat and get files.",
  },
  "no-camera": {
    title: "No camera found",
    text: "The browser sees no camera on this computer.",
    next: "Plug one in, or open its cover, or join without a picture.",
  },
  "no-microphone": {
    title: "No microphone found",
    text: "The browser sees no microphone on this computer.",
    next: "Plug one in, or join without sound and use the chat.",
  },
  "permission-denied": {
    title: "The browser may not use your camera or microphone",
    text: "Access was refused, now or earlier, or the operating system forbids it.",
    next: "Click the camera or lock symbol beside the address, allow access, and try again. Or join without.",
  },
  "device-busy": {
    title: "Your camera or microphone is in use",
    text: "The device is there, but it would not start. Most often another program holds it.",
    next: "Close the other program (another call, perhaps) and try again, or choose another device.",
  },
  "insecure-context": {
    title: "Cameras need a secure address",
    text: "Browsers give pages the camera and microphone only over https, or on localhost.",
    next: "Open the https address that the server printed when it started. You can join without devices here.",
  },
  "server-gone": {
    title: "The server does not answer",
    text: "The page could not reach twocan's server.",
    next: "Check your connection. This page keeps trying and goes on by itself.",
  },
  "room-full": {
    title: "This room is full",
    text: "Everybody is connected to everybody here, which works for a few people only.",
    next: "Wait until someone leaves and try again, or open another room.",
  },
  "server-full": {
    title: "The server is full",
    text: "It has as many rooms or people as it can carry.",
    next: "This page tries again by itself in a little while.",
  },
  "media-full": {
    title: "The server has no room for your sound and pictures",
    text: "It forwards as many calls as it can carry just now. Chat goes on.",
    next: "This page tries again by itself. A few people can do without: choose “Always from browser to browser” in the connection details.",
  },
  "media-refused": {
    title: "The server does not take your sound and pictures",
    text: "It could not use what this browser offers it, so nobody sees or hears you through it. Chat goes on.",
    next: "This page tries again by itself. If it stays so, try another browser, or choose “Always from browser to browser” in the connection details.",
  },
  "wrong-password": {
    title: "This room has a password",
    text: "Whoever opened the room has locked it.",
    next: "Ask them for the password and type it in.",
  },
  "bad-invitation": {
    title: "This invitation does not hold",
    text: "It has expired, or it belongs to another room.",
    next: "Ask for a new one.",
  },
  "invitation-required": {
    title: "This server admits invited people only",
    text: "Its operator has decided so.",
    next: "Ask someone inside for an invitation link.",
  },
  "wrong-kind": {
    title: "This name is in use for something else",
    text: "A room of this name is open, but as another kind: a call, a live stream or a file drop.",
    next: "Open the link exactly as you got it, or choose another name.",
  },
  "role-taken": {
    title: "Someone streams here already",
    text: "A live room has one streamer.",
    next: "Watch instead, or choose another name for your stream.",
  },
  "bad-room": {
    title: "This room name does not work",
    text: "Names have 1 to 64 letters, digits, hyphens, dots and underscores.",
    next: "Choose another name on the start page.",
  },
  "bad-name": {
    title: "This display name does not work",
    text: "Names have 1 to 64 characters.",
    next: "Choose another one.",
  },
  "no-path": {
    title: "No way through yet",
    text: "The two networks let no direct connection through, and the relay did not help either.",
    next: "This page keeps trying. Another network (a phone's, for example) often works; /check shows what yours can do.",
  },
  "relay-unreachable": {
    title: "A relay is needed, but cannot be reached",
    text: "No direct path exists, and your network (or theirs) blocks the way to the relay too.",
    next: "Try another network, or ask whoever runs this server to offer TURN over TLS on port 443.",
  },
  "no-relay": {
    title: "A relay is needed, but there is none",
    text: "The two networks let no direct connection through, and this server offers no relay (TURN).",
    next: "Try another network (a phone's, for example), or ask whoever runs this server to switch its relay on.",
  },
  tampered: {
    title: "What came is not sealed with this code",
    text: "The server, or someone on the way to it, has changed what came through it, or somebody without the code is in its place. Nothing was sent to them.",
    next: "Compare the code with the original. If it is the same, make a new one, and use another server.",
  },
  "bad-code": {
    title: "This link has no whole code in it",
    text: "A code has 20 letters and digits, in four groups.",
    next: "Ask for the link again, and open it whole.",
  },
  "unsupported-seal": {
    title: "This browser cannot seal calls",
    text: "Encrypting what a server forwards needs encoded transforms, which this browser has not yet.",
    next: "Take a newer Chrome, Edge, Firefox or Safari.",
  },
  "insecure-seal": {
    title: "Sealing needs a secure address",
    text: "Browsers give pages the means to encrypt only over https, or on localhost.",
    next: "Open the https address that the server printed when it started.",
  },
  "taken-over": {
    title: "This call has moved to another tab",
    text: "The same session was opened elsewhere in this browser.",
    next: "Go on there, or come back here by reloading.",
  },
  "unsupported-browser": {
    title: "This browser cannot make calls",
    text: "It lacks WebRTC, or it is switched off.",
    next: "Use a current Firefox, Chromium, Chrome, Edge or Safari.",
  },
  "wrong-screen": {
    title: "The screen was not shared",
    text: "The browser or the system refused to capture it.",
    next: "Try again and choose a window or screen. On macOS, allow screen recording in the system settings first.",
  },
  unexpected: {
    title: "Something went wrong",
    text: "The server or the page met something that it did not expect.",
    next: "Reload the page. If it happens again, tell whoever runs this server.",
  },
};

/**
 * @param {string} code ours, or one of the server's (`room_full`)
 * @param {string} [detail] the original words, shown small
 * @returns {Problem & { detail?: string }}
 */
export function problem(code, detail) {
  const ours = code.replaceAll("_", "-");
  const known = ours in PROBLEMS ? ours : "unexpected";
  return { code: known, ...PROBLEMS[known], detail };
}

/**
 * The server did not let us in: its own words are shown where we have none.
 *
 * @param {{ code: string, message: string }} refusal
 */
export function refusalProblem({ code, message }) {
  const one = problem(code);
  return one.code === "unexpected" ? { ...one, detail: message } : one;
}

/**
 * Why a device did not open.
 *
 * @param {unknown} error what getUserMedia threw
 * @param {"camera" | "microphone"} device
 */
export function deviceProblem(error, device) {
  const name = error instanceof Error ? error.name : "";
  switch (name) {
    case "NotFoundError":
    case "OverconstrainedError":
      return problem(device === "camera" ? "no-camera" : "no-microphone");
    case "NotAllowedError":
    case "SecurityError":
      return problem("permission-denied");
    case "NotReadableError":
    case "AbortError":
      return problem("device-busy");
    default:
      return globalThis.isSecureContext ? problem("unexpected", String(error)) : problem("insecure-context");
  }
}

/**
 * Why a peer connection does not come about.
 *
 * @param {import("./peer.js").Gathered} gathered
 */
export function pathProblem({ relay, relayOffered }) {
  if (relay) return problem("no-path");
  return problem(relayOffered ? "relay-unreachable" : "no-relay");
}
