/**
 * Both directions' message counts of one signaling session, so that a dropped connection loses nothing
 * (docs/signaling.md, "Resuming"). Pure: it neither sends nor keeps time.
 */

/** Messages from the server that are not part of the session's count. */
const UNCOUNTED_FROM_SERVER = new Set(["joined", "pong", "error", "welcome", "left", "going_away", "media_layers", "media_speaker"]);
/** Messages from us that are not. */
const UNCOUNTED_FROM_CLIENT = new Set(["join", "ping"]);

/** @typedef {Record<string, unknown> & { type: string }} Message */

/** What is kept for repeating at most; beyond it the oldest go, and the session cannot resume whole. */
const KEPT_MESSAGES = 512;

export class SessionCounters {
  /** How many counted messages of the server we have processed. */
  received = 0;
  /** How many counted messages we have handed over in this session. */
  sent = 0;
  /** @type {Message[]} the newest of these, until the server has confirmed them */
  #unconfirmed = [];

  /** A new session: both counts start at zero, and what was never confirmed is forgotten. */
  restart() {
    this.#unconfirmed = [];
    this.received = 0;
    this.sent = 0;
  }

  /** @param {Message} message that is being sent, or would be if a connection were there */
  noteSent(message) {
    if (UNCOUNTED_FROM_CLIENT.has(message.type)) return;
    this.sent += 1;
    this.#unconfirmed.push(message);
    if (this.#unconfirmed.length > KEPT_MESSAGES) this.#unconfirmed.shift();
  }

  /** @param {Message} message that has just been processed */
  noteReceived(message) {
    if (!UNCOUNTED_FROM_SERVER.has(message.type)) this.received += 1;
  }

  /**
   * The server says how many of ours it has processed.
   *
   * @param {number} count
   */
  confirm(count) {
    const waiting = Math.max(0, Math.min(this.#unconfirmed.length, this.sent - count));
    this.#unconfirmed.splice(0, this.#unconfirmed.length - waiting);
  }

  /** What has to be repeated after a resumed join, oldest first. @returns {readonly Message[]} */
  get unconfirmed() {
    return this.#unconfirmed;
  }
}
