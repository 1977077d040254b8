/** What others' microphones and shared screens play here: one audio element each, on the chosen speaker. */
import { Emitter } from "../emitter.js";
import { getSetting } from "../settings.js";
import { speakerChoiceAvailable } from "./devices.js";

/** @extends {Emitter<{ blocked: null, unblocked: null }>} `blocked`: the browser wants a click before it plays */
export class Sound extends Emitter {
  /** @type {Map<string, HTMLAudioElement>} */
  #elements = new Map();
  #place;
  #blocked = false;

  /** @param {HTMLElement} place where the elements live, unseen */
  constructor(place) {
    super();
    this.#place = place;
  }

  /** Plays exactly these tracks. @param {Map<string, MediaStreamTrack>} tracks by any stable name */
  update(tracks) {
    for (const [key, element] of this.#elements) {
      if (tracks.has(key)) continue;
      element.srcObject = null;
      element.remove();
      this.#elements.delete(key);
    }
    for (const [key, track] of tracks) {
      let element = this.#elements.get(key);
      if (!element) {
        element = document.createElement("audio");
        element.autoplay = true;
        this.#place.append(element);
        this.#elements.set(key, element);
        void this.#route(element);
      }
      const current = element.srcObject instanceof MediaStream ? element.srcObject.getAudioTracks()[0] : null;
      if (current === track) continue;
      element.srcObject = new MediaStream([track]);
      void this.#play(element);
    }
  }

  /** After a click. */
  unblock() {
    this.#blocked = false;
    for (const element of this.#elements.values()) void this.#play(element);
    this.emit("unblocked", null);
  }

  async chooseSpeaker() {
    await Promise.all([...this.#elements.values()].map((element) => this.#route(element)));
  }

  close() {
    this.update(new Map());
  }

  /** @param {HTMLAudioElement} element */
  async #route(element) {
    const speaker = getSetting("speaker");
    if (!speaker || !speakerChoiceAvailable()) return;
    // A speaker that was unplugged since: the system's own will do.
    await element.setSinkId(speaker).catch(() => {});
  }

  /** @param {HTMLAudioElement} element */
  async #play(element) {
    try {
      await element.play();
    } catch (error) {
      if (!(error instanceof Error && error.name === "NotAllowedError") || this.#blocked) return;
      this.#blocked = true;
      this.emit("blocked", null);
      addEventListener("pointerdown", () => this.unblock(), { once: true });
    }
  }
}
