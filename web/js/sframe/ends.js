/** Encrypts what we send and opens what we get, from end to end: one worker for all transforms of a page. */

export class Ends {
  #worker;

  /** Whether this browser can. */
  static get possible() {
    return "RTCRtpScriptTransform" in window;
  }

  /** @param {Uint8Array<ArrayBuffer>} baseKey that all in the room share */
  constructor(baseKey) {
    this.#worker = new Worker("/js/sframe/worker.js", { type: "module" });
    this.#worker.postMessage({ action: "share", baseKey });
  }

  /** @param {RTCRtpSender} sender @param {string} codec a MIME type */
  seal(sender, codec) {
    sender.transform = new RTCRtpScriptTransform(this.#worker, { direction: "send", codec });
  }

  /** @param {RTCRtpReceiver} receiver @param {string} codec where frames do not say theirs */
  open(receiver, codec) {
    receiver.transform = new RTCRtpScriptTransform(this.#worker, { direction: "receive", codec });
  }

  close() {
    this.#worker.terminate();
  }
}
