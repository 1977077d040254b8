/** A file that someone offers us: asking, receiving, pausing, verifying. */
import { Receiver } from "./receiver.js";
import { Transfer } from "./transfer.js";

/** @typedef {import("../peer.js").PeerLink} PeerLink */
/** @typedef {import("./protocol.js").FileMessage} FileMessage */
/** @typedef {import("./sinks.js").Sink} Sink */

export class IncomingFile {
  /** @type {Receiver | null} */
  #receiver = null;
  /** @type {Sink | null} */
  #sink = null;
  /** @type {RTCDataChannel | null} */
  #channel = null;
  /** @type {string | null} */
  #expected = null;
  #checking = false;
  #onChange;
  #onDone;

  /**
   * @param {object} options
   * @param {import("./protocol.js").Offer} options.offer
   * @param {string[]} options.path
   * @param {import("./batch.js").Batch} options.batch
   * @param {PeerLink} options.link
   * @param {() => void} options.onChange
   * @param {(transfer: Transfer) => void} options.onDone
   */
  constructor({ offer, path, batch, link, onChange, onDone }) {
    this.batch = batch;
    this.#onChange = onChange;
    this.#onDone = onDone;
    /** @type {PeerLink | null} */
    this.link = link;
    this.transfer = new Transfer({
      id: offer.id,
      direction: "receive",
      peer: link.id,
      peerName: link.name,
      name: offer.name,
      size: offer.size,
      path,
      modified: offer.modified,
    });
  }

  /** The person said yes, and this is where it goes. @param {Sink} sink */
  accept(sink) {
    const { transfer } = this;
    // Withdrawn, or accepted already, while the person was choosing a place.
    if (transfer.state !== "offered") {
      void sink.abort();
      return;
    }
    this.#sink = sink;
    transfer.sink = sink.kind;
    this.#receiver = new Receiver({
      size: transfer.size,
      sink,
      onStored: (stored) => this.#stored(stored),
      onError: (error) => this.#storageFailed(error),
    });
    this.#set("active");
    transfer.noteProgress(performance.now());
    this.#sendAccept();
  }

  /** The same offer again: the other side has reconnected. @param {PeerLink} link */
  offeredAgain(link) {
    this.link = link;
    const { transfer } = this;
    if (transfer.state === "done") {
      link.send({ type: "file-done", id: transfer.id });
    } else if (transfer.finished) {
      link.send({ type: transfer.state === "declined" ? "file-decline" : "file-cancel", id: transfer.id, reason: "" });
    } else if (this.#receiver) {
      // What the old channel still delivers would come twice.
      this.#dropChannel();
      if (transfer.state === "paused") {
        transfer.resumes += 1;
        this.#set("active");
      }
      this.#sendAccept();
    }
  }

  /** @param {RTCDataChannel} channel whose label names this file and an offset */
  take(channel) {
    const offset = Number(channel.label.split("/")[2]);
    if (!this.#receiver || this.transfer.finished || offset !== this.#receiver.received) {
      channel.close();
      return;
    }
    this.#dropChannel();
    this.#channel = channel;
    channel.binaryType = "arraybuffer";
    channel.onmessage = ({ data }) => {
      if (channel !== this.#channel || !this.#receiver || !(data instanceof ArrayBuffer)) return;
      try {
        this.#receiver.take(data);
      } catch (error) {
        this.#fail(error instanceof Error ? error.message : String(error));
        return;
      }
      void this.#check();
    };
    channel.onclose = () => {
      if (channel === this.#channel && !this.#receiver?.complete) this.pause();
    };
    void this.#check();
  }

  pause() {
    this.#dropChannel();
    if (this.transfer.state === "active" && !this.#receiver?.complete) this.#set("paused");
  }

  /** The connection is interrupted, and may yet come back with its channels. */
  stall() {
    if (this.transfer.state === "active" && this.#channel) this.#set("paused");
  }

  /** It did. */
  unstall() {
    if (this.transfer.state !== "paused" || !this.#channel) return;
    this.transfer.resumes += 1;
    this.#set("active");
  }

  /** @param {FileMessage} message */
  handle(message) {
    if (this.transfer.finished) return;
    if (message.type === "file-end") {
      this.#expected = message.digest;
      void this.#check();
    } else if (message.type === "file-cancel") {
      this.#end("cancelled", message.reason);
    }
  }

  /** What has its name stays. */
  skip() {
    this.transfer.skipped = true;
    this.decline();
  }

  /** It cannot go where it should. @param {unknown} error */
  refuse(error) {
    this.#storageFailed(error);
  }

  decline() {
    this.link?.send({ type: "file-decline", id: this.transfer.id });
    this.#end("declined");
  }

  cancel() {
    this.link?.send({ type: "file-cancel", id: this.transfer.id, reason: "" });
    this.#end("cancelled");
  }

  /** @param {string} why */
  fail(why) {
    this.#end("failed", why);
  }

  #sendAccept() {
    this.link?.send({ type: "file-accept", id: this.transfer.id, offset: this.#receiver?.received ?? 0 });
  }

  /** @param {number} stored */
  #stored(stored) {
    const { transfer } = this;
    if (transfer.finished) return;
    transfer.done = stored;
    transfer.noteProgress(performance.now());
    this.batch.changed(this, performance.now());
    this.link?.send({ type: "file-progress", id: transfer.id, received: stored });
  }

  /** With every byte and the sender's digest here: compare, and close the file. */
  async #check() {
    const { transfer } = this;
    const receiver = this.#receiver;
    if (!receiver?.complete || !this.#expected || this.#checking || transfer.finished) return;
    this.#checking = true;
    this.#set("verifying");
    try {
      transfer.digest = await receiver.finish();
      if (transfer.finished) return;
      if (transfer.digest !== this.#expected) {
        this.#fail("The checksum differs: what arrived is not what was sent. Please send it again.");
        return;
      }
      const blob = (await this.#sink?.finish()) ?? null;
      if (transfer.finished) return;
      transfer.blob = blob;
    } catch (error) {
      this.#storageFailed(error);
      return;
    }
    transfer.done = transfer.size;
    this.#letGo();
    this.#set("done");
    this.link?.send({ type: "file-done", id: transfer.id });
    this.#onDone(transfer);
  }

  /** @param {unknown} error */
  #storageFailed(error) {
    this.#fail(`The file could not be stored: ${error instanceof Error ? error.message : String(error)}`);
  }

  /** @param {string} why */
  #fail(why) {
    if (this.transfer.finished) return;
    this.link?.send({ type: "file-cancel", id: this.transfer.id, reason: "it could not be received" });
    this.#end("failed", why);
  }

  /**
   * @param {import("./transfer.js").TransferState} state
   * @param {string} [error]
   */
  #end(state, error) {
    if (this.transfer.finished) return;
    this.transfer.error = error || null;
    void this.#sink?.abort();
    this.#letGo();
    this.#set(state);
  }

  /** Nothing more will come: the list keeps the words, not the memory. */
  #letGo() {
    this.#dropChannel();
    this.#receiver = null;
    this.#sink = null;
  }

  #dropChannel() {
    const channel = this.#channel;
    this.#channel = null;
    channel?.close();
  }

  /** @param {import("./transfer.js").TransferState} state */
  #set(state) {
    this.transfer.state = state;
    this.#onChange();
  }
}
