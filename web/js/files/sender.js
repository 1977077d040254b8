/**
 * One file going out over one data channel: read a megabyte, hash it, send it in pieces, never ahead of what the
 * channel and the other side's disk take. Memory stays flat, whatever the file's size.
 */
import { LEAF_SIZE } from "./tree.js";
import { release } from "./memory.js";

/** Pieces of this size travel well between all browsers (RFC 8831 §6.6 advises against large messages). */
const LARGEST_PIECE = 64 * 1024;
/** The channel's own queue is filled up to here … */
const QUEUE_HIGH = 1024 * 1024;
/** … and again when it has sunk to here. */
const QUEUE_LOW = 256 * 1024;
/** So far may we be ahead of what the other side has stored. */
export const WINDOW = 8 * 1024 * 1024;

/** As far as the other side may ask us to be. */
const LARGEST_WINDOW = 64 * 1024 * 1024;

/** @param {number | undefined} wished by the other side, bytes */
export function windowFor(wished) {
  return wished === undefined ? WINDOW : Math.min(LARGEST_WINDOW, Math.max(LEAF_SIZE, wished));
}

/** The channel closed, or we were told to stop, in the middle. */
export class Interrupted extends Error {}

/**
 * Sends everything from `offset` on.
 *
 * @param {object} options
 * @param {Blob} options.file
 * @param {RTCDataChannel} options.channel open or opening
 * @param {number} options.offset
 * @param {number} options.largestMessage of this connection, bytes; 0 for no limit
 * @param {import("./tree.js").TreeHash} options.hash
 * @param {number} [options.window] how far we may be ahead of what the other side has stored, bytes
 * @param {() => number} options.stored how much the other side has stored
 * @param {(wake: () => void) => void} options.onStored sets what to call when that grows
 * @param {AbortSignal} options.signal
 */
export async function sendFile({ file, channel, offset, largestMessage, hash, window = WINDOW, stored, onStored, signal }) {
  channel.binaryType = "arraybuffer";
  channel.bufferedAmountLowThreshold = QUEUE_LOW;
  const piece = pieceSize(largestMessage);
  const waiter = new Waiter(channel, signal);
  onStored(() => waiter.wake());
  await waiter.until(() => channel.readyState === "open");

  let position = offset;
  let reading = readFrom(file, position);
  while (position < file.size) {
    const block = await reading;
    const start = position;
    // The disk works on the next block while the network has this one.
    if (start + block.length < file.size) reading = readFrom(file, start + block.length);
    const hashed = hash.update(block, start);
    for (let from = 0; from < block.length; from += piece) {
      await waiter.until(() => channel.bufferedAmount < QUEUE_HIGH && position - stored() < window);
      const part = block.subarray(from, from + piece);
      channel.send(part);
      position += part.length;
    }
    await hashed;
    release(block.buffer);
  }
}

/** @param {number} largestMessage */
export function pieceSize(largestMessage) {
  return largestMessage > 0 ? Math.min(LARGEST_PIECE, largestMessage) : LARGEST_PIECE;
}

/**
 * Up to the next leaf's edge.
 *
 * @param {Blob} file
 * @param {number} position
 */
async function readFrom(file, position) {
  const end = Math.min(file.size, (Math.floor(position / LEAF_SIZE) + 1) * LEAF_SIZE);
  return new Uint8Array(await file.slice(position, end).arrayBuffer());
}

/** Waits for a condition that the channel's events, or a message, may make true. */
class Waiter {
  /** @type {() => void} */
  #resolve = () => {};

  /**
   * @param {RTCDataChannel} channel
   * @param {AbortSignal} signal
   */
  constructor(channel, signal) {
    this.channel = channel;
    this.signal = signal;
    for (const event of ["open", "close", "error", "bufferedamountlow"]) channel.addEventListener(event, () => this.wake());
    signal.addEventListener("abort", () => this.wake());
  }

  wake() {
    this.#resolve();
  }

  /** @param {() => boolean} condition */
  async until(condition) {
    for (;;) {
      const { readyState } = this.channel;
      if (this.signal.aborted || readyState === "closing" || readyState === "closed") throw new Interrupted("the channel closed");
      if (condition()) return;
      await new Promise((resolve) => {
        this.#resolve = () => resolve(undefined);
      });
    }
  }
}
