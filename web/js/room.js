/**
 * Everybody in one room: the signaling session, a `PeerLink` for each other person, chat, and what we send.
 *
 * Where the server's view and ours differ, connected people win: a link that carries a call is kept, whatever the
 * server forgot.
 */
import { Emitter } from "./emitter.js";
import { Signaling, signalingUrl } from "./signaling.js";
import { PeerLink } from "./peer.js";
import { videoBudget } from "./peer/budget.js";
import { CHAT_LIMIT, isSignalData } from "./peer/control.js";
import { Forwarding, PROGRAM } from "./room/forwarding.js";
import { Ends } from "./sframe/ends.js";

/** @typedef {import("./code.js").Keys} Keys */

/** @typedef {import("./types.js").JoinRequest} JoinRequest */
/** @typedef {import("./types.js").Joined} Joined */
/** @typedef {import("./types.js").MediaState} MediaState */
/** @typedef {import("./types.js").PeerInfo} PeerInfo */
/** @typedef {import("./types.js").SignalData} SignalData */
/** @typedef {import("./peer/slots.js").Slot} Slot */
/** @typedef {import("./peer/slots.js").MediaDirection} MediaDirection */

/** In the place of a receiver's id: sealed for all who have the code. */
const EVERYBODY = "everybody";
/** What the server is told we are called where it is not to know. */
const NOBODY = "Guest";
/** ms */
const INVITATION_PATIENCE = 3_000;

/**
 * @typedef {{
 *   change: null,
 *   joined: Joined,
 *   waiting: number,
 *   "peer-added": PeerLink,
 *   "peer-removed": PeerLink,
 *   chat: { from: string, name: string, text: string },
 *   refused: { code: string, message: string },
 *   "taken-over": null,
 *   audience: number,
 *   tampered: null,
 * }} RoomEvents
 *
 * `tampered`: what came through the server was not sealed with our code; we have left.
 */

/** @extends {Emitter<RoomEvents>} */
export class Room extends Emitter {
  /** @type {Map<string, PeerLink>} */
  peers = new Map();
  /** @type {Joined | null} */
  joined = null;
  audience = 0;
  left = false;
  name = "";
  /** Whether ours is raised. */
  hand = false;
  /** @type {Partial<Record<Slot, MediaStreamTrack | null>>} */
  tracks = {};
  /** Encrypts what the server forwards from end to end. @type {Ends | null} */
  ends;
  counters = { signalsSent: 0, signalsReceived: 0, negotiations: 0, iceRestarts: 0, channelMessagesSent: 0, channelMessagesReceived: 0 };
  /** @type {RTCIceServer[]} */
  #iceServers = [];
  /** @type {string | null} */
  #selfBefore = null;
  /** Sealing takes a moment; the order stays. @type {Promise<void>} */
  #sealing = Promise.resolve();
  /** @type {Promise<void>} */
  #opening = Promise.resolve();
  /** What the server knows of our state. */
  #told = "";

  /**
   * @param {object} [options]
   * @param {boolean} [options.relayOnly]
   * @param {Keys | null} [options.keys] seals what goes through the server
   * @param {(role: "streamer" | "viewer" | undefined) => MediaDirection} [options.media] by our role
   * @param {string} [options.codec] of our pictures, through the server
   * @param {boolean} [options.drop] whoever has the code is as good as anybody else who has it
   */
  constructor({ relayOnly = false, keys = null, media = () => "both", codec = "vp8", drop = false } = {}) {
    super();
    this.keys = keys;
    this.isDrop = drop;
    this.ends = keys && !drop ? new Ends(keys.media) : null;
    this.relayOnly = relayOnly;
    this.media = media;
    this.forwarding = new Forwarding(this, {
      configuration: () => this.#configuration(),
      refreshServers: () => this.#refreshServers(),
      sends: () => ["both", "send"].includes(this.media(this.joined?.role)),
      // AV1's packets are cut at what only the plain frame shows.
      codec: keys && codec === "av1" ? "vp8" : codec,
      sealed: () => this.ends,
    });
    this.forwarding.on("change", () => this.emit("change", null));
    // What is sealed cannot be so before we know who we are.
    this.signaling = new Signaling({ url: signalingUrl(location), presence: () => (this.keys ? undefined : { ...this.state }) });
    this.signaling.on("state", () => this.emit("change", null));
    this.signaling.on("joined", (joined) => this.#handleJoined(joined));
    this.signaling.on("message", (message) => this.#handleMessage(message));
    this.signaling.on("refused", (refusal) => this.emit("refused", refusal));
    this.signaling.on("lost", () => this.emit("change", null));
    this.signaling.on("taken_over", () => this.emit("taken-over", null));
    watchNetwork(() => this.#networkChanged());
    addEventListener("pagehide", () => this.leave());
    // Brought back by the back button: everything of it has been closed.
    addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
  }

  /** What we send now, for the others to show. @returns {MediaState} */
  get state() {
    const { mic, camera, screen } = this.tracks;
    return { mic: Boolean(mic?.enabled), camera: Boolean(camera?.enabled), screen: Boolean(screen), hand: this.hand };
  }

  /** Raises our hand, or takes it down. @param {boolean} up */
  raiseHand(up) {
    this.hand = up;
    for (const peer of this.peers.values()) peer.sendState();
    this.#tellPresence();
    this.emit("change", null);
  }

  /** Why we are not in, while the page keeps trying. @returns {"server-gone" | "server-full" | null} */
  get trouble() {
    if (this.left || this.joined !== null || this.signaling.failures === 0) return null;
    return this.signaling.full ? "server-full" : "server-gone";
  }

  get self() {
    return this.joined?.peer ?? null;
  }

  /** @param {JoinRequest} request */
  join(request) {
    this.name = request.name;
    this.signaling.join(this.keys ? { ...request, name: NOBODY } : request);
  }

  /** The connected hear of it at once. @param {string} name */
  rename(name) {
    this.name = name;
    for (const peer of this.peers.values()) peer.sendState();
    this.#tellPresence();
  }

  leave() {
    if (this.left) return;
    this.left = true;
    for (const peer of [...this.peers.values()]) peer.close({ bye: true });
    this.forwarding.close();
    this.ends?.close();
    this.signaling.leave();
    this.emit("change", null);
  }

  /** A signed invitation, which opens a locked room. @returns {Promise<string | null>} null if the server gives none */
  invite() {
    return new Promise((resolve) => {
      const stop = this.signaling.on("message", ({ type, invitation }) => {
        if (type === "invitation") finish(String(invitation));
      });
      const timer = setTimeout(() => finish(null), INVITATION_PATIENCE);
      /** @param {string | null} invitation */
      const finish = (invitation) => {
        clearTimeout(timer);
        stop();
        resolve(invitation);
      };
      this.signaling.send({ type: "invite" });
    });
  }

  /** Lobby: on to the next person. */
  next() {
    for (const peer of [...this.peers.values()]) peer.close({ bye: true });
    this.signaling.send({ type: "next" });
  }

  /** @param {Partial<Record<Slot, MediaStreamTrack | null>>} tracks */
  setTracks(tracks) {
    Object.assign(this.tracks, tracks);
    for (const peer of this.peers.values()) void peer.updateTracks();
    this.forwarding.updateTracks();
    this.#tellPresence();
    this.emit("change", null);
  }

  /**
   * Whoever is connected gets it directly, the others through the server. In a live room the streamer, whom everybody
   * is connected to, passes it on. Where the server forwards media, it forwards words as well.
   *
   * @param {string} typed
   */
  sendChat(typed) {
    const text = typed.trim().slice(0, CHAT_LIMIT);
    if (text === "") return false;
    if (this.forwarding.mode === "sfu" && !this.keys && this.signaling.connected) {
      this.signaling.send({ type: "chat", text });
      return true;
    }
    for (const peer of this.peers.values()) {
      // What is sealed goes directly or not at all.
      if (!peer.send({ type: "chat", text }) && !this.keys) this.signaling.send({ type: "chat", text, to: peer.id });
    }
    return true;
  }

  /** @param {Joined} joined */
  #handleJoined(joined) {
    const before = this.#selfBefore;
    this.#selfBefore = joined.peer;
    this.joined = joined;
    if (before && before !== joined.peer) {
      // The server does not know our token: to everyone we are somebody new, and they may be to us.
      for (const link of [...this.peers.values()]) link.close({ bye: true });
    }
    this.audience = joined.audience ?? 0;
    this.#iceServers = joined.ice_servers;
    // Where it is sealed, it was not in what we joined with.
    this.#told = this.keys ? "" : JSON.stringify(this.state);
    // Before people are met: whether they are connected to depends on it.
    this.forwarding.joined(joined.topology, joined);
    const listed = new Set(joined.peers.map((peer) => peer.id));
    for (const link of [...this.peers.values()]) {
      if (listed.has(link.id) || link.id === PROGRAM) continue;
      if (joined.kind === "lobby") link.close();
      else link.setListed(false);
    }
    for (const info of joined.peers) {
      const link = this.peers.get(info.id);
      if (!link) {
        this.#add(info);
      } else {
        link.setListed(true);
        if (!joined.resumed) link.signalingReturned();
      }
    }
    this.#tellPresence();
    this.forwarding.update();
    this.emit("joined", joined);
    this.emit("change", null);
  }

  /** @param {import("./signaling/counters.js").Message} message */
  #handleMessage(message) {
    if (this.forwarding.handle(message)) return;
    switch (message.type) {
      case "peer_joined": {
        const info = /** @type {PeerInfo} */ (message.peer);
        const link = this.peers.get(info.id);
        if (link) {
          link.setListed(true);
          link.signalingReturned();
        } else {
          this.#add(info);
        }
        break;
      }
      case "presence":
        this.#notePresence(String(message.from), message.state);
        break;
      case "peer_left":
        this.#peerLeft(String(message.peer), String(message.reason));
        break;
      case "signal": {
        this.counters.signalsReceived += 1;
        this.#signaled(String(message.from), message.data);
        break;
      }
      case "chat": {
        const from = String(message.from);
        const text = String(message.text);
        const link = this.peers.get(from);
        if (link) this.#chatFrom(link, text);
        else this.emit("chat", { from, name: String(message.name ?? "Someone"), text });
        break;
      }
      case "audience":
        this.audience = Number(message.viewers) || 0;
        this.emit("audience", this.audience);
        break;
      case "waiting":
        this.joined = null;
        for (const link of [...this.peers.values()]) link.close();
        this.emit("waiting", Number(message.people) || 1);
        break;
    }
    this.forwarding.update();
    this.emit("change", null);
  }

  /**
   * @param {string} id
   * @param {string} reason
   */
  #peerLeft(id, reason) {
    const link = this.peers.get(id);
    if (!link) return;
    const connected = link.directState === "connected";
    // Someone whose own line to the server broke is still in the call. Where all is sealed, the server has no say in it.
    if (connected && (this.keys || reason === "lost" || reason === "dropped")) link.setListed(false);
    else link.close();
  }

  /** @param {import("./types.js").MediaState | null} state what a program sends into the room; null: there is none */
  meetProgram(state) {
    const link = this.peers.get(PROGRAM);
    if (!state) link?.close();
    else if (link) link.noteState(state);
    else this.#add({ id: PROGRAM, name: "Live stream", presence: { ...state } });
  }

  /** @param {PeerInfo} info */
  #add(info) {
    if (!this.self || info.id === this.self) return;
    // What a program sends is told by its publications.
    const sealed = this.keys !== null && info.id !== PROGRAM;
    const link = new PeerLink({
      self: this.self,
      // What is not sealed is nobody's whom we know.
      info: sealed ? { ...info, presence: undefined } : info,
      media: this.media(this.joined?.role),
      configuration: () => this.#configuration(),
      refreshServers: () => this.#refreshServers(),
      signal: (data, queue) => this.#signal(info.id, data, queue),
      tracks: () => this.tracks,
      state: () => ({ ...this.state, name: this.name || undefined }),
      forwarded: this.forwarding.mode === "sfu",
      sealed: this.keys !== null,
    });
    this.peers.set(info.id, link);
    link.on("change", () => {
      this.forwarding.update();
      this.emit("change", null);
    });
    link.on("open", () => this.#shareUplink());
    link.on("chat", ({ text, author }) => this.#chatFrom(link, text, author));
    link.on("gone", () => {
      this.peers.delete(link.id);
      this.counters.iceRestarts += link.restarts;
      this.counters.negotiations += link.negotiations;
      this.#shareUplink();
      this.forwarding.update();
      this.emit("peer-removed", link);
      this.emit("change", null);
    });
    if (sealed && info.presence) this.#notePresence(info.id, info.presence);
    this.emit("peer-added", link);
  }

  /**
   * @param {PeerLink} link
   * @param {string} text
   * @param {string} [author] whose words a streamer passes on
   */
  #chatFrom(link, text, author) {
    const live = this.joined?.kind === "live";
    if (live && this.joined?.role === "streamer" && this.forwarding.mode === "p2p") {
      for (const other of this.peers.values()) {
        if (other !== link) other.send({ type: "chat", text, author: link.name });
      }
    }
    if (live && link.info.role === "streamer" && author) this.emit("chat", { from: `viewer ${author}`, name: author, text });
    else this.emit("chat", { from: link.id, name: link.name, text });
  }

  #shareUplink() {
    const budget = videoBudget(this.peers.size);
    for (const link of this.peers.values()) void link.limitVideo(budget);
  }

  /** Totals, those of people who have left included. */
  totals() {
    const totals = { ...this.counters };
    for (const link of this.peers.values()) {
      totals.iceRestarts += link.restarts;
      totals.negotiations += link.negotiations;
      totals.channelMessagesSent += link.sentMessages;
      totals.channelMessagesReceived += link.receivedMessages;
    }
    return totals;
  }

  /**
   * @param {string} to
   * @param {SignalData} data
   * @param {boolean} queue
   */
  #signal(to, data, queue) {
    if (!queue && !this.signaling.connected) return false;
    this.counters.signalsSent += 1;
    const { keys, self } = this;
    if (!keys) {
      this.signaling.send({ type: "signal", to, data });
    } else if (self) {
      this.#sealing = this.#sealing.then(async () => {
        this.signaling.send({ type: "signal", to, data: await keys.seal(self, to, data) });
      });
    }
    return true;
  }

  /**
   * @param {string} from
   * @param {unknown} data
   */
  #signaled(from, data) {
    const { keys, self } = this;
    if (!keys) {
      if (isSignalData(data)) this.peers.get(from)?.handleSignal(data);
      return;
    }
    const open = async () => {
      const link = this.peers.get(from);
      if (!link || !self || this.left) return;
      let opened;
      try {
        opened = await keys.open(from, self, data);
      } catch {
        // To a connection that stands, it is nothing.
        if (link.directState === "connected") return;
        this.leave();
        this.emit("tampered", null);
        return;
      }
      if (isSignalData(opened)) link.handleSignal(opened);
    };
    // A fault of our own is no sign of another's, and holds up nothing that comes after.
    this.#opening = this.#opening.then(open).catch(reportError);
  }

  /** @returns {RTCConfiguration} */
  #configuration() {
    return {
      iceServers: this.#iceServers,
      iceTransportPolicy: this.relayOnly ? "relay" : "all",
      bundlePolicy: "max-bundle",
    };
  }

  /** TURN credentials are short-lived: before an ICE restart get fresh ones, unless the server is away. */
  async #refreshServers() {
    try {
      const response = await fetch("/api/ice-servers", { signal: AbortSignal.timeout(2_000), cache: "no-store" });
      const { iceServers } = await response.json();
      if (response.ok && Array.isArray(iceServers)) this.#iceServers = iceServers;
    } catch {
      // The old ones may still be good.
    }
  }

  #networkChanged() {
    if (this.left) return;
    this.signaling.probe();
    this.forwarding.networkChanged();
    for (const link of this.peers.values()) void link.restartIce();
  }

  /** To those who hear it from nobody else. */
  #tellPresence() {
    const { keys, self, state } = this;
    const told = JSON.stringify(state);
    if (told === this.#told || !self || this.isDrop) return;
    this.#told = told;
    if (!keys) {
      this.signaling.send({ type: "presence", state: { ...state } });
      return;
    }
    this.#sealing = this.#sealing.then(async () => {
      this.signaling.send({ type: "presence", state: await keys.seal(self, EVERYBODY, state) });
    });
  }

  /**
   * @param {string} from
   * @param {unknown} state
   */
  #notePresence(from, state) {
    const note = (/** @type {unknown} */ told) => {
      const link = this.peers.get(from);
      // Whoever is connected has said it before.
      if (!link?.channelOpen) link?.noteState(told);
    };
    const { keys } = this;
    if (!keys) {
      note(state);
      return;
    }
    const open = async () => {
      // What does not open says nothing.
      note(await keys.open(from, EVERYBODY, state).catch(() => null));
      this.forwarding.update();
      this.emit("change", null);
    };
    this.#opening = this.#opening.then(open).catch(reportError);
  }
}

/** @param {() => void} changed called once per change, after it has settled */
function watchNetwork(changed) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let settling;
  let type = /** @type {any} */ (navigator).connection?.type;
  const note = () => {
    clearTimeout(settling);
    settling = setTimeout(changed, 500);
  };
  addEventListener("online", note);
  /** @type {any} */ (navigator).connection?.addEventListener?.("change", () => {
    // The event also fires when only the speed estimate moves.
    const now = /** @type {any} */ (navigator).connection.type;
    if (now !== type) note();
    type = now;
  });
}
