/** The choice of microphone, camera and speaker: before a room, and in it. */
import { append, h, show } from "../dom.js";
import { chooseSpeakerAvailable, chooseSpeaker, listDevices, mediaAvailable, speakerChoiceAvailable } from "../media/devices.js";
import { getSetting, setSetting } from "../settings.js";
import { shortcutsOn, switchShortcuts } from "./shortcuts.js";

/** @typedef {import("../media/local.js").LocalMedia} LocalMedia */
/** @typedef {import("../media/devices.js").Device} Device */

/** A picker each, kept up to date while devices come and go. */
export class DevicePickers {
  #local;
  #microphones = picker("mic-select", "Microphone", (id) => void this.#local.choose("mic", id));
  #cameras = picker("camera-select", "Camera", (id) => void this.#local.choose("camera", id));
  #speakers = picker("speaker-select", "Speaker", (id) => this.#chosen(id));
  #askSpeaker = h("button", { type: "button", class: "button small", onclick: () => void this.#ask() }, "Choose a speaker");
  #onSpeaker;
  /** @type {(() => void)[]} */
  #cleanup = [];
  /** @type {HTMLElement[]} */
  fields;

  /**
   * @param {object} options
   * @param {LocalMedia} options.local
   * @param {boolean} [options.sends] whether to offer microphone and camera
   * @param {() => void} [options.onSpeaker] another speaker was chosen, and is remembered
   */
  constructor({ local, sends = true, onSpeaker = () => {} }) {
    this.#local = local;
    this.#onSpeaker = onSpeaker;
    this.fields = [
      ...(sends ? [this.#microphones.label, this.#cameras.label] : []),
      ...(speakerChoiceAvailable() ? [this.#speakers.label, this.#askSpeaker] : []),
    ];
    const list = () => void this.list();
    if (mediaAvailable()) navigator.mediaDevices.addEventListener("devicechange", list);
    this.#cleanup.push(
      () => navigator.mediaDevices?.removeEventListener("devicechange", list),
      // Names are told once a permission was given; and another device may have taken one's place.
      local.on("solved", list),
    );
    list();
  }

  close() {
    for (const undo of this.#cleanup) undo();
  }

  async list() {
    const { microphones, cameras, speakers } = await listDevices();
    this.#microphones.fill(microphones, idOf(this.#local.mic) ?? getSetting("mic"));
    this.#cameras.fill(cameras, idOf(this.#local.camera) ?? getSetting("camera"));
    this.#speakers.fill(speakers, getSetting("speaker"));
    // Firefox tells of speakers only after it has asked the person for one.
    show(this.#speakers.label, speakers.length > 0);
    show(this.#askSpeaker, speakers.length === 0 && chooseSpeakerAvailable());
  }

  /** @param {string} id */
  #chosen(id) {
    setSetting("speaker", id);
    this.#onSpeaker();
  }

  async #ask() {
    const id = await chooseSpeaker();
    if (id === null) return;
    this.#chosen(id);
    await this.list();
  }
}

/** The best that is wanted of others' pictures where the server forwards them. */
const QUALITIES = /** @type {const} */ ([
  { value: "", words: "As good as it can be", lines: Infinity },
  { value: "medium", words: "Medium (saves half and more)", lines: 360 },
  { value: "low", words: "Small (for a weak line)", lines: 180 },
  { value: "none", words: "None: sound only", lines: 0 },
]);

/** The panel in a call. */
export class DevicesPanel {
  #pickers;
  #quality = h("select", { testid: "quality" });
  #level = levelMeter();
  element;

  /** @param {ConstructorParameters<typeof DevicePickers>[0] & { onQuality?: (lines: number) => void }} options */
  constructor(options) {
    this.#pickers = new DevicePickers(options);
    append(this.#quality, QUALITIES.map(({ value, words }) => h("option", { value }, words)));
    this.#quality.value = getSetting("quality");
    this.#quality.addEventListener("change", () => {
      setSetting("quality", this.#quality.value);
      options.onQuality?.(this.lines);
    });
    const keys = h("input", { type: "checkbox", testid: "shortcuts", checked: shortcutsOn(), onchange: () => switchShortcuts(keys.checked) });
    this.element = h(
      "div",
      { class: "panel-body devices", testid: "devices-panel" },
      ...this.#pickers.fields,
      options.sends === false ? null : h("div", { class: "field" }, h("span", { "aria-hidden": "true" }, "What your microphone hears"), this.#level),
      h("label", { class: "field" }, h("span", {}, "Pictures of the others, through the server"), this.#quality),
      h(
        "div",
        { class: "keys" },
        h("label", { class: "check-field" }, keys, h("span", {}, "Single-letter shortcuts")),
        h("p", { class: "field-help" }, "The letter that each button names when the mouse rests on it."),
      ),
    );
  }

  /** The best that is wanted of any picture. */
  get lines() {
    return QUALITIES.find(({ value }) => value === this.#quality.value)?.lines ?? Infinity;
  }

  /** @param {number} level 0 to 1 */
  showLevel(level) {
    if (!this.element.hidden) this.#level.value = level;
  }

  /** Opened: what is chosen may have changed. */
  refresh() {
    void this.#pickers.list();
  }

  close() {
    this.#pickers.close();
  }
}

export function levelMeter() {
  const level = h("meter", { class: "level", testid: "level", min: 0, max: 1, value: 0 });
  level.setAttribute("aria-label", "Microphone level");
  return level;
}

/**
 * A labelled `<select>` of devices.
 *
 * @param {string} testid
 * @param {string} words
 * @param {(id: string) => void} choose
 */
function picker(testid, words, choose) {
  const select = h("select", { testid, onchange: () => choose(select.value) });
  const label = h("label", { class: "field" }, h("span", {}, words), select);
  return {
    label,
    /**
     * @param {Device[]} devices
     * @param {string} current id
     */
    fill(devices, current) {
      select.replaceChildren();
      append(select, devices.map(({ id, label: name }) => h("option", { value: id }, name)));
      if (devices.length === 0) select.append(h("option", { value: "" }, `No ${words.toLowerCase()} found`));
      select.disabled = devices.length === 0;
      if (devices.some(({ id }) => id === current)) select.value = current;
    },
  };
}

/** @param {MediaStreamTrack | null} track */
function idOf(track) {
  return track?.getSettings().deviceId;
}
