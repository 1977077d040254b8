/** Before a room: a look into the mirror, the choice of devices, a name. */
import { h, setText, show } from "../dom.js";
import { LevelMeter } from "../media/level.js";
import { mediaAvailable } from "../media/devices.js";
import { getSetting, setSetting } from "../settings.js";
import { DevicePickers, levelMeter } from "./devices.js";
import { icon } from "./icons.js";
import { iconButton, press } from "./shell.js";
import { shortcuts } from "./shortcuts.js";

/** @typedef {import("../media/local.js").LocalMedia} LocalMedia */
/** @typedef {import("../params.js").Params} Params */

/**
 * @typedef {object} PrejoinOptions
 * @property {LocalMedia} local
 * @property {Params} params
 * @property {string} title
 * @property {string} action what the button says
 * @property {string} [actionTestid]
 * @property {boolean} [password] whether to offer the field
 * @property {HTMLElement | null} [seal] a further way to keep others out
 * @property {boolean} [devices] whether to offer camera and microphone
 * @property {string} lead a line under the title
 * @property {(entry: { name: string, password: string }) => void} onJoin
 */

export class Prejoin {
  #local;
  #meter = new LevelMeter();
  #video = h("video", { autoplay: true, playsInline: true, muted: true, class: "mirrored", testid: "preview" });
  #noPicture = h("p", { class: "preview-empty" }, "Your camera is off");
  #level = levelMeter();
  #mic = iconButton({ icon: "mic", label: "Microphone", testid: "prejoin-mic", shortcut: "m", onclick: () => this.#toggle("mic") });
  #camera = iconButton({ icon: "camera", label: "Camera", testid: "prejoin-camera", shortcut: "v", onclick: () => this.#toggle("camera") });
  #name = h("input", { testid: "name", id: "name", maxLength: 64, required: true, autocomplete: "nickname", placeholder: "Ada", enterKeyHint: "go" });
  #password = h("input", { testid: "password", id: "password", type: "password", maxLength: 256, autocomplete: "off" });
  #passwordHelp = h("p", { class: "field-help" }, "Only needed for a locked room. If you are the first, it locks the room.");
  #join = h("button", { class: "button primary large", testid: "join", type: "submit" });
  /** @type {HTMLDetailsElement} */
  #more;
  /** @type {(() => void)[]} */
  #cleanup = [];
  element;

  /** @param {PrejoinOptions} options */
  constructor({ local, params, title, action, actionTestid, password = true, seal = null, devices: wanted = true, lead, onJoin }) {
    this.#local = local;
    const devices = wanted && mediaAvailable();
    const pickers = new DevicePickers({ local, sends: devices });
    this.#name.value = params.name || getSetting("name");
    this.#password.value = params.password;
    setText(this.#join, action);
    if (actionTestid) this.#join.dataset.testid = actionTestid;
    this.#more = h(
      "details",
      { class: "more", open: params.password !== "" },
      h("summary", {}, icon("lock"), seal ? "Password, sealing" : "Password"),
      h("label", { class: "field" }, h("span", {}, "Room password"), this.#password),
      this.#passwordHelp,
      seal,
    );
    const form = h(
      "form",
      {
        class: "prejoin-form",
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          const name = this.#name.value.trim();
          if (name === "") return this.#name.focus();
          if (!params.name) setSetting("name", name);
          onJoin({ name, password: this.#password.value });
        },
      },
      h("h1", {}, title),
      h("p", { class: "lead" }, devices === wanted ? lead : "You can join without: see, hear, write, and exchange files."),
      h("label", { class: "field" }, h("span", {}, "Your name"), this.#name),
      password ? this.#more : null,
      ...pickers.fields,
      h("div", { class: "join-row" }, this.#join),
    );
    this.element = h(
      "div",
      { class: devices ? "prejoin" : "prejoin plain", testid: "prejoin" },
      devices
        ? h(
            "div",
            { class: "preview" },
            h("div", { class: "preview-picture" }, this.#video, this.#noPicture),
            h("div", { class: "preview-controls" }, this.#mic, this.#camera, this.#level),
          )
        : null,
      form,
    );
    this.#cleanup.push(
      local.on("change", () => this.#update()),
      ...(devices ? [shortcuts({ m: () => this.#toggle("mic"), v: () => this.#toggle("camera") })] : []),
    );
    const timer = setInterval(() => {
      this.#level.value = this.#local.micOn ? this.#meter.level : 0;
    }, 80);
    this.#cleanup.push(
      () => pickers.close(),
      () => clearInterval(timer),
      () => this.#meter.close(),
    );
    this.#update();
  }

  /** While the answer is awaited. @param {boolean} busy */
  setBusy(busy) {
    this.#join.disabled = busy;
    this.#join.classList.toggle("busy", busy);
  }

  askPassword() {
    this.#more.open = true;
    this.#password.select();
    this.#password.focus();
    this.#password.scrollIntoView({ block: "center" });
  }

  close() {
    for (const undo of this.#cleanup) undo();
    this.element.remove();
  }

  /** @param {"mic" | "camera"} device */
  #toggle(device) {
    if (device === "mic") void this.#local.setMic(!this.#local.micOn);
    else void this.#local.setCamera(!this.#local.cameraOn);
  }

  #update() {
    const { micOn, cameraOn, camera, mic } = this.#local;
    press(this.#mic, micOn, "mic");
    press(this.#camera, cameraOn, "camera");
    const current = this.#video.srcObject instanceof MediaStream ? this.#video.srcObject.getVideoTracks()[0] : null;
    if (current !== camera) {
      this.#video.srcObject = camera ? new MediaStream([camera]) : null;
      if (camera) void this.#video.play().catch(() => {});
    }
    show(this.#video, cameraOn);
    show(this.#noPicture, !cameraOn);
    this.#meter.listen(mic);
  }
}
