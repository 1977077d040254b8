/**
 * The stage: one tile for each person's camera and one for each shared screen. Tiles are placed absolutely and glide,
 * so nothing else on the page moves when people come and go.
 */
import { h, setText, show } from "../dom.js";
import { selectionOf, selectionOfDrop } from "../files/selection.js";
import { arrange } from "./layout.js";
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
 */

/** @typedef {import("../files/selection.js").Selection} Selection */
/** @typedef {{ onFiles?: (peer: string, files: Selection | Promise<Selection>) => void }} StageOptions */

export class Stage {
  element = h("section", { class: "stage", testid: "stage", tabIndex: -1, "aria-label": "People" });
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  #options;
  /** @type {HTMLElement | null} */
  #extra = null;

  /** @param {StageOptions} [options] */
  constructor(options = {}) {
    this.#options = options;
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

  /** @param {TileState[]} states in order */
  update(states) {
    const wanted = new Map(states.map((state) => [`${state.peer}/${state.kind}`, state]));
    let moved = false;
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

  #place() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (width === 0 || height === 0) return;
    const tiles = [...this.#tiles.values()];
    const screens = tiles.filter((tile) => tile.kind === "screen").map((tile) => tile.element);
    const cameras = tiles.filter((tile) => tile.kind === "camera").map((tile) => tile.element);
    if (this.#extra) cameras.push(this.#extra);
    const boxes = arrange({ width, height, cameras: cameras.length, screens: screens.length });
    this.element.dataset.layout = screens.length > 0 ? "screens" : "cameras";
    put(cameras, boxes.cameras);
    put(screens, boxes.screens);
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
    element.setAttribute("aria-label", [title, state.muted ? "muted" : "", state.note].filter(Boolean).join(", "));
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
