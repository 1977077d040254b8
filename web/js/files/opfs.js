/**
 * The origin's private file system, for files on their way in. Each page has a folder of its own, marked as in use by
 * a Web Lock; folders of pages that are gone are swept when the next one starts.
 */

const ROOT = "twocan-received";

/** @type {Promise<OpfsStore> | null} */
let opened = null;

export class OpfsStore {
  #folder;
  #worker;
  #requests = 0;
  /** @type {Map<number, { resolve: (memory?: ArrayBuffer) => void, reject: (error: Error) => void }>} */
  #pending = new Map();

  /**
   * @param {FileSystemDirectoryHandle} folder
   * @param {string} page the folder's name
   * @param {Worker} worker
   */
  constructor(folder, page, worker) {
    this.#folder = folder;
    this.page = page;
    this.#worker = worker;
    worker.onmessage = ({ data: { request, error, memory } }) => {
      const pending = this.#pending.get(request);
      this.#pending.delete(request);
      if (error) pending?.reject(new Error(error));
      else pending?.resolve(memory);
    };
  }

  /** Whether this browser, and this window, can do it: private windows often cannot. */
  static async works() {
    try {
      await OpfsStore.open();
      return true;
    } catch {
      return false;
    }
  }

  /** The page's one store. The worker starts now, since the server may be gone when it is wanted. */
  static open() {
    opened ??= OpfsStore.#open();
    return opened;
  }

  static async #open() {
    if (!navigator.storage?.getDirectory) throw new Error("no private storage here");
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT, { create: true });
    const page = `page-${Date.now()}-${Math.floor(Math.random() * 1e9)}`;
    const locked = Boolean(navigator.locks);
    if (locked) {
      await new Promise((resolve) => {
        // Held until the page is gone.
        void navigator.locks.request(`twocan/${page}`, () => {
          resolve(undefined);
          return new Promise(() => {});
        });
      });
      await sweep(root);
    }
    const folder = await root.getDirectoryHandle(page, { create: true });
    return new OpfsStore(folder, page, new Worker("/js/files/opfs-worker.js", { type: "module" }));
  }

  /** @param {string} id */
  create(id) {
    return this.#ask({ action: "create", path: [ROOT, this.page, id] });
  }

  /**
   * @param {string} id
   * @param {Uint8Array<ArrayBuffer>} block handed over to the worker
   * @returns {Promise<ArrayBuffer>} its memory, back again
   */
  async write(id, block) {
    const memory = await this.#ask({ action: "write", path: [ROOT, this.page, id], block }, [block.buffer]);
    if (!memory) throw new Error("the storage worker kept a block");
    return memory;
  }

  /** @param {string} id @returns {Promise<File>} */
  async finish(id) {
    await this.#ask({ action: "close", path: [ROOT, this.page, id] });
    return (await this.#folder.getFileHandle(id)).getFile();
  }

  /** @param {string} id */
  async remove(id) {
    await this.#ask({ action: "close", path: [ROOT, this.page, id] }).catch(() => {});
    await this.#folder.removeEntry(id).catch(() => {});
  }

  /**
   * @param {object} request
   * @param {ArrayBuffer[]} [transfer]
   * @returns {Promise<ArrayBuffer | undefined>}
   */
  #ask(request, transfer = []) {
    this.#requests += 1;
    const number = this.#requests;
    return new Promise((resolve, reject) => {
      this.#pending.set(number, { resolve, reject });
      this.#worker.postMessage({ ...request, request: number }, transfer);
    });
  }
}

/** @param {FileSystemDirectoryHandle} root */
async function sweep(root) {
  const { held = [] } = await navigator.locks.query();
  const inUse = new Set(held.map(({ name }) => name));
  for await (const name of root.keys()) {
    if (!inUse.has(`twocan/${name}`)) await root.removeEntry(name, { recursive: true }).catch(() => {});
  }
}
