/**
 * The stage: one tile for each person's camera and one for each shared screen. Tiles are placed absolutely and glide,
 * so nothing else on the page moves when people come and go.
 */
import { h, setText, show } from "../dom.js";
import { selectionOf, selectionOfDrop } from "../files/selection.js";
import { arrange, onStage } from "./layout.js";
import { icon, logo } from "./icons.js";
import { iconButton } from "./shell.js";

/**
 * What one tile shows now.
 *
 * @typedef {object} TileState
 * @property {string} peer peer id, or "self"
 * @property {"camera" | "screen"} kind
 * @property {string} name
 * @property {MediaStreamTrack | null} video
 * @property {boolean} muted whether to mark the microphone as off
 * @property {boolean} speaking
 * @property {string} connection "self" or an RTCPeerConnectionState
 * @property {string} note words over the picture, e.g. "Reconnecting…"; empty for none
 * @property {boolean} mirrored
 * @property {boolean} [hand] whether to mark a raised hand
 */

/** @typedef {import("../files/selection.js").Selection} Selection */
/** @typedef {{ onFiles?: (peer: string, files: Selection | Promise<Selection>) => void }} StageOptions */

/** So many cameras fit onto a stage so that one can see something. */
const MOST_CAMERAS = 16;

export class Stage {
  /** Whether one camera is shown large: the speaker's, or that which was chosen. */
  speakerView = false;
  /** @type {Map<string, import("./layout.js").Box>} */
  #boxes = new Map();
  /** When each person last spoke, ms. @type {Map<string, number>} */
  #spoke = new Map();
  /** @type {Set<string>} */
  #cameras = new Set();
  /** Whose camera is large. @type {string | null} */
  #large = null;
  #others = h("div", { class: "stage-others", testid: "stage-others", hidden: true });
  element = h("section", { class: "stage", testid: "stage", tabIndex: -1, "aria-label": "People" });
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  #options;
  /** @type {HTMLElement | null} */
  #extra = null;

  /** @param {StageOptions} [options] */
  constructor(options = {}) {
    this.#options = options;
    this.element.append(this.#others);
    new ResizeObserver(() => this.#place()).observe(this.element);
  }

  /** A card that takes a tile's place, e.g. the invitation; null for none. @param {HTMLElement | null} card */
  setExtra(card) {
    if (this.#extra === card) return;
    this.#extra?.remove();
    this.#extra = card;
    if (card) {
      card.classList.add("tile-place");
      this.element.append(card);
    }
    this.#place();
  }

  /** @param {boolean} on */
  showSpeaker(on) {
    this.speakerView = on;
    this.#place();
  }

  /**
   * How large each picture is shown, in device pixels.
   *
   * @returns {Map<string, { width: number, height: number } | null>} by `peer/kind`
   */
  get sizes() {
    const scale = Math.min(2, devicePixelRatio || 1);
    const hidden = document.hidden;
    return new Map(
      [...this.#boxes].map(([key, { width, height }]) => [key, hidden ? null : { width: Math.round(width * scale), height: Math.round(height * scale) }]),
    );
  }

  /** @param {TileState[]} all in order */
  update(all) {
    const now = performance.now();
    for (const { peer, speaking } of all) if (speaking) this.#spoke.set(peer, now);
    const people = all.filter(({ kind, peer }) => kind === "camera" && peer !== "self").map(({ peer }) => peer);
    this.#cameras = onStage(people, { most: MOST_CAMERAS - 1, before: this.#cameras, spoke: this.#spoke });
    const states = all.filter(({ peer, kind }) => kind === "screen" || peer === "self" || this.#cameras.has(peer));
    const away = people.length - this.#cameras.size;
    setText(this.#others, away > 0 ? `and ${away} more` : "");
    show(this.#others, away > 0);
    const wanted = new Map(states.map((state) => [`${state.peer}/${state.kind}`, state]));
    let moved = this.#chooseLarge(people);
    for (const [key, tile] of this.#tiles) {
      if (wanted.has(key)) continue;
      tile.element.remove();
      this.#tiles.delete(key);
      moved = true;
    }
    for (const [key, state] of wanted) {
      let tile = this.#tiles.get(key);
      if (!tile) {
        tile = new Tile(state, this.#options);
        this.#tiles.set(key, tile);
        this.element.append(tile.element);
        moved = true;
      }
      tile.update(state);
    }
    if (moved) this.#place();
  }

  /** Whoever spoke last. @param {string[]} people without ourselves @returns {boolean} whether it is somebody else than before */
  #chooseLarge(people) {
    const spoke = (/** @type {string} */ peer) => this.#spoke.get(peer) ?? 0;
    const last = people.reduce((/** @type {string | null} */ best, peer) => (best === null || spoke(peer) > spoke(best) ? peer : best), null);
    const stays = this.#large !== null && people.includes(this.#large);
    const large = stays && last !== null && this.#large !== null && spoke(last) <= spoke(this.#large) ? this.#large : last;
    const changed = large !== this.#large && this.speakerView;
    this.#large = large;
    return changed;
  }

  #place() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (width === 0 || height === 0) return;
    const entries = [...this.#tiles];
    const isLarge = (/** @type {string} */ key) => this.speakerView && key === `${this.#large}/camera`;
    const screens = entries.filter(([, { kind }]) => kind === "screen");
    // A shared screen is what one looks at.
    if (screens.length === 0) screens.push(...entries.filter(([key]) => isLarge(key)));
    const cameras = entries.filter((entry) => !screens.includes(entry));
    const elements = cameras.map(([, { element }]) => element);
    if (this.#extra) elements.push(this.#extra);
    const boxes = arrange({ width, height, cameras: elements.length, screens: screens.length });
    this.element.dataset.layout = screens.length === 0 ? "cameras" : screens[0][1].kind === "screen" ? "screens" : "speaker";
    put(elements, boxes.cameras);
    put(screens.map(([, { element }]) => element), boxes.screens);
    this.#boxes = new Map([
      ...cameras.map(([key], index) => /** @type {const} */ ([key, boxes.cameras[index]])),
      ...screens.map(([key], index) => /** @type {const} */ ([key, boxes.screens[index]])),
    ]);
  }
}

/**
 * @param {HTMLElement[]} elements
 * @param {import("./layout.js").Box[]} boxes
 */
function put(elements, boxes) {
  elements.forEach((element, index) => {
    const { x, y, width, height } = boxes[index];
    element.style.transform = `translate(${x}px, ${y}px)`;
    element.style.width = `${width}px`;
    element.style.height = `${height}px`;
    element.classList.toggle("tile-small", width < 200 || height < 120);
    element.classList.toggle("tile-tiny", width < 130);
  });
}

class Tile {
  /**
   * @param {TileState} state
   * @param {StageOptions} options
   */
  constructor(state, { onFiles }) {
    this.kind = state.kind;
    const self = state.peer === "self";
    this.video = h("video", { testid: "video", autoplay: true, playsInline: true, muted: true, tabIndex: -1 });
    this.video.setAttribute("aria-hidden", "true");
    this.initials = h("div", { class: "tile-initials", "aria-hidden": "true" });
    this.name = h("span", { class: "tile-name" });
    this.mutedMark = h("span", { class: "tile-muted", role: "img", "aria-label": "microphone off", hidden: true }, icon("mic-off"));
    this.hand = h("span", { class: "tile-hand", role: "img", "aria-label": "hand raised", testid: "tile-hand", hidden: true }, icon("hand"));
    this.note = h("div", { class: "tile-note" });
    this.element = h(
      "article",
      {
        class: `tile tile-place tile-${state.kind}`,
        testid: "tile",
        tabIndex: 0,
        "aria-keyshortcuts": "Enter",
        data: { peer: state.peer, kind: state.kind, connection: state.connection },
      },
      h("div", { class: "tile-backdrop" }, this.initials),
      this.video,
      this.note,
      this.hand,
      h("div", { class: "tile-label" }, this.mutedMark, this.name),
    );
    if (!self && state.kind === "camera" && onFiles) this.#acceptFiles(state, onFiles);
    this.element.addEventListener("dblclick", () => void this.#fullscreen());
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === this.element) void this.#fullscreen();
    });
  }

  /** @param {TileState} state */
  update(state) {
    const { element } = this;
    const title = titleOf(state);
    setText(this.name, title);
    setText(this.initials, initials(state.name));
    setText(this.note, state.note);
    show(this.note, state.note !== "");
    show(this.mutedMark, state.muted);
    show(this.hand, state.hand === true);
    element.setAttribute("aria-label", [title, state.muted ? "muted" : "", state.hand ? "hand raised" : "", state.note].filter(Boolean).join(", "));
    if (element.dataset.connection !== state.connection) element.dataset.connection = state.connection;
    element.classList.toggle("speaking", state.speaking);
    this.video.classList.toggle("mirrored", state.mirrored);
    show(this.video, state.video !== null);
    const current = this.video.srcObject instanceof MediaStream ? this.video.srcObject.getVideoTracks()[0] : null;
    if (current !== state.video) {
      this.video.srcObject = state.video ? new MediaStream([state.video]) : null;
      if (state.video) void this.video.play().catch(() => {});
    }
  }

  /**
   * @param {TileState} state
   * @param {(peer: string, files: Selection | Promise<Selection>) => void} onFiles
   */
  #acceptFiles({ peer, name }, onFiles) {
    const input = h("input", { type: "file", multiple: true, class: "visually-hidden", testid: "tile-file-input", tabIndex: -1 });
    input.setAttribute("aria-label", `Files for ${name}`);
    input.addEventListener("change", () => {
      onFiles(peer, selectionOf(input.files ?? []));
      input.value = "";
    });
    const button = iconButton({ icon: "files", label: `Send a file to ${name}`, class: "tile-files quiet", onclick: () => input.click() });
    this.element.append(button, input, h("div", { class: "tile-drop", "aria-hidden": "true" }, logo(), h("span", {}, `Drop for ${name}`)));
    dropTarget(this.element, (files) => onFiles(peer, files));
  }

  async #fullscreen() {
    if (document.fullscreenElement) await document.exitFullscreen().catch(() => {});
    else await this.element.requestFullscreen?.().catch(() => {});
  }
}

/** @param {TileState} state */
function titleOf({ peer, kind, name }) {
  if (peer === "self") return kind === "screen" ? "Your screen" : "You";
  return kind === "screen" ? `${name}: screen` : name;
}

/**
 * Marks an element while files hover over it, and takes them, with the folders that they lie in.
 *
 * @param {HTMLElement} element
 * @param {(files: Promise<Selection>) => void} onFiles
 */
export function dropTarget(element, onFiles) {
  let depth = 0;
  const mark = () => element.classList.toggle("dropping", depth > 0);
  /** @param {DragEvent} event */
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;
  element.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    depth += 1;
    mark();
  });
  element.addEventListener("dragleave", (event) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(0, depth - 1);
    mark();
  });
  element.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  element.addEventListener("drop", (event) => {
    depth = 0;
    mark();
    if (!carriesFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.dataTransfer) onFiles(selectionOfDrop(event.dataTransfer));
  });
}

/** @param {string} name @returns {string} one or two letters */
function initials(name) {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return letters.map((word) => [...word][0]?.toUpperCase() ?? "").join("");
}
