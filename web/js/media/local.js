/**
 * What we send: microphone, camera and screen, switched on and off. A muted microphone stays open (unmuting is
 * instant); a camera that is off is closed, so that its light goes out.
 */
import { Emitter } from "../emitter.js";
import { deviceProblem, problem } from "../errors.js";
import { getSetting, setSetting } from "../settings.js";
import { mediaAvailable, openCamera, openMicrophone, openScreen } from "./devices.js";

/** @typedef {import("../errors.js").Problem} Problem */
/** @typedef {{ change: null, problem: Problem, solved: "mic" | "camera" }} LocalEvents */

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
  #micWanted = "";
  #cameraWanted = "";
  #closed = false;
  /** Problems of both devices are told together. @type {Problem[] | null} */
  #held = null;

  constructor() {
    super();
    this.#micWanted = getSetting("mic");
    this.#cameraWanted = getSetting("camera");
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
    this.#held = [];
    if (mic) await this.setMic(true);
    if (camera) await this.setCamera(true);
    const problems = this.#held;
    this.#held = null;
    if (problems.length === 2 && problems.every(({ code }) => code.startsWith("no-"))) this.emit("problem", problem("no-devices"));
    else for (const one of problems) this.emit("problem", one);
  }

  /** @param {boolean} on */
  async setMic(on) {
    if (on && !this.mic) await this.#openMic();
    if (this.mic) this.mic.enabled = on;
    this.emit("change", null);
  }

  /** @param {boolean} on */
  async setCamera(on) {
    if (on && !this.camera) {
      await this.#openCamera();
    } else if (!on && this.camera) {
      this.camera.stop();
      this.camera = null;
    }
    this.emit("change", null);
  }

  /** From a click only: browsers ask for one. @param {boolean} on */
  async setScreen(on) {
    if (on && !this.screen) {
      try {
        const { screen, sound } = await openScreen();
        this.screen = screen;
        this.sound = sound;
        // The browser's own "stop sharing" button.
        screen.onended = () => void this.setScreen(false);
      } catch (error) {
        // NotAllowedError is how the browser says "changed my mind".
        if (!(error instanceof Error && error.name === "NotAllowedError")) {
          this.emit("problem", problem("wrong-screen", String(error)));
        }
      }
    } else if (!on && this.screen) {
      this.screen.onended = null;
      this.screen.stop();
      this.sound?.stop();
      this.screen = null;
      this.sound = null;
    }
    this.emit("change", null);
  }

  /** @param {string} id */
  async chooseMic(id) {
    this.#micWanted = id;
    setSetting("mic", id);
    if (!this.mic) return;
    const on = this.mic.enabled;
    this.mic.stop();
    this.mic = null;
    await this.#openMic();
    await this.setMic(on);
  }

  /** @param {string} id */
  async chooseCamera(id) {
    this.#cameraWanted = id;
    setSetting("camera", id);
    if (!this.camera) return;
    await this.setCamera(false);
    await this.setCamera(true);
  }

  close() {
    this.#closed = true;
    for (const track of Object.values(this.tracks)) track?.stop();
    this.mic = this.camera = this.screen = this.sound = null;
  }

  async #openMic() {
    const track = await this.#open("microphone", () => openMicrophone(this.#micWanted));
    if (!track) return;
    this.mic = track;
    track.onended = () => {
      if (this.mic !== track) return;
      this.mic = null;
      this.emit("problem", problem("no-microphone"));
      this.emit("change", null);
    };
    this.emit("solved", "mic");
  }

  async #openCamera() {
    const track = await this.#open("camera", () => openCamera(this.#cameraWanted));
    if (!track) return;
    this.camera = track;
    track.onended = () => {
      if (this.camera !== track) return;
      this.camera = null;
      this.emit("problem", problem("no-camera"));
      this.emit("change", null);
    };
    this.emit("solved", "camera");
  }

  /**
   * @param {"camera" | "microphone"} device
   * @param {() => Promise<MediaStreamTrack>} open
   */
  async #open(device, open) {
    if (!mediaAvailable()) {
      this.#report(problem(isSecureContext ? "unsupported-browser" : "insecure-context"));
      return null;
    }
    try {
      const track = await open();
      if (this.#closed) {
        track.stop();
        return null;
      }
      return track;
    } catch (error) {
      this.#report(deviceProblem(error, device));
      return null;
    }
  }

  /** @param {Problem} one */
  #report(one) {
    if (this.#held) this.#held.push(one);
    else this.emit("problem", one);
  }
}
