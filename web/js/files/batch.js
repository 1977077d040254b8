/**
 * What is sent in one go: a file, several, or a folder. Several are one question to the receiver, and one row of the list.
 */
import { Rate } from "./rate.js";

/**
 * @typedef {import("./incoming.js").IncomingFile} IncomingFile
 * @typedef {import("./outgoing.js").OutgoingFile} OutgoingFile
 * @typedef {import("./transfer.js").TransferState} TransferState
 * @typedef {IncomingFile | OutgoingFile} AnyFile
 */

export class Batch {
  /** The receiver's. @type {"asked" | "yes" | "no"} */
  answer = "asked";
  /** Either side ended all of it. */
  cancelled = false;
  /** Those that are not over; of our own, those that were offered. @type {Set<AnyFile>} */
  open = new Set();
  /** All of them, as they came. @type {AnyFile[]} */
  files = [];
  /** Ours that are to be offered yet. @type {OutgoingFile[]} */
  queue = [];
  /** Paths of folders that hold nothing, by their ids: ours until they are made. @type {Map<string, string>} */
  folders = new Map();
  /** Those that came, of the other side. */
  foldersMade = 0;
  /** Where they go that come. @type {import("./places.js").Place | null} */
  place = null;
  /** A note to show before accepting. @type {{ refuse: boolean, words: string }} */
  note = { refuse: false, words: "" };
  counts = { done: 0, skipped: 0, bad: 0 };
  /** Ids of files that were offered with it and are none of it: refused, or of a batch before. @type {Set<string>} */
  apart = new Set();
  #overBytes = 0;
  #rate = new Rate();

  /**
   * @param {object} options
   * @param {string} options.id
   * @param {"send" | "receive"} options.direction
   * @param {string} options.peer
   * @param {string} options.peerName
   * @param {string} options.name
   * @param {number} options.count of files
   * @param {number} options.foldersCount of folders that hold nothing
   * @param {number} options.size bytes of all
   */
  constructor({ id, direction, peer, peerName, name, count, foldersCount, size }) {
    this.id = id;
    this.direction = direction;
    this.peer = peer;
    this.peerName = peerName;
    this.name = name;
    this.count = count;
    this.foldersCount = foldersCount;
    this.size = size;
  }

  /** Whether it is more than a file: several, or with folders around. */
  get isGroup() {
    return this.count !== 1 || this.hasFolders;
  }

  get hasFolders() {
    return this.foldersCount > 0 || this.files.some(({ transfer }) => transfer.path.length > 1);
  }

  /** @param {AnyFile} file */
  add(file) {
    this.files.push(file);
    if (this.direction === "receive") this.open.add(file);
  }

  /** Something has become of a file. @param {AnyFile} file @param {number} now ms */
  changed(file, now) {
    const { transfer } = file;
    if (transfer.finished && this.open.delete(file)) {
      this.#overBytes += transfer.state === "done" ? transfer.size : transfer.done;
      this.counts[transfer.state === "done" ? "done" : transfer.skipped ? "skipped" : "bad"] += 1;
    }
    this.#rate.note(now, this.done);
  }

  /** Everything of ours that was offered is to be offered once more. */
  requeue() {
    this.queue.unshift(.../** @type {Set<OutgoingFile>} */ (this.open));
    this.open.clear();
  }

  /** Bytes that are stored. */
  get done() {
    let done = this.#overBytes;
    for (const { transfer } of this.open) done += transfer.done;
    return done;
  }

  get rate() {
    return this.state === "active" ? this.#rate.value : 0;
  }

  get isOver() {
    if (this.cancelled || this.answer === "no") return this.open.size === 0 && this.queue.length === 0;
    const folders = this.direction === "send" ? this.folders.size === 0 : this.foldersMade >= this.foldersCount;
    const isAnswered = this.direction === "send" || this.answer === "yes" || !this.isGroup;
    return isAnswered && folders && this.files.length + this.apart.size >= this.count && this.open.size === 0 && this.queue.length === 0;
  }

  /** @returns {TransferState} */
  get state() {
    if (this.answer === "no") return "declined";
    if (this.cancelled) return "cancelled";
    if (this.isOver) return this.counts.bad > 0 ? "failed" : "done";
    if (this.direction === "receive" && this.answer === "asked") return "offered";
    const states = new Set([...this.open].map(({ transfer }) => transfer.state));
    if (states.has("active") || states.has("verifying")) return "active";
    if (states.has("paused")) return "paused";
    return this.direction === "send" && this.counts.done === 0 && this.answer === "asked" ? "offered" : "active";
  }

  /** @returns {object} for `window.twocan` */
  snapshot() {
    const { id, peer, direction, name, count, size, done, state, rate, counts, place } = this;
    return { id, peer, direction, name, files: count, arrived: counts.done, skipped: counts.skipped, failed: counts.bad, size, done, state, rate, place: place?.kind ?? null };
  }
}
