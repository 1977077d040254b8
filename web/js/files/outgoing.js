/** Our files on their way to one person: offering, sending, pausing, resuming. */
import { FILE_LABEL } from "../peer.js";
import { FILE_PROTOCOL_VERSION } from "./protocol.js";
import { safeName } from "./names.js";
import { Interrupted, WINDOW, sendFile, windowFor } from "./sender.js";
import { Transfer } from "./transfer.js";
import { TreeHash } from "./tree.js";

/** @typedef {import("../peer.js").PeerLink} PeerLink */
/** @typedef {import("./protocol.js").FileMessage} FileMessage */

export class OutgoingFile {
  #file;
  #path;
  #hash = new TreeHash();
  #window = WINDOW;
  #accepted = false;
  #started = false;
  /** @type {AbortController | null} the running attempt */
  #attempt = null;
  #wake = () => {};
  #onChange;

  /**
   * @param {object} options
   * @param {File} options.file
   * @param {string} options.id
   * @param {string} options.path where it lies in what was chosen
   * @param {import("./batch.js").Batch} options.batch what it is offered with
   * @param {PeerLink} options.link
   * @param {() => void} options.onChange
   */
  constructor({ file, path, id, batch, link, onChange }) {
    this.#file = file;
    this.#path = path;
    this.batch = batch;
    this.#onChange = onChange;
    /** @type {PeerLink | null} */
    this.link = link;
    this.transfer = new Transfer({
      id,
      direction: "send",
      peer: link.id,
      peerName: link.name,
      name: safeName(file.name),
      size: file.size,
      path: path.split("/"),
      modified: file.lastModified,
    });
  }

  /** Accepted, but nobody has begun to send it. */
  get waiting() {
    return this.#accepted && !this.#started && !this.transfer.finished;
  }

  get running() {
    return this.#attempt !== null;
  }

  /** Says, or says again after a reconnect, what we have. */
  offer() {
    const { id, name, size, modified } = this.transfer;
    const path = this.#path.includes("/") ? this.#path : undefined;
    this.link?.send({ type: "file-offer", id, version: FILE_PROTOCOL_VERSION, name, size, path, batch: this.batch.id, modified });
  }

  /** The connection, or its data channel, is gone: keep everything for the next one. */
  pause() {
    this.#attempt?.abort();
    this.#attempt = null;
    this.#started = false;
    this.#accepted = false;
    if (this.transfer.state === "active" || this.transfer.state === "verifying") this.#set("paused");
  }

  /** The connection is interrupted, and may yet come back with its channels. */
  stall() {
    if (this.transfer.state === "active" && this.#attempt) this.#set("paused");
  }

  /** It did. */
  unstall() {
    if (this.transfer.state !== "paused" || !this.#attempt) return;
    this.transfer.resumes += 1;
    this.#set("active");
  }

  /** @param {FileMessage} message */
  handle(message) {
    const { transfer } = this;
    if (transfer.finished) return;
    switch (message.type) {
      case "file-accept":
        if (this.#attempt || message.offset > transfer.size) return;
        if (transfer.state === "paused") transfer.resumes += 1;
        transfer.done = message.offset;
        this.#window = windowFor(message.window);
        this.#accepted = true;
        this.#started = false;
        this.#onChange();
        break;
      case "file-progress":
        transfer.done = Math.max(transfer.done, Math.min(message.received, transfer.size));
        transfer.noteProgress(performance.now());
        this.batch.changed(this, performance.now());
        this.#wake();
        break;
      case "file-done":
        transfer.done = transfer.size;
        this.#set("done");
        break;
      case "file-decline":
        this.#end("declined");
        break;
      case "file-cancel":
        this.#end("cancelled", message.reason);
        break;
    }
  }

  /** Begins, or goes on from where the other side is. */
  async start() {
    const { transfer, link } = this;
    const offset = transfer.done;
    const channel = link?.openChannel(`${FILE_LABEL}${transfer.id}/${offset}`);
    if (!link || !channel) return;
    this.#started = true;
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#set("active");
    transfer.noteProgress(performance.now());
    // A channel that has done its work is closed by the receiver.
    attempt.signal.addEventListener("abort", () => channel.close());
    try {
      await sendFile({
        file: this.#file,
        channel,
        offset,
        largestMessage: link.connection?.sctp?.maxMessageSize ?? 0,
        hash: this.#hash,
        window: this.#window,
        stored: () => transfer.done,
        onStored: (wake) => {
          this.#wake = wake;
        },
        signal: attempt.signal,
      });
      const digest = await this.#hash.finish();
      if (attempt.signal.aborted) return;
      transfer.digest = digest;
      link.send({ type: "file-end", id: transfer.id, digest: transfer.digest });
      if (transfer.state === "active") this.#set("verifying");
    } catch (error) {
      if (attempt.signal.aborted) return;
      if (error instanceof Interrupted) {
        this.pause();
        // The connection may be well, only this channel gone.
        setTimeout(() => {
          if (transfer.state === "paused" && !this.#attempt) this.offer();
        }, 1_000);
      } else {
        link.send({ type: "file-cancel", id: transfer.id, reason: "the file could not be read" });
        this.#end("failed", "The file could not be read: it was changed, moved or removed meanwhile.");
      }
    }
  }

  cancel() {
    this.link?.send({ type: "file-cancel", id: this.transfer.id, reason: "" });
    this.#end("cancelled");
  }

  /** @param {string} why */
  fail(why) {
    this.#end("failed", why);
  }

  /**
   * @param {import("./transfer.js").TransferState} state
   * @param {string} [error]
   */
  #end(state, error) {
    if (this.transfer.finished) return;
    this.transfer.error = error || null;
    this.#set(state);
  }

  /** @param {import("./transfer.js").TransferState} state */
  #set(state) {
    this.transfer.state = state;
    if (this.transfer.finished) {
      this.#attempt?.abort();
      this.#attempt = null;
      // The list keeps the words, not the memory.
      this.#hash = new TreeHash();
    }
    this.#onChange();
  }
}
