/**
 * The messages about files on the control channel (docs/files.md), parsed into known shapes. Pure.
 */
import { safeName, safePath } from "./names.js";

export const FILE_PROTOCOL_VERSION = 1;

/**
 * @typedef {{ type: "file-batch", id: string, version: number, files: number, folders: number, bytes: number, name: string }} Announcement
 * @typedef {{ type: "file-folder", id: string, batch: string, path: string[] | null }} Folder
 * @typedef {{ type: "file-offer", id: string, version: number, name: string, size: number, path: string[] | null,
 *   batch: string | null, modified: number | null }} Offer  `path`: each of its parts safe, the last one the name; null where
 *   it would lead out
 * @typedef {{ type: "file-accept", id: string, offset: number, window?: number }} Accept
 * @typedef {{ type: "file-decline", id: string }} Decline
 * @typedef {{ type: "file-progress", id: string, received: number }} Progress
 * @typedef {{ type: "file-end", id: string, digest: string }} End
 * @typedef {{ type: "file-done", id: string }} Done
 * @typedef {{ type: "file-cancel", id: string, reason: string }} Cancel
 * @typedef {Announcement | Folder | Offer | Accept | Decline | Progress | End | Done | Cancel} FileMessage
 */

/**
 * @param {Record<string, unknown> & { type: string }} message
 * @returns {FileMessage | null}
 */
export function parseFileMessage(message) {
  const { type, id } = message;
  if (!isId(id)) return null;
  switch (type) {
    case "file-offer":
      if (message.version !== FILE_PROTOCOL_VERSION || typeof message.name !== "string" || !isCount(message.size)) return null;
      return {
        type,
        id,
        version: FILE_PROTOCOL_VERSION,
        name: safeName(message.name),
        size: message.size,
        path: typeof message.path === "string" ? safePath(message.path) : [safeName(message.name)],
        batch: isId(message.batch) ? message.batch : null,
        modified: isCount(message.modified) ? message.modified : null,
      };
    case "file-batch":
      if (message.version !== FILE_PROTOCOL_VERSION || !isCount(message.files) || !isCount(message.bytes)) return null;
      return {
        type,
        id,
        version: FILE_PROTOCOL_VERSION,
        files: message.files,
        folders: isCount(message.folders) ? message.folders : 0,
        bytes: message.bytes,
        name: safeName(String(message.name ?? "")),
      };
    case "file-folder":
      if (!isId(message.batch)) return null;
      return { type, id, batch: message.batch, path: typeof message.path === "string" ? safePath(message.path) : null };
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

/** @param {unknown} value @returns {value is string} */
function isId(value) {
  return typeof value === "string" && /^[0-9a-f]{32}$/.test(value);
}

/** @param {unknown} value @returns {value is number} */
function isCount(value) {
  return Number.isSafeInteger(value) && /** @type {number} */ (value) >= 0;
}

/** @returns {string} 128 random bits, hexadecimal */
export function newFileId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
