/**
 * Our one connection to the server's forwarder: what we send goes there once, in several qualities, and what others send
 * comes from there, each person's in a seat (forwarder/seats.js).
 *
 * We always offer and the server answers, so there is no glare; which publication comes in at which seat needs no
 * negotiation at all (docs/signaling.md, "Through the server").
 */
import { Emitter } from "./emitter.js";
import { cameraEncodings, onlyCodec, screenEncodings, seatCodecs, sendWanted } from "./forwarder/encodings.js";
import { Seats } from "./forwarder/seats.js";
import { SLOTS } from "./peer/slots.js";
import { randomWord } from "./words.js";

/** @typedef {import("./forwarder/seats.js").Publication} Publication */
/** @typedef {import("./forwarder/seats.js").Kind} Kind */
/** @typedef {import("./peer/slots.js").Slot} Slot */
/** @typedef {import("./signaling/counters.js").Message} Message */

/**
 * How one publication is to come.
 *
 * @typedef {object} Wish
 * @property {Publication} publication
 * @property {number} [width] device pixels at which it is shown; absent: as good as it can be
 * @property {number} [height]
 * @property {boolean} [paused]
 * @property {number} [priority] the higher one gets its quality first
 */

/** @typedef {{ code: string, message: string }} Refusal in the server's words */

/** ms */
const WISH_PAUSE = 120;
const WANTED_AGAIN = 300;
/** Seats that a connection begins with while nobody knows who is there. */
const FIRST_RESERVED = 2;
/** As many as a stage has places. */
const MOST_RESERVED = 15;
const DISCONNECTED_PATIENCE = 1_200;
const RESTART_PATIENCE = 4_000;
const FIRST_RENEWAL = 500;
/** A worker that began anew waits for us, and is not to hear all at the same moment. */
const LONGEST_RESTART = 200;
const LONGEST_RENEWAL = 15_000;
/** An offer unanswered for so long has gone astray. */
const ANSWER_PATIENCE = 10_000;

/**
 * `receivers`: something may come in elsewhere than before. `refused`: the server did not take our offer; we try again.
 * `taken`: it has taken it.
 *
 * @extends {Emitter<{ change: null, receivers: null, refused: Refusal, taken: null }>}
 */
export class Forwarder extends Emitter {
  /** @type {RTCPeerConnection} */
  connection;
  seats = new Seats();
  restarts = 0;
  generation = 0;
  negotiations = 0;
  closed = false;
  /** @type {string} */
  name = "";

  /** @type {Record<Slot, RTCRtpTransceiver>} */
  #sending;
  /** @type {Record<Kind, RTCRtpTransceiver>[]} by seat */
  #receiving = [];
  /** @type {Map<string, Wish>} by publication */
  #wishes = new Map();
  /** @type {Record<string, boolean[]>} by section */
  #wanted = {};
  /** Once the server has been told of us. */
  #hasBegun = false;
  #applying = false;
  #wantedIsNew = false;
  #negotiating = false;
  #again = false;
  #told = "";
  #renewalWait = FIRST_RENEWAL;
  /** @type {((outcome: { sdp: string } | Refusal | null) => void) | null} */
  #answered = null;
  /** @type {number} of the offer that waits for its answer */
  #offerId = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #wishTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #recoveryTimer;
  #sayOffered = () => {};
  /** Once our first offer is out, or failed: what takes long and can wait, waits for it. @type {Promise<void>} */
  offered = new Promise((resolve) => (this.#sayOffered = resolve));

  /**
   * Makes a connection that waits for `begin`.
   *
   * @param {object} options
   * @param {() => RTCConfiguration} options.configuration
   * @param {() => Promise<void>} options.refreshServers
   * @param {(message: Message) => number} options.send counted, with an id, which it returns
   * @param {() => Partial<Record<Slot, MediaStreamTrack | null>>} options.tracks what we send now
   * @param {boolean} options.sends whether we send anything at all
   * @param {string} options.codec of our pictures
   * @param {import("./sframe/ends.js").Ends | null} [options.sealed] encrypts from end to end
   */
  constructor({ configuration, refreshServers, send, tracks, sends, codec, sealed = null }) {
    super();
    this.configuration = configuration;
    this.refreshServers = refreshServers;
    this.sendMessage = send;
    this.tracks = tracks;
    this.sends = sends;
    this.codec = codec;
    this.sealed = sealed;
    this.seats.reserve(FIRST_RESERVED);
    ({ connection: this.connection, sending: this.#sending } = this.#connect());
  }

  /** Tells the server of us. @param {number} people how many are there to be watched */
  begin(people) {
    this.#hasBegun = true;
    // So that those who are there need no second offer.
    this.seats.reserve(Math.min(MOST_RESERVED, people));
    try {
      this.connection.setConfiguration(this.configuration());
    } catch {
      // The policy may not be changed any more: the old servers will do.
    }
    const tracks = this.tracks();
    const sending = Object.entries(this.#sending);
    if (sending.some(([slot, { sender }]) => sender.track !== (tracks[/** @type {Slot} */ (slot)] ?? null))) void this.updateTracks();
    void this.#negotiate();
  }

  get state() {
    return this.connection.connectionState;
  }

  /** @param {string} publication @returns {RTCRtpReceiver | null} where it comes in */
  receiverOf(publication) {
    const place = this.seats.find(publication);
    return place ? (this.#receiving[place.seat]?.[place.kind].receiver ?? null) : null;
  }

  /** The whole wish, each time. @param {Iterable<Wish>} wishes */
  watch(wishes) {
    this.#wishes = new Map([...wishes].map((wish) => [wish.publication.id, wish]));
    const grown = this.seats.seat([...this.#wishes.values()].map(({ publication }) => publication));
    if (grown) void this.#negotiate();
    this.emit("receivers", null);
    this.#wishTimer ??= setTimeout(() => this.#tellWishes(), this.#told === "" ? 0 : WISH_PAUSE);
  }

  async updateTracks() {
    const tracks = this.tracks();
    await Promise.allSettled(
      Object.entries(this.#sending).map(([slot, { sender }]) => sender.replaceTrack(tracks[/** @type {Slot} */ (slot)] ?? null)),
    );
  }

  /** Looks for better paths, e.g. because the network has changed. */
  async restartIce() {
    if (this.closed) return;
    this.restarts += 1;
    const { connection } = this;
    await this.refreshServers();
    if (this.closed || this.connection !== connection) return;
    try {
      connection.setConfiguration(this.configuration());
    } catch {
      // The policy may not be changed any more: the old servers will do.
    }
    connection.restartIce();
    void this.#negotiate();
  }

  /** Gives the connection up for a fresh one. */
  renew() {
    if (this.closed) return;
    this.#drop();
    this.#renewalWait = Math.min(LONGEST_RENEWAL, this.#renewalWait * 2);
    ({ connection: this.connection, sending: this.#sending } = this.#connect());
    void this.#negotiate();
    this.emit("receivers", null);
    this.emit("change", null);
  }

  /** The server says that the connection is over. Gives it a fresh one, later each time. @param {number} [wait] ms */
  ended(wait = this.#renewalWait) {
    const { connection } = this;
    clearTimeout(this.#recoveryTimer);
    this.#recoveryTimer = setTimeout(() => this.connection === connection && this.renew(), wait);
  }

  close() {
    if (this.closed) return;
    if (this.#hasBegun) this.sendMessage({ type: "media_close", connection: this.name });
    this.closed = true;
    this.#drop();
  }

  /** @param {Message} message from the server @returns {boolean} whether it was for us */
  handle(message) {
    if (message.type === "error") {
      if (message.id !== this.#offerId || !this.#answered) return false;
      this.#answered({ code: String(message.code), message: String(message.message ?? "") });
      return true;
    }
    if (message.connection !== this.name) return false;
    switch (message.type) {
      case "media_answer":
        this.#answered?.({ sdp: String(message.sdp) });
        break;
      case "media_wanted":
        this.#wanted = /** @type {Record<string, boolean[]>} */ (message.encodings ?? {});
        void this.#applyWanted();
        break;
      case "media_closed":
        if (message.reason === "restart" && this.#renewalWait === FIRST_RENEWAL) this.ended(Math.random() * LONGEST_RESTART);
        else if (message.reason !== "replaced" && message.reason !== "topology") this.ended();
        break;
    }
    return true;
  }

  #connect() {
    this.generation += 1;
    this.name = randomWord();
    this.#told = "";
    this.#wanted = {};
    this.#receiving = [];
    const connection = new RTCPeerConnection(this.configuration());
    const tracks = this.sends ? this.tracks() : {};
    const sending = /** @type {Record<Slot, RTCRtpTransceiver>} */ ({});
    for (const { slot, kind } of this.sends ? SLOTS : []) {
      const sendEncodings = slot === "camera" ? cameraEncodings(this.codec) : slot === "screen" ? screenEncodings() : undefined;
      const transceiver = connection.addTransceiver(tracks[slot] ?? kind, { direction: "sendonly", ...(sendEncodings ? { sendEncodings } : {}) });
      if (kind === "video") preferCodec(transceiver, this.codec);
      this.sealed?.seal(transceiver.sender, kind === "video" ? `video/${this.codec}` : "audio/opus");
      sending[slot] = transceiver;
    }
    connection.onconnectionstatechange = () => {
      if (this.connection !== connection) return;
      this.#watchState();
      this.emit("change", null);
    };
    this.#addSections(connection);
    return { connection, sending };
  }

  #drop() {
    clearTimeout(this.#recoveryTimer);
    clearTimeout(this.#wishTimer);
    this.#wishTimer = undefined;
    this.connection.onconnectionstatechange = null;
    this.connection.close();
    this.#answered?.(null);
  }

  #watchState() {
    clearTimeout(this.#recoveryTimer);
    const { connection } = this;
    const later = (/** @type {number} */ wait, /** @type {() => void} */ act) => {
      this.#recoveryTimer = setTimeout(() => this.connection === connection && !this.closed && act(), wait);
    };
    switch (this.state) {
      case "connected":
        this.#renewalWait = FIRST_RENEWAL;
        break;
      case "disconnected":
        later(DISCONNECTED_PATIENCE, () => {
          void this.restartIce();
          later(RESTART_PATIENCE, () => this.renew());
        });
        break;
      case "failed":
        later(this.#renewalWait, () => this.renew());
        break;
    }
  }

  /** Adds the sections of seats that are new. @param {RTCPeerConnection} connection */
  #addSections(connection) {
    while (this.#receiving.length < this.seats.count) {
      const audio = connection.addTransceiver("audio", { direction: "recvonly" });
      const video = connection.addTransceiver("video", { direction: "recvonly" });
      preferSeatCodecs(audio, "audio");
      preferSeatCodecs(video, "video");
      this.sealed?.open(audio.receiver, "audio/opus");
      this.sealed?.open(video.receiver, `video/${this.codec}`);
      this.#receiving.push({ audio, video });
    }
  }

  async #negotiate() {
    if (this.closed) return;
    this.#again = true;
    if (this.#negotiating) return;
    this.#negotiating = true;
    const { connection } = this;
    try {
      while (this.#again && !this.closed && this.connection === connection) {
        this.#again = false;
        this.#addSections(connection);
        await connection.setLocalDescription();
        const outcome = await this.#ask();
        if (this.connection !== connection || this.closed) break;
        if (outcome === null) throw new Error("the server does not answer");
        if ("code" in outcome) {
          this.emit("refused", outcome);
          throw new Error(outcome.message);
        }
        await connection.setRemoteDescription({ type: "answer", sdp: outcome.sdp });
        this.negotiations += 1;
        this.emit("taken", null);
        this.#told = "";
        this.#tellWishes();
        void this.#applyWanted();
        this.emit("receivers", null);
      }
    } catch (error) {
      if (!this.closed && this.connection === connection) {
        console.warn("through the server:", error);
        this.ended();
      }
    } finally {
      this.#sayOffered();
      this.#negotiating = false;
      // A fresh connection came meanwhile.
      if (this.connection !== connection && !this.closed) void this.#negotiate();
    }
  }

  /** Sends our offer; what came back, null for nothing. */
  #ask() {
    /** @type {Record<string, Slot>} */
    const publish = {};
    for (const [slot, { mid }] of Object.entries(this.#sending)) if (mid !== null) publish[mid] = /** @type {Slot} */ (slot);
    const seats = this.#receiving.map(({ audio, video }) => [audio.mid, video.mid]);
    const sdp = this.connection.localDescription?.sdp ?? "";
    const { name } = this;
    return /** @type {Promise<{ sdp: string } | Refusal | null>} */ (
      new Promise((resolve) => {
        const timer = setTimeout(() => finish(null), ANSWER_PATIENCE);
        /** @param {{ sdp: string } | Refusal | null} outcome */
        const finish = (outcome) => {
          clearTimeout(timer);
          if (this.#answered === finish) this.#answered = null;
          resolve(outcome);
        };
        this.#answered = finish;
        this.#offerId = this.sendMessage({ type: "media_offer", connection: name, sdp, publish, seats });
        this.#sayOffered();
      })
    );
  }

  #tellWishes() {
    clearTimeout(this.#wishTimer);
    this.#wishTimer = undefined;
    if (this.closed || this.connection.remoteDescription === null) return;
    const slots = [];
    for (const [seat, pair] of this.#receiving.entries()) {
      for (const kind of /** @type {const} */ (["audio", "video"])) {
        const { mid, currentDirection } = pair[kind];
        if (mid === null || currentDirection !== "recvonly") continue;
        const id = this.seats.at(seat, kind);
        const wish = id === null ? undefined : this.#wishes.get(id);
        const { width, height, paused, priority } = wish ?? {};
        slots.push({ mid, publication: wish ? id : null, width, height, paused, priority });
      }
    }
    const told = JSON.stringify(slots);
    if (told === this.#told) return;
    this.#told = told;
    this.sendMessage({ type: "media_watch", connection: this.name, slots });
  }

  /** One change after the other: a browser refuses parameters that were read before the last change was done. */
  async #applyWanted() {
    this.#wantedIsNew = true;
    if (this.#applying) return;
    this.#applying = true;
    const { connection } = this;
    let failed = false;
    while (this.#wantedIsNew && this.connection === connection && !this.closed) {
      this.#wantedIsNew = failed = false;
      for (const { mid, sender } of Object.values(this.#sending)) {
        const wanted = mid === null ? undefined : this.#wanted[mid];
        if (wanted && !(await sendWanted(sender, wanted))) failed = true;
      }
    }
    this.#applying = false;
    if ((failed || this.connection !== connection) && !this.closed) setTimeout(() => void this.#applyWanted(), WANTED_AGAIN);
  }

  /** What of our pictures is watched: by slot, lowest quality first. @returns {Partial<Record<Slot, boolean[]>>} */
  get wanted() {
    /** @type {Partial<Record<Slot, boolean[]>>} */
    const found = {};
    for (const [slot, { mid }] of Object.entries(this.#sending)) {
      const wanted = mid === null ? undefined : this.#wanted[mid];
      if (wanted) found[/** @type {Slot} */ (slot)] = wanted;
    }
    return found;
  }
}

/**
 * @param {RTCRtpTransceiver} transceiver
 * @param {string} codec
 */
function preferCodec(transceiver, codec) {
  const all = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
  const chosen = onlyCodec(all, codec);
  if (chosen.length === 0) return;
  try {
    transceiver.setCodecPreferences(chosen);
  } catch {
    // Older browsers have no choice; the server takes what comes first.
  }
}

/**
 * @param {RTCRtpTransceiver} transceiver
 * @param {Kind} kind
 */
function preferSeatCodecs(transceiver, kind) {
  const chosen = seatCodecs(RTCRtpReceiver.getCapabilities(kind)?.codecs ?? []);
  try {
    if (chosen.length > 0) transceiver.setCodecPreferences(chosen);
  } catch {
    // Older browsers have no choice: their descriptions are longer.
  }
}
