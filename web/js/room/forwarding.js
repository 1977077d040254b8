/**
 * Which way a room's media go: directly between browsers, or through the server (docs/signaling.md, "Through the server").
 *
 * The server says what the room does, and everybody changes over person by person, make before break: what is shown and
 * heard of somebody comes the old way until it comes the new way, too. Who receives says which way they take it, so that
 * nobody sends what nobody takes.
 */
import { Emitter } from "../emitter.js";
import { Forwarder } from "../forwarder.js";

/** @typedef {import("../forwarder.js").Wish} Wish */
/** @typedef {import("../forwarder/seats.js").Publication} Publication */
/** @typedef {import("../peer.js").PeerLink} PeerLink */
/** @typedef {import("../peer/slots.js").Slot} Slot */
/** @typedef {import("../room.js").Room} Room */
/** @typedef {import("../signaling/counters.js").Message} Message */
/** @typedef {{ mode: "p2p" | "sfu", policy: "auto" | "p2p" | "sfu" }} Topology */

/**
 * What of a publication comes, and what keeps a better one away.
 *
 * @typedef {object} Layer
 * @property {number | null} encoding which of the sender's sizes, 0 is the smallest; null: nothing comes
 * @property {number} [spatial]
 * @property {number} [temporal]
 * @property {number} [bitrate] bit/s that it takes
 * @property {"wish" | "bandwidth" | "source"} why
 */

/** @typedef {{ width: number, height: number } | null} Shown  device pixels; null: it is not to be seen */

/** In the place of a program's id, which it has not. */
export const PROGRAM = "program";

/** How often a change of way is looked after, ms. */
const STEP = 100;
/** Our connection to the server may be away for so long before we take directly what can be had directly, ms. */
const AWAY_PATIENCE = 3_000;
/** Whoever waits for the other side to connect does it themselves then, ms. */
const WAKE_PATIENCE = 3_000;
/** The server leaves out who is quieter than others: their sound is waited for no longer than this, ms. */
const VOICE_PATIENCE = 1_000;
/** Once all is direct, others may still be changing over, ms. */
const LINGER = 8_000;

/** @extends {Emitter<{ change: null }>} */
export class Forwarding extends Emitter {
  /** @type {Topology | null} null: this server forwards no media */
  topology = null;
  /** @type {Forwarder | null} */
  forwarder = null;
  /** Made before it is known whether the room needs one. @type {Forwarder | null} */
  #prepared = null;
  /** @type {Map<string, Layer>} by publication */
  layers = new Map();
  /** What our way from the server carries, as far as it knows. @type {number | null} bit/s */
  estimate = null;
  /** Why the server forwards nothing of ours, while we keep trying. @type {import("../forwarder.js").Refusal | null} */
  refusal = null;
  /** Who speaks, as far as the server knows. @type {string | null} */
  speaker = null;
  /** @type {Publication[]} */
  #publications = [];
  /** How large each person's pictures are shown: `peer/camera` or `peer/screen`. @type {Map<string, Shown>} */
  #shown = new Map();
  /** The best that is wanted of any picture. @type {number} lines */
  #most = Infinity;
  /** Counts at the beginning of a change, and when that was, by receiver. @type {WeakMap<RTCRtpReceiver, { count: number, time: number }>} */
  #before = new WeakMap();
  /** When each person's change began. @type {Map<string, number>} */
  #since = new Map();
  #stepping = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #lingering;
  /** Since when our connection to the server is not there. @type {number | null} */
  #awaySince = null;
  /** How many others the server told of when we joined. */
  #expected = 0;
  #room;
  #options;

  /**
   * @param {Room} room
   * @param {object} options
   * @param {() => RTCConfiguration} options.configuration
   * @param {() => Promise<void>} options.refreshServers
   * @param {() => boolean} options.sends whether we send anything at all
   * @param {string} options.codec of our pictures
   * @param {() => import("../sframe/ends.js").Ends | null} options.sealed
   */
  constructor(room, options) {
    super();
    this.#room = room;
    this.#options = options;
  }

  get mode() {
    return this.topology?.mode ?? "p2p";
  }

  /** Once what has to be told of a new connection to the server is told, if there is one. */
  get offered() {
    return this.forwarder?.offered ?? Promise.resolve();
  }

  /** Makes our connection to the server while there is time for it, so that it can be offered as soon as we are in. */
  prepare() {
    if (!this.#room.joined) this.#prepared ??= this.#make();
  }

  /** Asks for another way of the room. @param {Topology["policy"]} policy */
  choose(policy) {
    this.#room.signaling.send({ type: "topology", policy });
  }

  /** @param {Topology | undefined} topology @param {Pick<import("../types.js").Joined, "resumed" | "peers">} session */
  joined(topology, { resumed, peers }) {
    this.#expected = peers.length;
    const { policy } = this.topology ?? {};
    // A server that was restarted has forgotten what was chosen.
    if (!resumed && topology?.policy === "auto" && policy && policy !== "auto") this.choose(policy);
    this.#publications = resumed ? this.#publications : [];
    if (!resumed && this.forwarder) {
      // To the server we are somebody new: it knows nothing of our connection.
      this.forwarder.renew();
      this.layers.clear();
    }
    this.#setTopology(topology ?? null);
  }

  /** @param {Message} message @returns {boolean} whether it was about this */
  handle(message) {
    switch (message.type) {
      case "topology":
        this.#setTopology(/** @type {Topology} */ (/** @type {unknown} */ (message)));
        return true;
      case "media_publications":
        this.#publications = /** @type {Publication[]} */ (message.publications ?? []);
        for (const id of this.layers.keys()) if (!this.#publications.some((one) => one.id === id)) this.layers.delete(id);
        this.update();
        return true;
      case "media_layers":
        if (message.connection === this.forwarder?.name) this.#noteLayers(message);
        return true;
      case "media_speaker":
        this.speaker = typeof message.peer === "string" ? message.peer : null;
        this.emit("change", null);
        return true;
      case "media_answer":
      case "media_wanted":
      case "media_closed":
        this.forwarder?.handle(message);
        this.emit("change", null);
        return true;
      case "error":
        return this.forwarder?.handle(message) ?? false;
    }
    return false;
  }

  /** @param {Map<string, Shown>} shown what is not named is not to be seen */
  show(shown) {
    this.#shown = shown;
    this.#tellWishes();
  }

  /** @param {number} lines the best that is wanted of any picture; 0: no pictures */
  limit(lines) {
    this.#most = lines;
    this.#tellWishes();
  }

  /** Our own tracks have changed. */
  updateTracks() {
    void this.forwarder?.updateTracks();
  }

  networkChanged() {
    void this.forwarder?.restartIce();
  }

  close() {
    clearInterval(this.#timer);
    clearTimeout(this.#lingering);
    this.#timer = undefined;
    this.forwarder?.close();
    this.#prepared?.close();
    this.forwarder = this.#prepared = this.refusal = null;
  }

  /** People, what they send, or what we have of it may have changed. */
  update() {
    const { forwarder } = this;
    this.#meetPrograms();
    if (!forwarder && this.mode === "p2p") return;
    if (forwarder?.state === "connected") this.#awaySince = null;
    else this.#awaySince ??= performance.now();
    this.#tellWishes();
    this.#hand();
    const changing = this.#links.some((link) => link.via !== this.#target(link));
    if (changing || this.#awaySince !== null) this.#timer ??= setInterval(() => void this.#step(), STEP);
    else this.#rest();
    this.emit("change", null);
  }

  /** @param {PeerLink} link what we get of their pictures through the server @returns {Layer | null} */
  layerOf(link) {
    if (link.via !== "server") return null;
    const camera = this.#publications.find(({ peer, source }) => (peer ?? PROGRAM) === link.id && source === "camera");
    return (camera && this.layers.get(camera.id)) ?? null;
  }

  /** What a program streams into the room is shown as a person's. */
  #meetPrograms() {
    const sources = new Set(this.#publications.filter(({ peer }) => peer === null).map(({ source }) => source));
    const streams = sources.size > 0 && this.mode === "sfu";
    this.#room.meetProgram(streams ? { mic: sources.has("mic"), camera: sources.has("camera"), screen: sources.has("screen") } : null);
  }

  get #links() {
    return [...this.#room.peers.values()];
  }

  /**
   * Which way somebody's media are to come: in a forwarded room through the server, and past one that is away where that
   * can be.
   *
   * @param {PeerLink} link
   * @returns {"direct" | "server"}
   */
  #target(link) {
    if (link.id === PROGRAM) return "server";
    if (this.mode === "p2p") return "direct";
    const away = this.#awaySince !== null && performance.now() - this.#awaySince > AWAY_PATIENCE;
    return away && link.directState === "connected" ? "direct" : "server";
  }

  /** @param {Topology | null} topology */
  #setTopology(topology) {
    const before = this.mode;
    this.topology = topology && { mode: topology.mode, policy: topology.policy };
    if (this.mode === "sfu") {
      clearTimeout(this.#lingering);
      this.#lingering = undefined;
      this.#connect();
    }
    this.#prepared?.close();
    this.#prepared = null;
    if (before !== this.mode) {
      this.#since.clear();
      for (const link of this.#links) if (link.via !== this.#target(link)) this.#begin(link);
    }
    this.update();
    this.emit("change", null);
  }

  #connect() {
    if (this.forwarder) return;
    this.forwarder = this.#prepared ?? this.#make();
    this.#prepared = null;
    this.forwarder.begin(Math.max(this.#links.length, this.#expected));
  }

  /** @param {import("../forwarder.js").Refusal | null} refusal */
  #noteRefusal(refusal) {
    // Where the room has just gone the other way, that is no news.
    this.refusal = refusal?.code === "not_permitted" ? null : refusal;
    this.emit("change", null);
  }

  #make() {
    const { configuration, refreshServers, sends, codec, sealed } = this.#options;
    const forwarder = new Forwarder({
      configuration,
      refreshServers,
      send: (message) => this.#room.signaling.request(message),
      tracks: () => this.#room.tracks,
      sends: sends(),
      codec,
      sealed: sealed(),
    });
    forwarder.on("change", () => this.update());
    forwarder.on("receivers", () => this.#hand());
    forwarder.on("refused", (refusal) => this.#noteRefusal(refusal));
    forwarder.on("taken", () => this.#noteRefusal(null));
    return forwarder;
  }

  /** A person's change of way begins. @param {PeerLink} link */
  #begin(link) {
    this.#since.set(link.id, performance.now());
    if (this.#target(link) === "server") return;
    if (link.initiator) link.wake();
    link.sendVia("direct");
  }

  /** @param {PeerLink} link @returns {[Slot, Publication][]} what they send through the server */
  #of(link) {
    return this.#publications.filter(({ peer }) => (peer ?? PROGRAM) === link.id).map((one) => [one.source, one]);
  }

  #tellWishes() {
    if (!this.forwarder) return;
    /** @type {Wish[]} */
    const wishes = [];
    for (const link of this.#links) {
      if (this.mode === "p2p" && link.via === "direct") continue;
      for (const [slot, publication] of this.#of(link)) {
        if (!isSent(link, slot)) continue;
        wishes.push({ publication, ...this.#size(link, slot) });
      }
    }
    this.forwarder.watch(wishes);
  }

  /** @param {PeerLink} link @param {Slot} slot @returns {Partial<Wish>} */
  #size(link, slot) {
    if (slot === "mic" || slot === "sound") return { priority: 0 };
    const priority = slot === "screen" ? 2 : 1;
    const shown = this.#shown.get(`${link.id}/${slot}`);
    // Before the first layout nothing is known; later, what is not laid out is not seen.
    if (this.#most === 0 || shown === null || (shown === undefined && this.#shown.size > 0)) return { paused: true, priority };
    if (!shown) return { width: 320, height: 180, priority };
    const scale = slot === "screen" ? 1 : Math.min(1, this.#most / Math.max(1, shown.height));
    // Small changes of a window are no other wish; but what a person allows at most is not gone beyond.
    const rounded = (/** @type {number} */ pixels) => (scale < 1 ? Math.floor(pixels * scale) : Math.ceil(pixels / 16) * 16);
    return { width: rounded(shown.width), height: rounded(shown.height), priority };
  }

  /** Gives each person what comes in for them. */
  #hand() {
    const { forwarder } = this;
    for (const link of this.#links) {
      if (!forwarder) {
        link.forwarded = null;
        continue;
      }
      /** @type {Partial<Record<Slot, RTCRtpReceiver>>} */
      const receivers = {};
      for (const [slot, { id }] of this.#of(link)) {
        const receiver = forwarder.receiverOf(id);
        if (receiver) receivers[slot] = receiver;
      }
      const before = link.forwarded;
      const { state } = forwarder;
      link.forwarded = { state, receivers };
      const same = before !== null && before.state === state && SLOT_NAMES.every((slot) => before.receivers[slot] === receivers[slot]);
      if (!same && link.via === "server") {
        link.emit("tracks", null);
        link.emit("change", null);
      }
    }
  }

  /** @param {Message} message */
  #noteLayers({ slots, estimate }) {
    this.estimate = typeof estimate === "number" ? estimate : null;
    for (const { publication, encoding, spatial, temporal, bitrate, why } of /** @type {any[]} */ (slots ?? [])) {
      if (typeof publication === "string") this.layers.set(publication, { encoding: encoding ?? null, spatial, temporal, bitrate, why });
    }
    this.emit("change", null);
  }

  async #step() {
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (const link of this.#links) {
        const target = this.#target(link);
        if (link.via === target) continue;
        if (!this.#since.has(link.id)) this.#begin(link);
        if (target === "direct" && performance.now() - (this.#since.get(link.id) ?? 0) > WAKE_PATIENCE) link.wake();
        if (!(await this.#arrives(link, target)) || target !== this.#target(link)) continue;
        this.#since.delete(link.id);
        link.take(target);
      }
      this.update();
    } finally {
      this.#stepping = false;
    }
  }

  /**
   * Whether what somebody sends comes that way.
   *
   * @param {PeerLink} link
   * @param {"direct" | "server"} via
   */
  async #arrives(link, via) {
    const receivers = via === "server" ? (link.forwarded?.receivers ?? {}) : receiversOf(link);
    const state = via === "server" ? link.forwarded?.state : link.directState;
    if (state !== "connected") return false;
    for (const slot of /** @type {const} */ (["mic", "camera", "screen"])) {
      if (!link.remote[slot]) continue;
      const receiver = receivers[slot];
      if (!receiver) return false;
      const count = await arrived(receiver);
      const before = this.#before.get(receiver) ?? { count, time: performance.now() };
      this.#before.set(receiver, before);
      const mayBeLeftOut = via === "server" && slot === "mic" && performance.now() - before.time > VOICE_PATIENCE;
      if (count <= before.count && !mayBeLeftOut) return false;
    }
    for (const receiver of Object.values(receivers)) this.#before.delete(receiver);
    return true;
  }

  /** Nobody is changing over. */
  #rest() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.mode === "sfu" || this.#lingering !== undefined) return;
    this.#lingering = setTimeout(() => {
      this.#lingering = undefined;
      if (this.mode === "sfu" || this.#links.some(({ via }) => via === "server")) return;
      this.close();
      this.#hand();
      this.layers.clear();
      this.emit("change", null);
    }, LINGER);
  }
}

const SLOT_NAMES = /** @type {const} */ (["mic", "camera", "screen", "sound"]);

/** Whether there is anything to watch. @param {PeerLink} link @param {Slot} slot */
function isSent(link, slot) {
  if (slot === "mic") return true;
  return slot === "camera" ? link.remote.camera : link.remote.screen;
}

/** @param {PeerLink} link @returns {Partial<Record<Slot, RTCRtpReceiver>>} */
function receiversOf(link) {
  return Object.fromEntries(Object.entries(link.transceivers).map(([slot, { receiver }]) => [slot, receiver]));
}

/** Pictures decoded, or packets of sound. @param {RTCRtpReceiver} receiver */
async function arrived(receiver) {
  let count = 0;
  (await receiver.getStats()).forEach((stats) => {
    if (stats.type !== "inbound-rtp") return;
    count += stats.kind === "video" ? (stats.framesDecoded ?? 0) : (stats.packetsReceived ?? 0);
  });
  return count;
}
