/** What others' microphones and shared screens play here: one audio element each, on the chosen speaker. */
import { Emitter } from "../emitter.js";
import { getSetting } from "../settings.js";
import { speakerFor } from "./choice.js";
import { listDevices, speakerChoiceAvailable } from "./devices.js";

/**
 * `blocked`: the browser wants a click before it plays; `news`: words for a toast.
 *
 * @extends {Emitter<{ blocked: null, unblocked: null, news: string }>}
 */
export class Sound extends Emitter {
  /** @type {Map<string, HTMLAudioElement>} */
  #elements = new Map();
  #place;
  #blocked = false;
  /** The speaker in use: its id, empty for the system's own, and its name. */
  #speaker = { id: "", label: "" };
  #onDevices = () => void this.#devicesChanged();

  /** @param {HTMLElement} place where the elements live, unseen */
  constructor(place) {
    super();
    this.#place = place;
    navigator.mediaDevices?.addEventListener("devicechange", this.#onDevices);
    void this.chooseSpeaker();
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

  /** Plays on the speaker that the person chose, while it is there; on the system's own otherwise. */
  async chooseSpeaker() {
    if (!speakerChoiceAvailable()) return;
    const { speakers } = await listDevices();
    const id = speakerFor(speakers, getSetting("speaker"));
    this.#speaker = { id, label: speakers.find((one) => one.id === id)?.label ?? "" };
    await Promise.all([...this.#elements.values()].map((element) => this.#route(element)));
  }

  close() {
    navigator.mediaDevices?.removeEventListener("devicechange", this.#onDevices);
    this.update(new Map());
  }

  async #devicesChanged() {
    const before = this.#speaker;
    await this.chooseSpeaker();
    const now = this.#speaker;
    if (before.id === now.id) return;
    if (now.id === "") this.emit("news", `${before.label} is gone. You hear the others on the system's own speaker.`);
    else this.emit("news", `${now.label} is back: you hear the others there.`);
  }

  /** @param {HTMLAudioElement} element */
  async #route(element) {
    if (!speakerChoiceAvailable() || element.sinkId === this.#speaker.id) return;
    // It may have gone this very moment: then it stays where it was.
    await element.setSinkId(this.#speaker.id).catch(() => {});
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
