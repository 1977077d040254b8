/** What is known about one file on its way, in either direction: what the page shows and the tests read. */
import { Rate } from "./rate.js";

/**
 * @typedef {"offered" | "active" | "paused" | "verifying" | "done" | "declined" | "cancelled" | "failed"} TransferState
 */

/** States after which nothing more happens. */
const FINAL = new Set(["done", "declined", "cancelled", "failed"]);

export class Transfer {
  /** @type {TransferState} */
  state = "offered";
  /** Bytes that the receiver has stored. */
  done = 0;
  resumes = 0;
  /** @type {string | null} */
  digest = null;
  /** @type {import("./sinks.js").SinkKind | null} */
  sink = null;
  /** @type {string | null} what went wrong, in words */
  error = null;
  /** Received and verified, to be saved. @type {Blob | null} */
  blob = null;
  /** A note to show before accepting. @type {{ refuse: boolean, words: string }} */
  note = { refuse: false, words: "" };
  /** It was not wanted, because one of its name is there. */
  skipped = false;
  #rate = new Rate();

  /**
   * @param {object} options
   * @param {string} options.id
   * @param {"send" | "receive"} options.direction
   * @param {string} options.peer
   * @param {string} options.peerName
   * @param {string} options.name
   * @param {number} options.size
   * @param {string[]} [options.path] where it lies in a folder that is sent; the last part is the name
   * @param {number | null} [options.modified] ms since 1970
   */
  constructor({ id, direction, peer, peerName, name, size, path = [name], modified = null }) {
    this.id = id;
    this.direction = direction;
    this.peer = peer;
    this.peerName = peerName;
    this.name = name;
    this.size = size;
    this.path = path;
    this.modified = modified;
  }

  get finished() {
    return FINAL.has(this.state);
  }

  /** @param {number} now ms */
  noteProgress(now) {
    this.#rate.note(now, this.done);
  }

  /** Bytes a second over the last seconds. */
  get rate() {
    return this.state === "active" ? this.#rate.value : 0;
  }

  /** @returns {object} for `window.twocan` */
  snapshot() {
    const { id, peer, direction, name, size, done, state, rate, resumes, digest, sink, error } = this;
    return { id, peer, direction, name, path: this.path.join("/"), size, done, state, rate, resumes, digest, sink, error };
  }
}
