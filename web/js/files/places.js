/**
 * Where the files of a batch go, all of them, with the folders that they lie in: into a folder that the person chose, into
 * one ZIP archive, or each by itself; and where one file goes that is alone.
 */
import { crc32 } from "./crc32.js";
import { Numbering } from "./names.js";
import { Dismissed, memorySink, opfsSink, writableSink } from "./sinks.js";
import { zip } from "./zip.js";

/**
 * @typedef {import("./sinks.js").Sink} Sink
 * @typedef {import("./transfer.js").Transfer} Transfer
 * @typedef {"replace" | "keep-both" | "skip"} Decision  what becomes of a file whose name is taken
 *
 * @typedef {object} Place
 * @property {"folder" | "zip" | "each" | "file"} kind
 * @property {(transfer: Transfer) => Promise<Sink | null>} sink null for a file that is to be skipped
 * @property {(path: string[]) => Promise<void>} folder makes one that holds nothing
 * @property {() => Promise<void>} [abandon] nothing will come
 */

/** So many loose files are so many downloads; more of them are one archive. */
export const MOST_DOWNLOADS = 10;

/**
 * A folder of the person's disk. Nothing that was there before is replaced unless they say so, once for all of a batch; and
 * what comes in the same batch never replaces each other.
 *
 * @implements {Place}
 */
export class FolderPlace {
  /** @type {"folder"} */
  kind = "folder";
  #directory;
  #ask;
  /** @type {Promise<Decision> | null} */
  #decision = null;
  /** What this batch has put there. @type {Set<string>} */
  #own = new Set();
  #numbering = new Numbering();
  /** One after the other: two of one name must not both find it free. @type {Promise<unknown>} */
  #turn = Promise.resolve();

  /**
   * @param {FileSystemDirectoryHandle} directory
   * @param {(path: string[]) => Promise<Decision>} ask about the first file whose name is taken
   */
  constructor(directory, ask) {
    this.#directory = directory;
    this.#ask = ask;
  }

  /** Asks for a folder, from within a click. @returns {Promise<FileSystemDirectoryHandle | null>} null where none can be chosen */
  static async pick() {
    try {
      return (await window.showDirectoryPicker?.({ mode: "readwrite", id: "twocan" })) ?? null;
    } catch (error) {
      if (error instanceof Error && error.name === "AbortError") throw new Dismissed();
      throw error;
    }
  }

  /** @param {Transfer} transfer */
  sink({ path }) {
    return this.#next(() => this.#open(path));
  }

  /** @param {string[]} path */
  async folder(path) {
    await this.#next(() => this.#descend(path));
  }

  /** @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  #next(work) {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** @param {string[]} path @returns {Promise<Sink | null>} */
  async #open(path) {
    const folder = await this.#descend(path.slice(0, -1));
    const above = path.slice(0, -1).join("/").toLowerCase();
    const wished = path[path.length - 1];
    const key = (/** @type {string} */ name) => `${above}/${name.toLowerCase()}`;
    let name = wished;
    let isNew = true;
    const there = await whatIs(folder, wished);
    if (there === "file" && !this.#own.has(key(wished))) {
      this.#decision ??= this.#ask(path);
      const decision = await this.#decision;
      if (decision === "skip") return null;
      isNew = decision !== "replace";
    }
    if (isNew && there !== "nothing") name = await this.#free(folder, key(wished), wished);
    this.#own.add(key(name));
    const handle = await folder.getFileHandle(name, { create: true });
    // Until it is closed, what it replaces is as it was.
    const sink = writableSink("folder", await handle.createWritable());
    if (!isNew) return sink;
    return {
      ...sink,
      abort: async () => {
        await sink.abort();
        await folder.removeEntry(name).catch(() => {});
      },
    };
  }

  /** @param {FileSystemDirectoryHandle} folder @param {string} key @param {string} wished */
  async #free(folder, key, wished) {
    for (;;) {
      const name = this.#numbering.next(key, wished);
      if ((await whatIs(folder, name)) === "nothing") return name;
    }
  }

  /** @param {string[]} parts */
  async #descend(parts) {
    let folder = this.#directory;
    for (const part of parts) {
      try {
        folder = await folder.getDirectoryHandle(part, { create: true });
      } catch (error) {
        if (error instanceof Error && error.name === "TypeMismatchError") throw new Error(`a file called ${part} is where a folder should be`);
        throw error;
      }
    }
    return folder;
  }
}

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 * @returns {Promise<"file" | "folder" | "nothing">}
 */
async function whatIs(folder, name) {
  try {
    await folder.getFileHandle(name);
    return "file";
  } catch (error) {
    const kind = error instanceof Error ? error.name : "";
    if (kind === "TypeMismatchError") return "folder";
    if (kind === "NotFoundError") return "nothing";
    throw error;
  }
}

/**
 * The browser's own storage, until all is here; then one archive. For browsers that let nobody choose a folder.
 *
 * @implements {Place}
 */
export class ZipPlace {
  /** @type {"zip"} */
  kind = "zip";
  #store;
  /** @type {import("./zip.js").Entry[]} */
  #entries = [];
  /** @type {Set<string>} */
  #names = new Set();
  #numbering = new Numbering();

  /** @param {"opfs" | "memory"} store */
  constructor(store) {
    this.#store = store;
  }

  /** @param {Transfer} transfer @returns {Promise<Sink>} */
  async sink({ id, path, modified }) {
    const inner = await storeSink(this.#store, id);
    let sum = 0;
    return {
      ...inner,
      write: (block) => {
        sum = crc32(block, sum);
        return inner.write(block);
      },
      finish: async () => {
        const blob = await inner.finish();
        this.#entries.push({ path: this.#freePath(path), blob, crc32: sum, modified });
        return null;
      },
    };
  }

  /** @param {string[]} path */
  async folder(path) {
    this.#entries.push({ path: `${path.join("/")}/`, blob: null, crc32: 0, modified: null });
  }

  /** What is here, as one file that refers to them. */
  archive() {
    const order = new Intl.Collator("en", { numeric: true });
    return zip([...this.#entries].sort((one, other) => order.compare(one.path, other.path)));
  }

  /** @param {string[]} path */
  #freePath(path) {
    const above = path.slice(0, -1).map((part) => `${part}/`).join("");
    const key = path.join("/").toLowerCase();
    for (;;) {
      const candidate = above + this.#numbering.next(key, path[path.length - 1]);
      if (this.#names.has(candidate.toLowerCase())) continue;
      this.#names.add(candidate.toLowerCase());
      return candidate;
    }
  }
}

/**
 * For a file alone: where the person, or the browser, has put it.
 *
 * @implements {Place}
 */
export class GivenPlace {
  /** @type {"file"} */
  kind = "file";
  #sink;

  /** @param {Sink} sink */
  constructor(sink) {
    this.#sink = sink;
  }

  async sink() {
    return this.#sink;
  }

  /** It was not needed after all. */
  async abandon() {
    await this.#sink.abort();
  }

  async folder() {}
}

/**
 * Each is a download of its own.
 *
 * @implements {Place}
 */
export class EachPlace {
  /** @type {"each"} */
  kind = "each";
  #store;

  /** @param {"opfs" | "memory"} store */
  constructor(store) {
    this.#store = store;
  }

  /** @param {Transfer} transfer */
  sink({ id }) {
    return storeSink(this.#store, id);
  }

  async folder() {}
}

/**
 * @param {"opfs" | "memory"} store
 * @param {string} id
 */
async function storeSink(store, id) {
  return store === "opfs" ? opfsSink(id) : memorySink();
}
