/**
 * Where received bytes go. In this order: straight into a file or folder that the person chose; into the browser's
 * private storage on disk (OPFS), offered as a download when whole; and only where neither exists, into memory.
 */
import { OpfsStore } from "./opfs.js";

/**
 * @typedef {"picker" | "folder" | "opfs" | "memory"} SinkKind
 *
 * @typedef {object} Sink
 * @property {SinkKind} kind
 * @property {(block: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer>} write takes the block's memory over, and gives it back
 *   to be used again
 * @property {() => Promise<Blob | null>} finish the whole, to be saved; null if it is where it belongs already
 * @property {() => Promise<void>} abort forgets what was written
 */

/** More than this a browser tab hardly keeps in memory, bytes. */
const MEMORY_LIMIT = 1_000_000_000;

/** The person closed the save dialog: no error, the offer stands. */
export class Dismissed extends Error {}

/**
 * Where files can go in this browser.
 *
 * @param {"opfs" | "memory" | null} forced
 */
export async function availableSink(forced) {
  if (forced) return forced;
  if (window.showSaveFilePicker) return "picker";
  return (await OpfsStore.works()) ? "opfs" : "memory";
}

/**
 * Why a file of this size cannot or should not be accepted; empty if all is well.
 *
 * @param {SinkKind} kind
 * @param {number} size
 * @returns {Promise<{ refuse: boolean, words: string }>}
 */
export async function roomFor(kind, size) {
  if (kind === "memory") {
    return size > MEMORY_LIMIT
      ? { refuse: true, words: "This browser cannot stream to disk here (a private window, perhaps), and the file is too large for memory (1 GB at most). Use a normal window, or another browser." }
      : { refuse: false, words: "This browser cannot stream to disk here: the file stays in memory until you save it, so keep other tabs small." };
  }
  if (kind !== "opfs") return { refuse: false, words: "" };
  const { quota = 0, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
  return quota > 0 && size > quota - usage
    ? { refuse: true, words: "The browser gives this page too little disk space for the file. Free some, or use a browser with a save dialog (Chromium, Chrome, Edge)." }
    : { refuse: false, words: "" };
}

/**
 * Asks where to save, from within a click.
 *
 * @param {string} name
 * @returns {Promise<Sink>}
 */
export async function pickFile(name) {
  let handle;
  try {
    handle = await window.showSaveFilePicker?.({ suggestedName: name });
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") throw new Dismissed();
    throw error;
  }
  if (!handle) throw new Dismissed();
  return writableSink("picker", await handle.createWritable());
}

/**
 * @param {SinkKind} kind
 * @param {FileSystemWritableFileStream} stream
 * @returns {Sink}
 */
export function writableSink(kind, stream) {
  return {
    kind,
    write: async (block) => {
      await stream.write(block);
      return block.buffer;
    },
    finish: async () => {
      await stream.close();
      return null;
    },
    abort: () => stream.abort().catch(() => {}),
  };
}

/** @param {string} id @returns {Promise<Sink>} */
export async function opfsSink(id) {
  const store = await OpfsStore.open();
  await store.create(id);
  return {
    kind: "opfs",
    write: (block) => store.write(id, block),
    finish: () => store.finish(id),
    abort: () => store.remove(id),
  };
}

/** @returns {Sink} */
export function memorySink() {
  /** @type {Blob[]} */
  let blocks = [];
  return {
    kind: "memory",
    write: async (block) => {
      // Many browsers move blobs out of the page's own memory.
      blocks.push(new Blob([block]));
      return block.buffer;
    },
    finish: async () => new Blob(blocks),
    abort: async () => {
      blocks = [];
    },
  };
}
