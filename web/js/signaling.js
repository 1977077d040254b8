/**
 * The signaling client (docs/signaling.md): one session over as many WebSockets as it takes.
 *
 * It joins, counts, pings, reconnects with growing waits, resumes by token, and joins anew where the server
 * forgot us. It never decides about calls: a lost server is an event, not an end.
 */
import { Emitter } from "./emitter.js";
import { Backoff } from "./backoff.js";
import { Pacer } from "./signaling/pacer.js";
import { SessionCounters } from "./signaling/counters.js";

/** @typedef {import("./types.js").JoinRequest} JoinRequest */
/** @typedef {import("./types.js").Joined} Joined */
/** @typedef {import("./signaling/counters.js").Message} Message */
/** @typedef {"connecting" | "open" | "joined" | "waiting" | "reconnecting" | "closed"} SignalingState */

const SUBPROTOCOL = "twocan.v1";
const PING_INTERVAL = 20_000;
/** Without an answer for this long the connection counts as gone, whatever the socket says. */
const PONG_PATIENCE = 10_000;
/** A socket that has not opened by then is given up. */
const OPEN_PATIENCE = 10_000;
/** Errors to a `join` that only want waiting. */
const WAITING_HELPS = new Set(["draining", "server_full", "rate_limited"]);
/** Close codes after which reconnecting would be wrong. */
const FINAL_CLOSE_CODES = new Set([1000, 4000]);

/**
 * @typedef {{
 *   state: SignalingState,
 *   joined: Joined,
 *   message: Message,
 *   refused: { code: string, message: string },
 *   taken_over: null,
 *   lost: number,
 * }} SignalingEvents
 *
 * `lost`: a connection was lost or did not come about, for the so-manyth time in a row.
 * `refused`: the join was answered with an error that only the person can mend.
 */

/** @extends {Emitter<SignalingEvents>} */
export class Signaling extends Emitter {
  /** @type {SignalingState} */
  state = "closed";
  /** Times the session came back after a loss. */
  reconnects = 0;
  /** Whether the last join resumed the session; null before a second join. @type {boolean | null} */
  resumed = null;
  /** @type {string | null} */
  lastError = null;
  /** Tries in a row that did not get us in. */
  failures = 0;
  /** Whether the last of them found a server that has no room for anyone more. */
  full = false;
  /** @type {Record<string, number>} the server's limits */
  limits = {};

  #counters = new SessionCounters();
  #backoff = new Backoff();
  #pacer = new Pacer((text) => {
    if (this.#socket?.readyState === 1) this.#socket.send(text);
  });
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {JoinRequest | null} */
  #request = null;
  /** @type {string | null} */
  #token = null;
  #everJoined = false;
  #admitted = false;
  #finished = false;
  #retryAfter = 0;
  #requests = 0;
  #joinId = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #reconnectTimer;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #pingTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #patienceTimer;
  /** @type {() => import("./types.js").MediaState | Record<string, unknown> | undefined} */
  #presence;

  /**
   * @param {object} options
   * @param {string} options.url ws(s)://…/api/signaling
   * @param {() => Record<string, unknown> | undefined} [options.presence] ours, asked for at each join
   * @param {(url: string, protocol: string) => WebSocket} [options.open] another WebSocket, for tests
   */
  constructor({ url, presence = () => undefined, open = (address, protocol) => new WebSocket(address, protocol) }) {
    super();
    this.url = url;
    this.open = open;
    this.#presence = presence;
  }

  /** Joins, or tries again with other fields after a refusal. @param {JoinRequest} request */
  join(request) {
    this.#request = request;
    this.#finished = false;
    if (this.#socket?.readyState === 1 && this.state === "open") this.#sendJoin();
    else if (!this.#socket) this.#connect();
  }

  /**
   * Sends a counted message now, or as soon as the session is there again.
   *
   * @param {Message} message
   */
  send(message) {
    if (!this.#everJoined || this.#finished) return;
    this.#counters.noteSent(message);
    if (this.#admitted) this.#transmit(message);
  }

  /** The same, with an id by which an error that answers it is known. @param {Message} message @returns {number} */
  request(message) {
    this.#requests += 1;
    this.send({ ...message, id: this.#requests });
    return this.#requests;
  }

  /** Ends the session for good: the others see us leave at once. */
  leave() {
    if (this.#finished) return;
    this.#finished = true;
    // At once, past the pacer: the page may be about to close.
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify({ type: "leave" }));
    this.#stopTimers();
    this.#socket?.close(1000);
    this.#setState("closed");
  }

  /** The network has changed: look at once whether the connection still stands. */
  probe() {
    if (this.#finished) return;
    if (this.state === "reconnecting" && this.#reconnectTimer) {
      clearTimeout(this.#reconnectTimer);
      this.#connect();
    } else if (this.#admitted) {
      this.#ping();
    }
  }

  get connected() {
    return this.#admitted;
  }

  #connect() {
    this.#reconnectTimer = undefined;
    this.#setState(this.#everJoined ? "reconnecting" : "connecting");
    const socket = this.open(this.url, SUBPROTOCOL);
    this.#socket = socket;
    this.#armPatience(OPEN_PATIENCE);
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      this.#disarmPatience();
      this.#pacer.restart(this.limits.messages_per_second ?? 50);
      this.#setState(this.#everJoined ? "reconnecting" : "open");
      this.#sendJoin();
    };
    socket.onmessage = (event) => {
      if (this.#socket === socket) this.#handleText(event.data);
    };
    socket.onclose = (event) => {
      if (this.#socket === socket) this.#handleClose(event.code);
    };
  }

  #sendJoin() {
    if (!this.#request) return;
    this.#requests += 1;
    this.#joinId = this.#requests;
    /** @type {Message} */
    const join = { type: "join", id: this.#joinId, ...this.#request, presence: this.#presence() };
    if (this.#token) Object.assign(join, { token: this.#token, received: this.#counters.received });
    this.#transmit(join);
  }

  /** @param {unknown} text */
  #handleText(text) {
    const message = parse(text);
    if (!message) return;
    this.#disarmPatience();
    switch (message.type) {
      case "welcome":
        this.limits = /** @type {Record<string, number>} */ (message.limits ?? {});
        this.#pacer.limit(this.limits.messages_per_second ?? 50);
        return;
      case "joined":
        return this.#handleJoined(/** @type {Joined} */ (/** @type {unknown} */ (message)));
      case "pong":
        this.#counters.confirm(Number(message.received) || 0);
        return;
      case "going_away":
        this.#retryAfter = Number(message.retry) || 0;
        return;
      case "error":
        return this.#handleError(message);
      case "waiting":
        this.#admit();
        this.#keepAlive();
        this.#setState("waiting");
        break;
    }
    this.#counters.noteReceived(message);
    this.emit("message", message);
  }

  /** @param {Joined} joined */
  #handleJoined(joined) {
    const again = this.#token !== null && !this.#admitted;
    // A lobby's match arrives on a connection that stands: nothing was lost, nothing is to be repeated.
    const match = this.#admitted;
    this.#token = joined.token;
    this.#admit();
    this.#backoff.reset();
    this.lastError = null;
    if (again) {
      this.reconnects += 1;
      this.resumed = joined.resumed;
    }
    if (joined.resumed) {
      this.#counters.confirm(joined.received);
      this.#setState("joined");
      this.emit("joined", joined);
      if (!match) for (const message of this.#counters.unconfirmed) this.#transmit(message);
    } else {
      this.#counters.restart();
      this.#setState("joined");
      this.emit("joined", joined);
    }
    this.#keepAlive();
  }

  #admit() {
    this.#admitted = true;
    this.#everJoined = true;
    this.failures = 0;
    this.full = false;
  }

  /** @param {Message} message */
  #handleError(message) {
    const code = String(message.code);
    this.lastError = code;
    const wait = WAITING_HELPS.has(code);
    // A server with too many connections says so before it has read anything.
    const answersJoin = !this.#admitted && (message.id === this.#joinId || (wait && message.id === undefined));
    if (!answersJoin) {
      this.emit("message", message);
      return;
    }
    if (wait) {
      this.#retryAfter = Number(message.retry) || 1_000;
      this.#socket?.close(1000);
      this.#handleClose(1012, { full: code === "server_full" });
      return;
    }
    this.failures = 0;
    this.#setState(this.#everJoined ? "reconnecting" : "open");
    this.emit("refused", { code, message: String(message.message ?? "") });
  }

  /**
   * @param {number} code
   * @param {{ full?: boolean }} [options]
   */
  #handleClose(code, { full = false } = {}) {
    this.#socket = null;
    this.#admitted = false;
    this.#stopTimers();
    if (this.#finished) return;
    if (FINAL_CLOSE_CODES.has(code)) {
      this.#finished = true;
      this.#setState("closed");
      if (code === 4000) this.emit("taken_over", null);
      return;
    }
    this.failures += 1;
    this.full = full;
    this.#setState(this.#everJoined ? "reconnecting" : "connecting");
    this.emit("lost", this.failures);
    const wait = Math.max(this.#backoff.next(), this.#retryAfter);
    this.#retryAfter = 0;
    this.#reconnectTimer = setTimeout(() => this.#connect(), wait);
  }

  #keepAlive() {
    clearInterval(this.#pingTimer);
    this.#pingTimer = setInterval(() => this.#ping(), PING_INTERVAL);
  }

  #ping() {
    this.#transmit({ type: "ping", received: this.#counters.received });
    this.#armPatience(PONG_PATIENCE);
  }

  /** @param {number} patience ms */
  #armPatience(patience) {
    clearTimeout(this.#patienceTimer);
    const socket = this.#socket;
    this.#patienceTimer = setTimeout(() => {
      if (this.#socket !== socket || !socket) return;
      socket.close();
      this.#handleClose(1006);
    }, patience);
  }

  #disarmPatience() {
    clearTimeout(this.#patienceTimer);
  }

  #stopTimers() {
    clearTimeout(this.#reconnectTimer);
    clearInterval(this.#pingTimer);
    this.#disarmPatience();
    this.#reconnectTimer = undefined;
  }

  /** @param {Message} message */
  #transmit(message) {
    if (this.#socket?.readyState === 1) this.#pacer.push(JSON.stringify(message));
  }

  /** @param {SignalingState} state */
  #setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.emit("state", state);
  }
}

/** @param {unknown} text @returns {Message | null} */
function parse(text) {
  if (typeof text !== "string") return null;
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" && typeof value.type === "string" ? value : null;
  } catch {
    return null;
  }
}

/** Where this page's server signals. @param {Location} location */
export function signalingUrl(location) {
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/api/signaling`;
}
