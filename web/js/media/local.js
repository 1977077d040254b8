/**
 * What we send: microphone, camera and screen, switched on and off, and exchanged for others while they run. A muted
 * microphone stays open (unmuting is instant); a camera that is off is closed, so that its light goes out.
 *
 * Everything that opens or closes a device happens one after the other: two quick clicks must not open a camera twice,
 * and lose sight of one.
 */
import { Emitter } from "../emitter.js";
import { deviceProblem, problem } from "../errors.js";
import { getSetting, setSetting } from "../settings.js";
import { afterChange } from "./choice.js";
import { listDevices, mediaAvailable, openCamera, openMicrophone, openScreen } from "./devices.js";

/** @typedef {import("../errors.js").Problem} Problem */
/** @typedef {"mic" | "camera"} DeviceName */
/** @typedef {{ change: null, problem: Problem, solved: DeviceName, news: string }} LocalEvents  `news`: words for a toast */

const KINDS = /** @type {const} */ ({
  mic: { kind: "microphone", list: "microphones", open: openMicrophone, missing: "no-microphone" },
  camera: { kind: "camera", list: "cameras", open: openCamera, missing: "no-camera" },
});
const DEVICES = /** @type {const} */ (["mic", "camera"]);

/** @extends {Emitter<LocalEvents>} */
export class LocalMedia extends Emitter {
  /** @type {MediaStreamTrack | null} */
  mic = null;
  /** @type {MediaStreamTrack | null} */
  camera = null;
  /** @type {MediaStreamTrack | null} */
  screen = null;
  /** @type {MediaStreamTrack | null} */
  sound = null;
  /** Ids of the devices that the person chose; empty for none in particular. */
  #wanted = { mic: getSetting("mic"), camera: getSetting("camera") };
  #closed = false;
  /** Problems of both devices are told together. @type {Problem[] | null} */
  #held = null;
  /** @type {Promise<void>} */
  #queue = Promise.resolve();
  #onDevices = () => void this.#devicesChanged();

  constructor() {
    super();
    navigator.mediaDevices?.addEventListener("devicechange", this.#onDevices);
  }

  get tracks() {
    return { mic: this.mic, camera: this.camera, screen: this.screen, sound: this.sound };
  }

  get micOn() {
    return Boolean(this.mic?.enabled);
  }

  get cameraOn() {
    return this.camera !== null;
  }

  get screenOn() {
    return this.screen !== null;
  }

  /** Opens what is asked for; a device that fails is reported and left out. @param {{ mic: boolean, camera: boolean }} wanted */
  async start({ mic, camera }) {
    /** @type {Problem[]} */
    const problems = [];
    this.#held = problems;
    if (mic) await this.setMic(true);
    if (camera) await this.setCamera(true);
    this.#held = null;
    if (problems.length === 2 && problems.every(({ code }) => code.startsWith("no-"))) this.emit("problem", problem("no-devices"));
    else for (const one of problems) this.emit("problem", one);
  }

  /** @param {boolean} on */
  setMic(on) {
    return this.#inTurn(async () => {
      if (on && !this.mic) await this.#open("mic");
      if (this.mic) this.mic.enabled = on;
    });
  }

  /** @param {boolean} on */
  setCamera(on) {
    return this.#inTurn(async () => {
      if (on && !this.camera) await this.#open("camera");
      else if (!on) this.#drop("camera");
    });
  }

  /** From a click only: browsers ask for one. @param {boolean} on */
  setScreen(on) {
    return this.#inTurn(async () => {
      if (on && !this.screen) await this.#openScreen();
      else if (!on) this.#dropScreen();
    });
  }

  /**
   * Remembers the choice, and changes over to it if the device is in use.
   *
   * @param {DeviceName} device
   * @param {string} id
   */
  choose(device, id) {
    return this.#inTurn(async () => {
      this.#wanted[device] = id;
      setSetting(device, id);
      await this.#changeOver(device, id);
    });
  }

  close() {
    this.#closed = true;
    navigator.mediaDevices?.removeEventListener("devicechange", this.#onDevices);
    for (const track of Object.values(this.tracks)) track?.stop();
    this.mic = this.camera = this.screen = this.sound = null;
  }

  /** @param {() => Promise<void>} task */
  #inTurn(task) {
    this.#queue = this.#queue.then(async () => {
      if (this.#closed) return;
      await task();
      this.emit("change", null);
    });
    return this.#queue;
  }

  /** @param {DeviceName} device @returns {Promise<boolean>} */
  async #open(device) {
    if (!mediaAvailable()) {
      this.#report(problem(isSecureContext ? "unsupported-browser" : "insecure-context"));
      return false;
    }
    const { kind, open } = KINDS[device];
    try {
      return this.#use(device, await open(this.#wanted[device]));
    } catch (error) {
      this.#report(deviceProblem(error, kind));
      return false;
    }
  }

  /**
   * Another device in the place of the one in use. Both run for a moment where the system lets them, so that nothing is
   * missing in between; many phones open one camera at a time.
   *
   * @param {DeviceName} device
   * @param {string} id
   */
  async #changeOver(device, id) {
    const old = this[device];
    if (!old || idOf(old) === id) return;
    const { kind, open } = KINDS[device];
    const { enabled } = old;
    let track = await open(id, { exactly: true }).catch(() => null);
    if (!track) {
      this.#drop(device);
      try {
        track = await open(id, { exactly: true });
      } catch (error) {
        this.#report(deviceProblem(error, kind));
        track = await open(idOf(old)).catch(() => null);
      }
    }
    if (!track) return;
    this.#drop(device);
    track.enabled = enabled;
    this.#use(device, track);
  }

  /**
   * @param {DeviceName} device
   * @param {MediaStreamTrack} track
   * @returns {boolean} false if the page has been left meanwhile
   */
  #use(device, track) {
    if (this.#closed) {
      track.stop();
      return false;
    }
    this[device] = track;
    track.onended = () => void this.#lost(device, track);
    this.emit("solved", device);
    return true;
  }

  /** @param {DeviceName} device */
  #drop(device) {
    const track = this[device];
    if (!track) return;
    track.onended = null;
    track.stop();
    this[device] = null;
  }

  /**
   * Unplugged, or taken away: another one takes its place, if there is one.
   *
   * @param {DeviceName} device
   * @param {MediaStreamTrack} track
   */
  #lost(device, track) {
    return this.#inTurn(async () => {
      if (this[device] !== track) return;
      const { enabled, label } = track;
      const { list, missing } = KINDS[device];
      this.#drop(device);
      const others = (await listDevices())[list].filter(({ id }) => id !== idOf(track) || id === "");
      if (others.length === 0) {
        this.#report(problem(missing));
      } else if (await this.#open(device)) {
        const now = this[device];
        if (now) now.enabled = enabled;
        this.emit("news", `${label || "The device"} is gone. In its place: ${now?.label || "another one"}.`);
      }
    });
  }

  async #devicesChanged() {
    const devices = await listDevices();
    for (const device of DEVICES) {
      const track = this[device];
      if (!track) continue;
      const wanted = this.#wanted[device];
      const step = afterChange({ devices: devices[KINDS[device].list], current: idOf(track), wanted });
      if (step === "lost") void this.#lost(device, track);
      else if (step === "return") void this.#inTurn(() => this.#comeBack(device, wanted));
    }
  }

  /**
   * @param {DeviceName} device
   * @param {string} id
   */
  async #comeBack(device, id) {
    await this.#changeOver(device, id);
    const track = this[device];
    if (track && idOf(track) === id) this.emit("news", `${track.label} is back, and in use again.`);
  }

  async #openScreen() {
    try {
      const { screen, sound } = await openScreen();
      if (this.#closed) {
        screen.stop();
        sound?.stop();
        return;
      }
      this.screen = screen;
      this.sound = sound;
      // The browser's own "stop sharing" button.
      screen.onended = () => void this.setScreen(false);
    } catch (error) {
      // NotAllowedError is how the browser says "changed my mind".
      if (!(error instanceof Error && error.name === "NotAllowedError")) {
        this.#report(problem("wrong-screen", String(error)));
      }
    }
  }

  #dropScreen() {
    if (this.screen) this.screen.onended = null;
    this.screen?.stop();
    this.sound?.stop();
    this.screen = null;
    this.sound = null;
  }

  /** @param {Problem} one */
  #report(one) {
    if (this.#held) this.#held.push(one);
    else this.emit("problem", one);
  }
}

/** @param {MediaStreamTrack} track */
function idOf(track) {
  return track.getSettings().deviceId ?? "";
}
