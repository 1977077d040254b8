/** How fast something grows: over the last seconds, since a transfer is never even. */

const WINDOW = 4_000;
/** Below that there is nothing to divide by, ms. */
const LEAST = 200;

export class Rate {
  /** @type {{ time: number, done: number }[]} */
  #history = [];

  /**
   * @param {number} now ms
   * @param {number} done bytes
   */
  note(now, done) {
    this.#history.push({ time: now, done });
    while (this.#history.length > 2 && now - this.#history[0].time > WINDOW) this.#history.shift();
  }

  /** Bytes a second. */
  get value() {
    const first = this.#history[0];
    const last = this.#history[this.#history.length - 1];
    if (!first || last.time - first.time < LEAST) return 0;
    return Math.max(0, ((last.done - first.done) * 1000) / (last.time - first.time));
  }
}
