/**
 * One file coming in: pieces are gathered into leaves of 1 MiB, and each leaf is hashed and stored before the sender
 * hears of it. So the sender's window bounds what waits here, and memory stays flat: leaves go round and round, and
 * nothing large is left to the garbage collector, which lets far more than a window pile up before it looks.
 */
import { release } from "./memory.js";
import { WINDOW } from "./sender.js";
import { LEAF_SIZE, LEAF_START, TreeHash, newLeaf } from "./tree.js";

/** @typedef {import("./sinks.js").Sink} Sink */

/** No honest sender has more on the way: one window, and after a resume that of the attempt before. */
export const MOST_UNSTORED = 3 * WINDOW;

export class Receiver {
  /** Bytes taken from the channel. */
  received = 0;
  /** Bytes hashed and handed to the disk. */
  stored = 0;
  #hash = new TreeHash();
  /** The leaf being filled. @type {Uint8Array<ArrayBuffer> | null} */
  #leaf = null;
  #filled = 0;
  /** Leaves to be filled again. @type {Uint8Array<ArrayBuffer>[]} */
  #free = [];
  /** @type {Promise<void>} */
  #writing = Promise.resolve();

  /**
   * @param {object} options
   * @param {number} options.size
   * @param {Sink} options.sink
   * @param {(stored: number) => void} options.onStored
   * @param {(error: unknown) => void} options.onError
   */
  constructor({ size, sink, onStored, onError }) {
    this.size = size;
    this.sink = sink;
    this.onStored = onStored;
    this.onError = onError;
  }

  get complete() {
    return this.received === this.size;
  }

  /** @param {ArrayBuffer} piece taken over: it is empty afterwards, where the browser can do that */
  take(piece) {
    const received = this.received + piece.byteLength;
    if (received > this.size) throw new Error("more bytes came than were offered");
    if (received - this.stored > MOST_UNSTORED) throw new Error("more bytes came at once than were asked for");
    this.received = received;
    let rest = new Uint8Array(piece);
    while (rest.length > 0) {
      this.#leaf ??= this.#free.pop() ?? newLeaf();
      const part = rest.subarray(0, LEAF_SIZE - this.#filled);
      this.#leaf.set(part, LEAF_START + this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled === LEAF_SIZE) this.#store(this.#leaf);
    }
    if (this.complete && this.#leaf) this.#store(this.#leaf);
    release(piece);
  }

  /** After the last byte. @returns {Promise<string>} the digest of what was stored */
  async finish() {
    await this.#writing;
    return this.#hash.finish();
  }

  /** @param {Uint8Array<ArrayBuffer>} leaf */
  #store(leaf) {
    const length = this.#filled;
    const end = LEAF_START + length;
    this.#leaf = null;
    this.#filled = 0;
    this.#writing = this.#writing.then(async () => {
      await this.#hash.add(leaf.subarray(0, end));
      const memory = await this.sink.write(leaf.subarray(LEAF_START, end));
      this.#free.push(new Uint8Array(memory));
      this.stored += length;
      this.onStored(this.stored);
    });
    this.#writing.catch(this.onError);
  }
}
