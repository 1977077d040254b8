/**
 * One file coming in: pieces are gathered into leaves of 1 MiB, and each leaf is hashed and stored before the sender
 * hears of it. So the sender's window bounds what waits here, and memory stays flat.
 */
import { LEAF_SIZE, TreeHash } from "./tree.js";

/** @typedef {import("./sinks.js").Sink} Sink */

export class Receiver {
  /** Bytes taken from the channel. */
  received = 0;
  /** Bytes hashed and handed to the disk. */
  stored = 0;
  #hash = new TreeHash();
  #leaf = new Uint8Array(LEAF_SIZE);
  #filled = 0;
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

  /** @param {ArrayBuffer} piece */
  take(piece) {
    if (this.received + piece.byteLength > this.size) throw new Error("more bytes came than were offered");
    let rest = new Uint8Array(piece);
    this.received += rest.length;
    while (rest.length > 0) {
      const part = rest.subarray(0, LEAF_SIZE - this.#filled);
      this.#leaf.set(part, this.#filled);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
      if (this.#filled === LEAF_SIZE) this.#store();
    }
    if (this.complete && this.#filled > 0) this.#store();
  }

  /** After the last byte. @returns {Promise<string>} the digest of what was stored */
  async finish() {
    await this.#writing;
    return this.#hash.finish();
  }

  #store() {
    const block = this.#leaf.subarray(0, this.#filled);
    this.#leaf = new Uint8Array(LEAF_SIZE);
    this.#filled = 0;
    this.#writing = this.#writing.then(async () => {
      await this.#hash.update(block);
      const { length } = block;
      await this.sink.write(block);
      this.stored += length;
      this.onStored(this.stored);
    });
    this.#writing.catch(this.onError);
  }
}
