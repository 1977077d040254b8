/**
 * One other person: their peer connection, its control channel, their media, and its recovery.
 *
 * A `PeerLink` outlives its RTCPeerConnection: when one cannot be saved, both sides make a fresh one (`restart`) and
 * whoever holds the link only sees it reconnect. Every signal names the connections that it is from and for, so that
 * a message which crossed with a restart is recognised as stale.
 */
import { Emitter } from "./emitter.js";
import { Negotiation } from "./peer/negotiation.js";
import { limitSender } from "./peer/budget.js";
import { Recovery } from "./peer/recovery.js";
import { CONTROL_LABEL, CONTROL_STREAM, parseControl } from "./peer/control.js";
import { parseCandidate } from "./path.js";
import { SLOTS, transceiverDirection, transceiversBySlot } from "./peer/slots.js";
import { randomWord } from "./words.js";

/** @typedef {import("./types.js").SignalData} SignalData */
/** @typedef {import("./types.js").MediaState} MediaState */
/** @typedef {import("./types.js").PeerInfo} PeerInfo */
/** @typedef {import("./peer/slots.js").Slot} Slot */
/** @typedef {import("./peer/slots.js").MediaDirection} MediaDirection */
/** @typedef {import("./peer/control.js").ControlMessage} ControlMessage */
/** @typedef {import("./peer/control.js").FileMessage} FileMessage */

/** A connection whose server no longer lists the peer is dropped after that long without being connected, in ms. */
const UNLISTED_PATIENCE = 20_000;
/** ms */
const RENEWAL_WAIT = 1_500;
const LONGEST_RENEWAL_WAIT = 60_000;
/** An offer unanswered for so long is sent again, ms. */
const ANSWER_PATIENCE = 8_000;
/** The other side may have us make a fresh connection so often, ms: each costs us far more than it costs them to ask. */
const REPLACEMENT_SPACING = 500;
/** More candidates than that nobody has. */
const TOLD_CANDIDATES = 500;
/** Data channels that carry a file begin with this label. */
export const FILE_LABEL = "file/";

/**
 * @typedef {{
 *   change: null,
 *   tracks: null,
 *   open: null,
 *   chat: import("./peer/control.js").ChatMessage,
 *   file: FileMessage,
 *   channel: RTCDataChannel,
 *   gone: null,
 *   renewed: null,
 *   stuck: Gathered,
 * }} PeerEvents
 *
 * @typedef {{ relay: boolean, relayOffered: boolean }} Gathered  whether a relayed candidate was found, and whether the
 *   server has a relay at all
 *
 * `stuck`: no way through was found yet, with what was gathered; `open`: the control channel is usable; `gone`: this person has left and the link is closed.
 */

/**
 * A connection between the two browsers, and what belongs to it.
 *
 * @typedef {object} Direct
 * @property {RTCPeerConnection} connection
 * @property {RTCDataChannel} control
 * @property {Negotiation} negotiation
 * @property {Recovery} recovery
 */

/** @extends {Emitter<PeerEvents>} */
export class PeerLink extends Emitter {
  /** @type {MediaState} what the other side says it sends */
  remote = { mic: false, camera: false, screen: false, hand: false };
  /** Whether the server lists this peer now. */
  listed = true;
  restarts = 0;
  generation = 1;
  /** Finished negotiations of earlier connections. */
  #earlierNegotiations = 0;
  #everConnected = false;
  /** Whether we found a relayed candidate: for explaining a failure. */
  #relayFound = false;
  /** Types of the candidates that they told us of: see path.js. @type {Map<string, string>} */
  toldCandidates = new Map();
  sentMessages = 0;
  receivedMessages = 0;
  closed = false;
  /** Whether they left on purpose. */
  saidBye = false;
  /**
   * What of theirs comes through the server: the state of our connection to it, and where it comes in.
   * @type {{ state: RTCPeerConnectionState, receivers: Partial<Record<Slot, RTCRtpReceiver>> } | null}
   */
  forwarded = null;
  /** Which way we take what they send. @type {"direct" | "server"} */
  via;
  /** Whether they take ours from this connection. */
  takesDirectly;

  /** Null until somebody needs it. @type {Direct | null} */
  #direct = null;
  /** @type {string} */
  #connectionName = randomWord();
  /** @type {string | null} */
  #remoteName = null;
  /** When the other side last had us make a fresh connection. */
  #replacedAt = -Infinity;
  /** Which way we last asked for what they send. @type {"direct" | "server"} */
  #asked = "direct";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #unlistedTimer;

  /**
   * @param {object} options
   * @param {string} options.self our own peer id
   * @param {PeerInfo} options.info
   * @param {MediaDirection} options.media
   * @param {() => RTCConfiguration} options.configuration asked for at each connection and ICE restart
   * @param {() => Promise<void>} options.refreshServers fetches fresh TURN credentials, if it can
   * @param {(data: SignalData, queue: boolean) => boolean} options.signal sends through the server; false if it is not
   *   there, unless it may be queued for its return
   * @param {() => Partial<Record<Slot, MediaStreamTrack | null>>} options.tracks what we send now
   * @param {() => MediaState & { name?: string }} options.state what we say about it, and about ourselves
   * @param {boolean} [options.forwarded] in this room media go through the server: nothing is connected until somebody
   *   needs it (`wake`)
   * @param {boolean} [options.sealed] signals are sealed: they count only if they name our present connection, so that
   *   nothing out of another session does anything (docs/signaling.md, "Sealed")
   */
  constructor({ self, info, media, configuration, refreshServers, signal, tracks, state, forwarded = false, sealed = false }) {
    super();
    this.id = info.id;
    this.name = info.name;
    this.info = info;
    this.media = media;
    this.polite = self < info.id;
    this.initiator = !this.polite;
    this.configuration = configuration;
    this.refreshServers = refreshServers;
    this.signalThroughServer = signal;
    this.localTracks = () => (this.takesDirectly ? tracks() : {});
    this.localState = state;
    this.via = forwarded ? "server" : "direct";
    this.takesDirectly = !forwarded;
    this.#asked = this.via;
    this.noteState(info.presence);
    this.sealed = sealed;
    /** What they want, where they have said it. @type {"send" | "receive" | "drop" | null} */
    this.role = null;
    // What is said must not go through the server in the clear, so sealed ones are always connected.
    if (!forwarded || sealed) this.#direct = this.#connect();
    this.#greet();
  }

  /** Between the two browsers; null where nobody needs it. */
  get connection() {
    return this.#direct?.connection ?? null;
  }

  /** @returns {RTCPeerConnectionState} */
  get directState() {
    return this.#direct?.connection.connectionState ?? "new";
  }

  get channelOpen() {
    return this.channelState === "open";
  }

  /** @returns {RTCDataChannelState} */
  get channelState() {
    return this.#direct?.control.readyState ?? "connecting";
  }

  get negotiations() {
    return this.#earlierNegotiations + (this.#direct?.negotiation.negotiations ?? 0);
  }

  get transceivers() {
    return this.#direct ? transceiversBySlot(this.#direct.connection) : {};
  }

  /** Where what the other side sends in a slot comes in, whichever way. @param {Slot} slot @returns {RTCRtpReceiver | null} */
  receiver(slot) {
    return (this.via === "server" ? this.forwarded?.receivers[slot] : this.transceivers[slot]?.receiver) ?? null;
  }

  /** What the other side sends in a slot; the track exists from the first negotiation on. @param {Slot} slot */
  remoteTrack(slot) {
    return this.receiver(slot)?.track ?? null;
  }

  /** How it stands with what they send. @returns {RTCPeerConnectionState} */
  get state() {
    return this.via === "server" ? (this.forwarded?.state ?? "connecting") : this.directState;
  }

  /** @param {"direct" | "server"} via */
  take(via) {
    this.via = via;
    this.sendVia(via);
    this.emit("tracks", null);
    this.emit("change", null);
  }

  /** Tells them which way we want what they send; said again when the channel opens. @param {"direct" | "server"} via */
  sendVia(via) {
    this.#asked = via;
    this.send({ type: "via", server: via === "server" });
  }

  /** Connects, if nobody has needed it before. */
  wake() {
    if (this.#direct || this.closed) return;
    this.#open();
    if (!this.initiator) this.#signal({ connection: this.#connectionName, restart: true });
  }

  /** What they say that they send. @param {unknown} state */
  noteState(state) {
    if (typeof state !== "object" || state === null) return;
    const { mic, camera, screen, hand } = /** @type {Record<string, unknown>} */ (state);
    this.remote = { mic: mic === true, camera: camera === true, screen: screen === true, hand: hand === true };
  }

  /** @param {ControlMessage} message @returns {boolean} false if there is no open channel */
  send(message) {
    if (!this.#direct || !this.channelOpen) return false;
    this.#direct.control.send(JSON.stringify(message));
    this.sentMessages += 1;
    return true;
  }

  /** A further data channel, for a file, where there is a connection. @param {string} label */
  openChannel(label) {
    return this.#direct?.connection.createDataChannel(label, { ordered: true }) ?? null;
  }

  /** @param {SignalData} data that this peer sent */
  handleSignal(data) {
    if (this.closed) return;
    // They need the connection.
    const wasAsleep = !this.#direct;
    if (wasAsleep && (data.description || data.restart)) this.#open();
    if (!this.#direct) return;
    if (data.to && data.to !== this.#connectionName) return;
    if (this.sealed && !data.to && (!data.hello || this.directState === "connected")) return;
    if (data.hello) this.role = data.hello.role;
    const metAnew = this.#remoteName !== data.connection;
    const renewed = this.#remoteName !== null && this.#remoteName !== data.connection && this.#direct.connection.remoteDescription !== null;
    if ((data.restart && !wasAsleep) || renewed) {
      const now = performance.now();
      if (now - this.#replacedAt < REPLACEMENT_SPACING) return;
      this.#replacedAt = now;
      this.#replaceConnection();
    }
    this.#remoteName = data.connection;
    if (this.sealed) {
      // Whoever does not know our connection, or has had us replace it, is told.
      if (!data.to || data.restart) this.#greet();
      if (metAnew) this.#direct.negotiation.begin();
    }
    if (data.restart || data.hello) return;
    this.#noteCandidates(data);
    this.#direct.negotiation.handle(data);
  }

  /** Our own tracks have changed: send them, and say so. */
  async updateTracks() {
    const tracks = this.localTracks();
    // Asked for even where nothing seems to change: an earlier exchange may still be under way, and the last one counts.
    const changes = Object.entries(this.transceivers).map(([slot, { sender }]) =>
      sender.replaceTrack(tracks[/** @type {Slot} */ (slot)] ?? null),
    );
    await Promise.allSettled(changes);
    this.sendState();
  }

  /** @param {{ camera: number, screen: number }} budget bit/s */
  async limitVideo(budget) {
    const { camera, screen } = this.transceivers;
    await Promise.all([limitSender(camera?.sender, budget.camera), limitSender(screen?.sender, budget.screen)]);
  }

  sendState() {
    this.send({ type: "state", ...this.localState() });
  }

  /** Looks for better paths, e.g. because the network has changed. */
  async restartIce() {
    if (this.closed || !this.#direct) return;
    this.restarts += 1;
    this.#relayFound = false;
    await this.refreshServers();
    const { connection, negotiation } = this.#direct;
    if (this.closed || connection.signalingState === "closed") return;
    try {
      connection.setConfiguration(this.configuration());
    } catch {
      // The policy may not be changed any more: the old servers will do.
    }
    connection.restartIce();
    this.emit("change", null);
    // Should the offer or its answer have been lost on the way.
    setTimeout(() => {
      if (!this.closed && this.connection === connection) negotiation.repeatOffer();
    }, ANSWER_PATIENCE);
  }

  /** Gives this connection up for a fresh one, on both sides. */
  renew() {
    if (this.closed) return;
    const remoteName = this.#remoteName;
    this.#remoteName = null;
    this.#connectionName = randomWord();
    const hello = this.sealed ? { role: /** @type {const} */ ("drop") } : undefined;
    this.#signal({ connection: this.#connectionName, to: remoteName ?? undefined, restart: true, hello });
    this.#replaceConnection({ keepName: true });
  }

  /** The server is back and may have lost what we sent meanwhile. */
  signalingReturned() {
    if (!this.#direct) return;
    const { connection, negotiation } = this.#direct;
    if (this.directState !== "connected") this.#greet({ anew: true });
    if (this.directState === "connected") negotiation.repeatOffer();
    else if (connection.remoteDescription && this.initiator) void this.restartIce();
    else if (this.initiator) this.renew();
  }

  /** @param {boolean} listed */
  setListed(listed) {
    this.listed = listed;
    this.#watchUnlisted();
    this.emit("change", null);
  }

  /** @param {{ bye?: boolean }} [options] */
  close({ bye = false } = {}) {
    if (this.closed) return;
    if (bye) this.send({ type: "bye" });
    this.closed = true;
    clearTimeout(this.#unlistedTimer);
    this.#direct?.recovery.stop();
    this.#direct?.connection.close();
    this.emit("gone", null);
  }

  /** The first connection, once somebody needs it. */
  #open() {
    this.#direct = this.#connect();
    this.emit("change", null);
  }

  /** @param {{ keepName?: boolean }} [options] */
  #replaceConnection({ keepName = false } = {}) {
    if (this.#direct) {
      const { connection, negotiation, recovery } = this.#direct;
      recovery.stop();
      this.#earlierNegotiations += negotiation.negotiations;
      detach(connection);
      connection.close();
    }
    if (!keepName) {
      this.#connectionName = randomWord();
      this.#remoteName = null;
    }
    this.generation += 1;
    this.toldCandidates.clear();
    this.#relayFound = false;
    this.#direct = this.#connect();
    this.emit("renewed", null);
    this.emit("change", null);
  }

  /** Says which connection of ours is meant, where that has to be known first. @param {{ anew?: boolean }} [options] */
  #greet({ anew = false } = {}) {
    if (!this.sealed) return;
    const to = anew ? undefined : (this.#remoteName ?? undefined);
    this.#signal({ connection: this.#connectionName, to, hello: { role: "drop" } });
  }

  /** @returns {Direct} */
  #connect() {
    const connection = new RTCPeerConnection(this.configuration());
    const recovery = new Recovery({
      initiator: this.initiator,
      restartIce: () => {
        this.#noteStuck();
        void this.restartIce();
      },
      renew: () => {
        this.#noteStuck();
        this.renew();
      },
    });
    const negotiation = new Negotiation({
      connection,
      polite: this.polite,
      initiator: this.initiator,
      send: (data) => this.#signal({ connection: this.#connectionName, to: this.#remoteName ?? undefined, ...data }),
      onOffer: () => this.#adoptTransceivers(connection),
      ready: () => !this.sealed || this.#remoteName !== null,
      onError: (error) => {
        console.warn("negotiation with", this.name, error);
        this.#renewUnless(() => connection.signalingState === "stable", connection);
      },
    });
    const control = connection.createDataChannel(CONTROL_LABEL, { negotiated: true, id: CONTROL_STREAM });
    control.onopen = () => {
      this.sendState();
      if (this.#asked === "server") this.sendVia(this.#asked);
      this.emit("open", null);
      this.emit("change", null);
    };
    control.onclose = () => {
      this.emit("change", null);
      // Closed by nobody's word: the other side has lost its connection.
      this.#renewUnless(() => false, connection);
    };
    control.onmessage = ({ data }) => this.#handleControl(data);

    connection.onconnectionstatechange = () => {
      if (connection.connectionState === "connected") this.#everConnected = true;
      recovery.handleState(connection.connectionState);
      this.#watchUnlisted();
      this.emit("change", null);
    };
    connection.oniceconnectionstatechange = () => this.emit("change", null);
    connection.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate?.type === "relay") this.#relayFound = true;
    });
    connection.ontrack = () => this.emit("tracks", null);
    connection.ondatachannel = ({ channel }) => {
      if (channel.label.startsWith(FILE_LABEL)) this.emit("channel", channel);
      else channel.close();
    };
    if (this.initiator && this.media !== "none") {
      const tracks = this.localTracks();
      for (const { slot, kind } of SLOTS) {
        connection.addTransceiver(tracks[slot] ?? kind, { direction: transceiverDirection(this.media) });
      }
    }
    return { connection, control, negotiation, recovery };
  }

  /** An offer came: take its transceivers as our slots. @param {RTCPeerConnection} connection */
  #adoptTransceivers(connection) {
    const tracks = this.localTracks();
    const direction = transceiverDirection(this.media);
    for (const [slot, transceiver] of Object.entries(transceiversBySlot(connection))) {
      if (transceiver.direction !== direction) transceiver.direction = direction;
      const track = tracks[/** @type {Slot} */ (slot)] ?? null;
      if (transceiver.sender.track !== track) void transceiver.sender.replaceTrack(track);
    }
  }

  #noteStuck() {
    if (this.#everConnected) return;
    const urls = (this.configuration().iceServers ?? []).flatMap((server) => server.urls);
    this.emit("stuck", { relay: this.#relayFound, relayOffered: urls.some((url) => /^turns?:/.test(url)) });
  }

  /** @param {SignalData} data */
  #noteCandidates({ description, candidate }) {
    const lines = [candidate?.candidate ?? "", ...(description?.sdp?.match(/^a=candidate:.*$/gm) ?? [])];
    for (const line of lines) {
      const told = parseCandidate(line);
      if (told && this.toldCandidates.size < TOLD_CANDIDATES) this.toldCandidates.set(...told);
    }
  }

  /**
   * Gives a connection that has gone wrong a moment, then makes a fresh one: later each time, so that two sides which
   * cannot agree do not go round and round.
   *
   * @param {() => boolean} well
   * @param {RTCPeerConnection} connection
   */
  #renewUnless(well, connection) {
    const wait = Math.min(LONGEST_RENEWAL_WAIT, RENEWAL_WAIT * this.generation);
    setTimeout(() => {
      if (!this.closed && this.connection === connection && !well()) this.renew();
    }, wait);
  }

  /** @param {unknown} text */
  #handleControl(text) {
    const message = parseControl(text);
    if (!message) return;
    this.receivedMessages += 1;
    if (message.type === "state") {
      const { name, ...state } = /** @type {import("./peer/control.js").StateMessage} */ (message);
      this.noteState(state);
      if (name) this.name = name;
      this.emit("change", null);
    } else if (message.type === "chat") {
      this.emit("chat", /** @type {import("./peer/control.js").ChatMessage} */ (message));
    } else if (message.type === "via") {
      this.takesDirectly = !(/** @type {import("./peer/control.js").ViaMessage} */ (message).server);
      void this.updateTracks();
      this.emit("change", null);
    } else if (message.type === "bye") {
      this.saidBye = true;
      this.close();
    } else if (message.type === "signal") {
      this.handleSignal(/** @type {import("./peer/control.js").SignalMessage} */ (message).data);
    } else {
      this.emit("file", /** @type {FileMessage} */ (message));
    }
  }

  /** Through the server, or past it when it is gone. @param {SignalData} data */
  #signal(data) {
    if (this.signalThroughServer(data, false)) return;
    if (!this.send({ type: "signal", data })) this.signalThroughServer(data, true);
  }

  #watchUnlisted() {
    clearTimeout(this.#unlistedTimer);
    if (this.listed || this.state === "connected") return;
    this.#unlistedTimer = setTimeout(() => this.close(), UNLISTED_PATIENCE);
  }
}

/** @param {RTCPeerConnection} connection */
function detach(connection) {
  connection.onnegotiationneeded = null;
  connection.onicecandidate = null;
  connection.onconnectionstatechange = null;
  connection.oniceconnectionstatechange = null;
  connection.ontrack = null;
  connection.ondatachannel = null;
}
