/** Keeps a phone's screen on during a call. Browsers drop the lock when the page is hidden, so it is taken again. */
export class AwakeScreen {
  /** @type {WakeLockSentinel | null} */
  #lock = null;
  #wanted = true;
  #onVisible = () => void this.#take();

  constructor() {
    document.addEventListener("visibilitychange", this.#onVisible);
    void this.#take();
  }

  release() {
    this.#wanted = false;
    document.removeEventListener("visibilitychange", this.#onVisible);
    void this.#lock?.release();
  }

  async #take() {
    if (!this.#wanted || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    try {
      this.#lock = await navigator.wakeLock.request("screen");
      if (!this.#wanted) await this.#lock.release();
    } catch {
      // A low battery, for example: the screen may go dark then.
    }
  }
}
