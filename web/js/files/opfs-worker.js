/**
 * Writes received blocks to the origin's private file system. A worker, because only there a file can be written in
 * place (`createSyncAccessHandle`) without a copy at the end.
 */

/** @typedef {{ handle: FileSystemSyncAccessHandle, at: number }} OpenFile */
/** @typedef {{ request: number, action: "create" | "write" | "close", path: string[], block?: Uint8Array<ArrayBuffer> }} Request */

/** @type {Map<string, OpenFile>} */
const files = new Map();
/** @type {Promise<void>} */
let queue = Promise.resolve();

globalThis.onmessage = (/** @type {MessageEvent<Request>} */ { data }) => {
  queue = queue.then(async () => {
    try {
      await handle(data);
      // A block's memory goes back, to be filled again.
      const memory = data.block?.buffer;
      postMessage({ request: data.request, memory }, { transfer: memory ? [memory] : [] });
    } catch (error) {
      postMessage({ request: data.request, error: String(error) });
    }
  });
};

/** @param {Request} request */
async function handle({ action, path, block }) {
  const key = path.join("/");
  const file = files.get(key);
  switch (action) {
    case "create": {
      const handle = await open(path);
      files.set(key, { handle, at: 0 });
      break;
    }
    case "write": {
      if (!file || !block) throw new Error("the file is not open");
      const written = file.handle.write(block, { at: file.at });
      if (written !== block.length) throw new Error("the disk is full");
      file.at += written;
      break;
    }
    case "close":
      files.delete(key);
      file?.handle.flush();
      file?.handle.close();
      break;
  }
}

/** @param {string[]} path */
async function open(path) {
  let folder = await navigator.storage.getDirectory();
  for (const name of path.slice(0, -1)) folder = await folder.getDirectoryHandle(name, { create: true });
  const handle = await folder.getFileHandle(path[path.length - 1], { create: true });
  return /** @type {any} */ (handle).createSyncAccessHandle();
}

export {};
