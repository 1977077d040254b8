/**
 * When to restart ICE, and when to give the connection up for a fresh one.
 *
 * The side that made the first offer acts first and the other a little later, so that one restart is usually enough;
 * should both act at once, perfect negotiation sorts it out.
 */

/** How long a connection may be `disconnected` before somebody acts, in ms. */
const DISCONNECTED_PATIENCE = { initiator: 1_500, other: 4_000 };
/** Waits after `failed`, in ms. */
const FAILED_PATIENCE = { initiator: 0, other: 2_500 };
/** A restart gets this long before the next step, in ms; doubling up to the most. */
const FIRST_RETRY = 6_000;
const LONGEST_RETRY = 30_000;
/** That many restarts in a row without success ask for a fresh connection. */
const RESTARTS_BEFORE_RENEWAL = 2;
/** The first connection may take this long before it counts as failed, in ms. */
const FIRST_CONNECT_PATIENCE = 12_000;

export class Recovery {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #attempts = 0;
  #wait = FIRST_RETRY;

  /**
   * @param {object} options
   * @param {boolean} options.initiator
   * @param {() => void} options.restartIce
   * @param {() => void} options.renew
   */
  constructor({ initiator, restartIce, renew }) {
    this.initiator = initiator;
    this.restartIce = restartIce;
    this.renew = renew;
    this.#schedule(FIRST_CONNECT_PATIENCE);
  }

  /** @param {RTCPeerConnectionState} state */
  handleState(state) {
    const role = this.initiator ? "initiator" : "other";
    if (state === "connected") {
      this.#attempts = 0;
      this.#wait = FIRST_RETRY;
      clearTimeout(this.#timer);
    } else if (state === "disconnected") {
      this.#schedule(DISCONNECTED_PATIENCE[role]);
    } else if (state === "failed" && this.#attempts === 0) {
      this.#schedule(FAILED_PATIENCE[role]);
    }
  }

  stop() {
    clearTimeout(this.#timer);
  }

  /** @param {number} wait ms */
  #schedule(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#act(), wait);
  }

  #act() {
    this.#attempts += 1;
    this.#schedule(this.#wait);
    this.#wait = Math.min(LONGEST_RETRY, this.#wait * 2);
    if (this.#attempts % (RESTARTS_BEFORE_RENEWAL + 1) === 0) this.renew();
    else this.restartIce();
  }
}
