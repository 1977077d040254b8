/**
 * Waiting times between tries: doubling, bounded, with jitter so that a restarted server does not
 * meet all of its clients in the same instant.
 */
export class Backoff {
  #tries = 0;

  /**
   * @param {object} [options]
   * @param {number} [options.first] ms
   * @param {number} [options.most] ms
   * @param {() => number} [options.random] 0 to 1
   */
  constructor({ first = 400, most = 8_000, random = Math.random } = {}) {
    this.first = first;
    this.most = most;
    this.random = random;
  }

  /** The next wait in ms: between half and the whole of the doubled step. */
  next() {
    const step = Math.min(this.most, this.first * 2 ** this.#tries);
    this.#tries += 1;
    return Math.round(step * (0.5 + this.random() / 2));
  }

  reset() {
    this.#tries = 0;
  }
}
