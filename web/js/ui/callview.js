/** A call on the screen: stage, controls, panels, banner. The same for a room of friends and for a lobby's pair. */
import { append, h, show } from "../dom.js";
import { pathProblem } from "../errors.js";
import { LevelMeter } from "../media/level.js";
import { screenAvailable, speakerChoiceAvailable } from "../media/devices.js";
import { Sound } from "../media/sound.js";
import { AwakeScreen } from "../media/wakelock.js";
import { Chat } from "./chat.js";
import { Details } from "./details.js";
import { DevicesPanel } from "./devices.js";
import { Panels } from "./panels.js";
import { RoomBanner } from "./roombanner.js";
import { Banner, Problems, iconButton, press, toast } from "./shell.js";
import { shortcuts } from "./shortcuts.js";
import { Stage } from "./tiles.js";

/** @typedef {import("../room.js").Room} Room */
/** @typedef {import("../media/local.js").LocalMedia} LocalMedia */
/** @typedef {import("../peer.js").PeerLink} PeerLink */
/** @typedef {import("./tiles.js").TileState} TileState */

/**
 * @typedef {object} CallOptions
 * @property {Room} room
 * @property {import("../room/watch.js").Watch} watch
 * @property {LocalMedia} local
 * @property {Problems} problems
 * @property {import("./files.js").FilesPanel} [files] absent: no files here
 * @property {boolean} [sends] whether we send sound and picture at all (default)
 * @property {boolean} [shows] whether the others' pictures are shown (default)
 * @property {HTMLElement} [above] a strip between header and stage
 * @property {() => string} name our own
 * @property {() => HTMLElement | null} alone the card to show while nobody else is here
 * @property {() => void} onLeave
 * @property {() => void} [onNext] lobby
 */

const LEVEL_INTERVAL = 150;

export class CallView {
  #options;
  #meter = new LevelMeter();
  #stage;
  #details;
  #panels = new Panels();
  #devices;
  #sound;
  #banner = new Banner();
  #roomBanner;
  #awake = new AwakeScreen();
  /** @type {Set<string>} people who have been connected */
  #met = new Set();
  #mic = iconButton({ icon: "mic", label: "Microphone", testid: "mic", shortcut: "m", onclick: () => void this.#toggleMic() });
  #camera = iconButton({ icon: "camera", label: "Camera", testid: "camera", shortcut: "v", onclick: () => void this.#toggleCamera() });
  #screen = iconButton({ icon: "screen", label: "Share screen", testid: "screen", shortcut: "s", onclick: () => void this.#toggleScreen() });
  #hand = iconButton({ icon: "hand", label: "Raise hand", testid: "hand", shortcut: "h", onclick: () => this.#toggleHand() });
  #speaker = iconButton({ icon: "speaker", label: "Speaker view", testid: "speaker-view", shortcut: "t", onclick: () => this.#toggleSpeaker() });
  #unblock = h("button", { type: "button", class: "button primary unblock", hidden: true }, "Click to hear the others");
  /** @type {Record<string, () => void>} */
  #keys;
  /** @type {(() => void)[]} */
  #cleanup = [];
  chat;
  watch;
  element;

  /** Makes what is to be seen; `begin` shows in it what goes on. @param {CallOptions} options */
  constructor(options) {
    this.#options = options;
    const { room, watch, local, files, onLeave, onNext, sends = true, shows = true, above } = options;
    this.chat = new Chat((text) => room.sendChat(text));
    this.watch = watch;
    this.#details = new Details(room);
    this.#roomBanner = new RoomBanner(this.#banner, room);
    watch.onSample = () => this.#showDetails();
    this.#stage = new Stage({ onFiles: files ? (peer, list) => files.send(list, peer) : undefined });
    const sounds = h("div", { hidden: true });
    this.#sound = new Sound(sounds);
    this.#sound.on("blocked", () => show(this.#unblock, true));
    this.#sound.on("unblocked", () => show(this.#unblock, false));
    this.#sound.on("news", toast);
    this.#devices = new DevicesPanel({
      local,
      sends,
      onSpeaker: () => void this.#sound.chooseSpeaker(),
      onQuality: (lines) => room.forwarding.limit(lines),
    });
    room.forwarding.limit(this.#devices.lines);
    this.#unblock.addEventListener("click", () => this.#sound.unblock());

    const chatButton = iconButton({ icon: "chat", label: "Chat", testid: "chat", shortcut: "c" });
    const filesButton = iconButton({ icon: "files", label: "Files", testid: "files", shortcut: "f" });
    const detailsButton = iconButton({ icon: "details", label: "Connection details", testid: "details", shortcut: "d" });
    const devicesButton = iconButton({ icon: "devices", label: sends ? "Camera, microphone, speaker" : "Speaker", testid: "devices", shortcut: "e" });
    const hasDevices = sends || speakerChoiceAvailable();
    this.#panels.add("chat", { title: "Chat", element: this.chat.element, button: chatButton, onOpen: () => this.chat.focus() });
    if (files) this.#panels.add("files", { title: "Files", element: files.element, button: filesButton });
    this.#panels.add("details", { title: "Connection", element: this.#details.element, button: detailsButton, onOpen: () => this.#showDetails() });
    if (hasDevices) this.#panels.add("devices", { title: "Devices", element: this.#devices.element, button: devicesButton, onOpen: () => this.#devices.refresh() });
    files?.onNews(() => this.#panels.note("files"));
    files?.onOffer(() => this.#panels.open("files"));

    const controls = h(
      "div",
      { class: "controls", role: "toolbar", "aria-label": "Call controls" },
      sends ? h("div", { class: "control-group" }, this.#mic, this.#camera, screenAvailable() ? this.#screen : null) : null,
      shows ? h("div", { class: "control-group extra" }, this.#speaker, onNext ? null : this.#hand) : null,
      h("div", { class: "control-group" }, chatButton, files ? filesButton : null, detailsButton, hasDevices ? devicesButton : null),
      h(
        "div",
        { class: "control-group" },
        onNext ? iconButton({ icon: "next", label: "Next person", testid: "next", shortcut: "n", words: "Next", onclick: onNext }) : null,
        iconButton({ icon: "leave", label: "Leave", testid: "leave", class: "danger", onclick: onLeave }),
      ),
    );
    layOut(controls);
    this.element = h("div", { class: "call" });
    append(this.element, [
      h("h1", { class: "visually-hidden" }, document.title),
      above ?? null,
      h("div", { class: "call-stage" }, this.#stage.element, this.#banner.element, this.#unblock, sounds),
      this.#panels.element,
      controls,
    ]);
    files?.acceptDrops(this.element);
    // From the first word on.
    this.#cleanup.push(
      room.on("chat", (message) => {
        this.chat.add(message);
        this.#panels.note("chat");
      }),
    );
    this.#keys = {
      ...(sends
        ? { m: () => void this.#toggleMic(), v: () => void this.#toggleCamera(), s: () => void this.#toggleScreen() }
        : {}),
      ...(shows ? { t: () => this.#toggleSpeaker(), ...(onNext ? {} : { h: () => this.#toggleHand() }) } : {}),
      ...(files ? { f: () => this.#panels.toggle("files") } : {}),
      c: () => this.#panels.toggle("chat"),
      d: () => this.#panels.toggle("details"),
      ...(hasDevices ? { e: () => this.#panels.toggle("devices") } : {}),
      Escape: () => this.#panels.open(null),
      ...(onNext ? { n: onNext } : {}),
    };
  }

  /** We are in. */
  begin() {
    const { room, local } = this.#options;
    this.#cleanup.push(
      room.on("change", () => this.update()),
      room.on("peer-added", (link) => this.#welcome(link)),
      room.on("peer-removed", (link) => this.#farewell(link)),
      local.on("change", () => {
        room.setTracks(local.tracks);
        this.#meter.listen(local.mic);
        this.update();
      }),
      shortcuts(this.#keys),
    );
    // A background tab drops the pictures at once, whatever its timers do.
    const visible = () => this.#showTiles();
    document.addEventListener("visibilitychange", visible);
    this.#cleanup.push(() => document.removeEventListener("visibilitychange", visible));
    const timer = setInterval(() => this.#showTiles(), LEVEL_INTERVAL);
    this.#cleanup.push(() => clearInterval(timer));
    this.#meter.listen(local.mic);
    for (const link of room.peers.values()) this.#welcome(link);
    this.update();
  }

  /** Puts the keyboard where the call is. */
  focus() {
    (this.#mic.isConnected ? this.#mic : this.#stage.element).focus();
  }

  update() {
    const { room, local } = this.#options;
    press(this.#mic, local.micOn, "mic");
    press(this.#camera, local.cameraOn, "camera");
    this.#screen.setAttribute("aria-pressed", String(local.screenOn));
    this.#screen.classList.toggle("on", local.screenOn);
    for (const [button, on] of /** @type {const} */ ([[this.#hand, room.hand], [this.#speaker, this.#stage.speakerView]])) {
      button.setAttribute("aria-pressed", String(on));
      button.classList.toggle("on", on);
    }
    this.#roomBanner.update((id) => this.#met.has(id));
    this.#showTiles();
    /** @type {Map<string, MediaStreamTrack>} */
    const tracks = new Map();
    for (const link of room.peers.values()) {
      for (const slot of /** @type {const} */ (["mic", "sound"])) {
        const track = link.remoteTrack(slot);
        if (track) tracks.set(`${link.id}/${slot}`, track);
      }
    }
    this.#sound.update(tracks);
  }

  close() {
    for (const undo of this.#cleanup) undo();
    this.#sound.close();
    this.#awake.release();
    this.#devices.close();
    this.#meter.close();
    this.element.remove();
  }

  async #toggleMic() {
    const { local } = this.#options;
    await local.setMic(!local.micOn);
  }

  async #toggleCamera() {
    const { local } = this.#options;
    await local.setCamera(!local.cameraOn);
  }

  async #toggleScreen() {
    const { local } = this.#options;
    await local.setScreen(!local.screenOn);
  }

  #toggleHand() {
    const { room } = this.#options;
    room.raiseHand(!room.hand);
  }

  #toggleSpeaker() {
    this.#stage.showSpeaker(!this.#stage.speakerView);
    this.update();
  }

  /** @param {PeerLink} link */
  #welcome(link) {
    if (this.#options.shows !== false) toast(`${link.name} is here`);
    link.on("tracks", () => this.update());
    link.on("change", () => {
      if (link.state === "connected") {
        this.#met.add(link.id);
        this.#options.problems.remove("no-path", "relay-unreachable", "no-relay");
      }
    });
    link.on("stuck", (gathered) => this.#options.problems.add(pathProblem(gathered)));
  }

  /** @param {PeerLink} link */
  #farewell(link) {
    if (this.#options.shows !== false) toast(`${link.name} has left`);
    this.#met.delete(link.id);
    this.update();
  }

  #showTiles() {
    const { room, local, name, alone, sends = true, shows = true } = this.#options;
    const level = local.micOn ? this.#meter.level : 0;
    this.#devices.showLevel(level);
    /** @type {TileState[]} */
    const tiles = [];
    for (const link of shows ? room.peers.values() : []) {
      const { state } = link;
      const note = state === "connected" ? "" : this.#met.has(link.id) ? "Reconnecting…" : "Connecting…";
      const common = { peer: link.id, name: link.name, connection: state, mirrored: false };
      tiles.push({
        ...common,
        kind: "camera",
        video: link.remote.camera ? link.remoteTrack("camera") : null,
        muted: state === "connected" && !link.remote.mic,
        // What a browser last measured stays when somebody has muted themselves.
        speaking: link.remote.mic && this.watch.isSpeaking(link),
        hand: link.remote.hand === true,
        note,
      });
      if (link.remote.screen) {
        tiles.push({ ...common, kind: "screen", video: link.remoteTrack("screen"), muted: false, speaking: false, note });
      }
    }
    const self = { peer: "self", connection: "self", note: "" };
    if (sends) tiles.push({
      ...self,
      name: name(),
      kind: "camera",
      video: local.camera,
      muted: !local.micOn,
      speaking: local.micOn && this.watch.selfSpeaking(level),
      mirrored: true,
      hand: room.hand,
    });
    if (local.screen) {
      tiles.push({ ...self, name: name(), kind: "screen", video: local.screen, muted: false, speaking: false, mirrored: false });
    }
    this.#stage.update(tiles);
    room.forwarding.show(this.#stage.sizes);
    this.#stage.setExtra(shows && room.peers.size > 0 ? null : alone());
  }

  #showDetails() {
    if (this.#panels.current === "details") this.#details.update(this.watch.entries);
  }
}

/** How a phone arranges the controls: a row has room for so many that a thumb can hit. */
const PHONE_ROW = 7;

/** @param {HTMLElement} controls */
function layOut(controls) {
  const count = controls.querySelectorAll("button").length;
  if (count <= PHONE_ROW) return;
  controls.dataset.rows = "2";
  controls.style.setProperty("--columns", String(Math.ceil(count / 2)));
}
