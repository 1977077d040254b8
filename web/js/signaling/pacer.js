/**
 * Keeps a client under the server's rate (docs/signaling.md, "Limits"), where a message over it would be dropped: a
 * streamer whom thirty viewers meet at once has hundreds of candidates to send. A token bucket with a queue behind it.
 */

/** We stay under the server's own bucket, whose clock is not ours. */
const MARGIN = 0.8;
/** The server's burst, in seconds of its rate. */
const BURST_SECONDS = 4;

export class Pacer {
  /** @type {string[]} */
  #queue = [];
  #rate = 50 * MARGIN;
  #tokens = 50 * MARGIN * BURST_SECONDS;
  #last = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #send;
  #now;

  /**
   * @param {(text: string) => void} send
   * @param {() => number} [now] ms
   */
  constructor(send, now = () => performance.now()) {
    this.#send = send;
    this.#now = now;
    this.#last = now();
  }

  /** A new connection: a full bucket, and nothing of the old one. @param {number} messagesPerSecond the server's limit */
  restart(messagesPerSecond) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#queue = [];
    this.#rate = Math.max(1, messagesPerSecond * MARGIN);
    this.#tokens = this.#rate * BURST_SECONDS;
    this.#last = this.#now();
  }

  /** The server's `welcome` tells its limit. @param {number} messagesPerSecond */
  limit(messagesPerSecond) {
    const spent = this.#rate * BURST_SECONDS - this.#tokens;
    this.#rate = Math.max(1, messagesPerSecond * MARGIN);
    this.#tokens = this.#rate * BURST_SECONDS - spent;
  }

  /** @param {string} text */
  push(text) {
    this.#queue.push(text);
    this.#drain();
  }

  #drain() {
    const now = this.#now();
    this.#tokens = Math.min(this.#rate * BURST_SECONDS, this.#tokens + ((now - this.#last) / 1000) * this.#rate);
    this.#last = now;
    while (this.#tokens >= 1) {
      const text = this.#queue.shift();
      if (text === undefined) return;
      this.#tokens -= 1;
      this.#send(text);
    }
    if (this.#queue.length === 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#drain();
    }, Math.ceil(1000 / this.#rate));
  }
}
