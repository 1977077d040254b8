/**
 * The messages about files on the control channel (docs/files.md), parsed into known shapes. Pure.
 */

export const FILE_PROTOCOL_VERSION = 1;
const NAME_LIMIT = 200;
/** Folders deep. */
const DEEPEST = 64;

/**
 * @typedef {{ type: "file-batch", id: string, version: number, files: number, bytes: number, name: string }} Batch
 * @typedef {{ type: "file-folder", id: string }} Folder
 * @typedef {{ type: "file-offer", id: string, version: number, name: string, size: number, path?: string, batch?: string,
 *   modified?: number }} Offer  `path`: of a file in a folder, its parts with `/` between; each of them safe
 * @typedef {{ type: "file-accept", id: string, offset: number, window?: number }} Accept
 * @typedef {{ type: "file-decline", id: string }} Decline
 * @typedef {{ type: "file-progress", id: string, received: number }} Progress
 * @typedef {{ type: "file-end", id: string, digest: string }} End
 * @typedef {{ type: "file-done", id: string }} Done
 * @typedef {{ type: "file-cancel", id: string, reason: string }} Cancel
 * @typedef {Batch | Folder | Offer | Accept | Decline | Progress | End | Done | Cancel} FileMessage
 */

/**
 * @param {Record<string, unknown> & { type: string }} message
 * @returns {FileMessage | null}
 */
export function parseFileMessage(message) {
  const { type, id } = message;
  if (typeof id !== "string" || !/^[0-9a-f]{32}$/.test(id)) return null;
  switch (type) {
    case "file-offer":
      if (message.version !== FILE_PROTOCOL_VERSION || typeof message.name !== "string" || !isCount(message.size)) return null;
      return {
        type,
        id,
        version: FILE_PROTOCOL_VERSION,
        name: safeName(message.name),
        size: message.size,
        ...(typeof message.path === "string" ? { path: message.path.split("/").slice(0, DEEPEST).map(safeName).join("/") } : {}),
      };
    case "file-batch":
      if (message.version !== FILE_PROTOCOL_VERSION || !isCount(message.files) || !isCount(message.bytes)) return null;
      return { type, id, version: FILE_PROTOCOL_VERSION, files: message.files, bytes: message.bytes, name: safeName(String(message.name ?? "")) };
    case "file-folder":
      return { type, id };
    case "file-accept":
      if (!isCount(message.offset)) return null;
      return { type, id, offset: message.offset, ...(isCount(message.window) ? { window: message.window } : {}) };
    case "file-progress":
      return isCount(message.received) ? { type, id, received: message.received } : null;
    case "file-end":
      if (typeof message.digest !== "string" || !/^[0-9a-f]{64}$/.test(message.digest)) return null;
      return { type, id, digest: message.digest };
    case "file-cancel":
      return { type, id, reason: typeof message.reason === "string" ? message.reason.slice(0, 200) : "" };
    case "file-decline":
    case "file-done":
      return { type, id };
    default:
      return null;
  }
}

/** @param {unknown} value @returns {value is number} */
function isCount(value) {
  return Number.isSafeInteger(value) && /** @type {number} */ (value) >= 0;
}

/**
 * A name that is only a name: no folders, no control or direction-changing characters, not hidden, not endless.
 *
 * @param {string} name
 */
export function safeName(name) {
  const clean = name
    .replace(/^.*[/\\]/s, "")
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "")
    .replace(/[<>:"|?*]/g, "_")
    .replace(/^[.\s]+/, "")
    .replace(/[.\s]+$/, "");
  if (clean.length <= NAME_LIMIT) return clean || "file";
  const ending = /\.[^.]{1,16}$/.exec(clean)?.[0] ?? "";
  return clean.slice(0, NAME_LIMIT - ending.length) + ending;
}

/** @returns {string} 128 random bits, hexadecimal */
export function newFileId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
