/** What is known about one file on its way, in either direction: what the page shows and the tests read. */

/**
 * @typedef {"offered" | "active" | "paused" | "verifying" | "done" | "declined" | "cancelled" | "failed"} TransferState
 */

/** States after which nothing more happens. */
const FINAL = new Set(["done", "declined", "cancelled", "failed"]);
/** The speed shown is that of the last seconds, ms. */
const RATE_WINDOW = 4_000;

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
  /** @type {{ time: number, done: number }[]} */
  #history = [];

  /**
   * @param {object} options
   * @param {string} options.id
   * @param {"send" | "receive"} options.direction
   * @param {string} options.peer
   * @param {string} options.peerName
   * @param {string} options.name
   * @param {number} options.size
   */
  constructor({ id, direction, peer, peerName, name, size }) {
    this.id = id;
    this.direction = direction;
    this.peer = peer;
    this.peerName = peerName;
    this.name = name;
    this.size = size;
  }

  get finished() {
    return FINAL.has(this.state);
  }

  /** @param {number} now ms */
  noteProgress(now) {
    this.#history.push({ time: now, done: this.done });
    while (this.#history.length > 2 && now - this.#history[0].time > RATE_WINDOW) this.#history.shift();
  }

  /** Bytes a second over the last seconds. */
  get rate() {
    const first = this.#history[0];
    const last = this.#history[this.#history.length - 1];
    if (!first || this.state !== "active" || last.time - first.time < 200) return 0;
    return Math.max(0, ((last.done - first.done) * 1000) / (last.time - first.time));
  }

  /** @returns {object} for `window.twocan` */
  snapshot() {
    const { id, peer, direction, name, size, done, state, rate, resumes, digest, sink, error } = this;
    return { id, peer, direction, name, size, done, state, rate, resumes, digest, sink, error };
  }
}
