/** Rows of the list of files: one for a file, one for several that go together. */
import { append, h, setText, show } from "../dom.js";
import { formatBytes, formatDuration } from "../format.js";
import { MOST_DOWNLOADS } from "../files/places.js";
import { icon } from "./icons.js";

/** @typedef {import("../files/batch.js").Batch} Batch */
/** @typedef {import("../files/transfer.js").Transfer} Transfer */

/**
 * @typedef {object} Actions
 * @property {(as?: "zip") => void} accept
 * @property {() => void} decline
 * @property {() => void} cancel
 * @property {() => void} save
 * @property {() => void} forget
 */

/** Files of a batch that its list names at once. */
const MOST_NAMED = 100;

/** What both have: name, progress, words, buttons. */
class Row {
  progress = h("progress", { max: 1, value: 0 });
  status = h("p", { class: "transfer-status" });
  note = h("p", { class: "transfer-note", hidden: true });
  accept = h("button", { type: "button", class: "button primary small", testid: "transfer-accept" }, "Accept");
  acceptZip = h("button", { type: "button", class: "button small", testid: "transfer-accept-zip", hidden: true }, "As a ZIP file");
  decline = h("button", { type: "button", class: "button small", testid: "transfer-decline" }, "Decline");
  cancel = h("button", { type: "button", class: "button small", testid: "transfer-cancel" }, "Cancel");
  save = h("button", { type: "button", class: "button primary small", testid: "transfer-save" }, "Save");
  forget = h("button", { type: "button", class: "button small quiet", testid: "transfer-forget" }, "Remove from list");
  actions = h("div", { class: "row" });

  /** @param {Actions} actions */
  constructor(actions) {
    append(this.actions, [this.accept, this.acceptZip, this.decline, this.cancel, this.save, this.forget]);
    this.accept.addEventListener("click", () => actions.accept());
    this.acceptZip.addEventListener("click", () => actions.accept("zip"));
    this.decline.addEventListener("click", actions.decline);
    this.cancel.addEventListener("click", actions.cancel);
    this.save.addEventListener("click", actions.save);
    this.forget.addEventListener("click", actions.forget);
  }

  /**
   * @param {{ state: string, direction: string, size: number, done: number, note: { refuse: boolean, words: string } }} what
   * @param {{ words: string, isOver: boolean, canSave: boolean }} shown
   */
  show({ state, direction, size, done, note }, { words, isOver, canSave }) {
    const isQuestion = state === "offered" && direction === "receive";
    const value = size === 0 ? (state === "done" ? 1 : 0) : done / size;
    if (this.progress.value !== value) this.progress.value = value;
    show(this.progress, state === "active" || state === "paused" || state === "verifying");
    setText(this.status, words);
    show(this.note, isQuestion && note.words !== "");
    setText(this.note, note.words);
    show(this.accept, isQuestion);
    this.accept.disabled = note.refuse;
    show(this.decline, isQuestion);
    show(this.cancel, !isOver && !isQuestion);
    show(this.save, canSave);
    show(this.forget, isOver);
  }
}

/** One file in the list. */
export class FileRow {
  #transfer;
  #row;
  element;

  /**
   * @param {Transfer} transfer
   * @param {Actions} actions
   */
  constructor(transfer, actions) {
    this.#transfer = transfer;
    this.#row = new Row(actions);
    const incoming = transfer.direction === "receive";
    this.#row.progress.setAttribute("aria-label", `Progress of ${transfer.name}`);
    this.element = h(
      "li",
      { class: "transfer", testid: "transfer", data: { id: transfer.id, direction: transfer.direction, state: transfer.state } },
      h("p", { class: "transfer-name" }, icon(incoming ? "download" : "share"), h("span", {}, transfer.name)),
      h("p", { class: "transfer-with" }, `${incoming ? "from" : "to"} ${transfer.peerName} · ${formatBytes(transfer.size)}`),
      this.#row.progress,
      this.#row.status,
      this.#row.note,
      this.#row.actions,
    );
  }

  update() {
    const transfer = this.#transfer;
    this.element.dataset.state = transfer.state;
    const canSave = transfer.state === "done" && transfer.blob !== null;
    this.#row.show(transfer, { words: fileInWords(transfer), isOver: transfer.finished, canSave });
  }
}

/** Several files, or a folder. */
export class BatchRow {
  #batch;
  #row;
  #canChoose;
  #list = h("ul", { class: "batch-files" });
  #details = h("details", { class: "batch-details", testid: "batch-details" }, h("summary", {}, "Show the files"), this.#list);
  element;

  /**
   * @param {Batch} batch
   * @param {Actions} actions
   * @param {boolean} canChoose whether the person can choose a folder for them
   */
  constructor(batch, actions, canChoose) {
    this.#batch = batch;
    this.#canChoose = canChoose;
    this.#row = new Row(actions);
    const incoming = batch.direction === "receive";
    this.#row.progress.setAttribute("aria-label", `Progress of ${batch.name}`);
    this.element = h(
      "li",
      { class: "transfer", testid: "batch", data: { id: batch.id, direction: batch.direction, state: batch.state } },
      h("p", { class: "transfer-name" }, icon(batch.hasFolders ? "folder" : "files"), h("span", {}, batch.name)),
      h("p", { class: "transfer-with" }, `${incoming ? "from" : "to"} ${batch.peerName} · ${contents(batch)}`),
      this.#row.progress,
      this.#row.status,
      this.#row.note,
      this.#row.actions,
      this.#details,
    );
    this.#details.addEventListener("toggle", () => this.#listFiles());
  }

  update() {
    const batch = this.#batch;
    const { state, isOver, place } = batch;
    this.element.dataset.state = state;
    const canSave = isOver && place?.kind === "zip" && batch.counts.done > 0;
    this.#row.show(batch, { words: batchInWords(batch), isOver, canSave });
    const becomesZip = batch.hasFolders || batch.count > MOST_DOWNLOADS;
    setText(this.#row.accept, this.#canChoose ? "Accept into a folder…" : becomesZip ? "Accept as a ZIP file" : "Accept");
    show(this.#row.acceptZip, state === "offered" && batch.direction === "receive" && this.#canChoose);
    this.#row.acceptZip.disabled = batch.note.refuse;
    setText(this.#row.save, "Save the ZIP file");
    show(this.#details, batch.files.length > 0 && state !== "declined");
    this.#listFiles();
  }

  /** Those that went wrong first, then those under way, as long as somebody looks. */
  #listFiles() {
    if (!this.#details.open) return;
    const { files, open } = this.#batch;
    const rank = (/** @type {Transfer} */ { state, finished }) => (finished && state !== "done" ? 0 : open.size > 0 && !finished && state !== "offered" ? 1 : 2);
    const named = [0, 1, 2].flatMap((wanted) => files.filter(({ transfer }) => rank(transfer) === wanted)).slice(0, MOST_NAMED);
    named.forEach(({ transfer }, index) => {
      const line = this.#list.children[index] ?? this.#list.appendChild(h("li", {}, h("span", { class: "batch-path" }), h("span", { class: "batch-state" })));
      const [path, state] = line.children;
      setText(path, transfer.path.join("/"));
      setText(state, shortly(transfer));
    });
    const more = files.length - named.length;
    const last = this.#list.children[named.length] ?? (more > 0 ? this.#list.appendChild(h("li")) : null);
    if (last && more > 0) last.replaceChildren(`and ${more} more`);
    while (this.#list.children.length > named.length + (more > 0 ? 1 : 0)) this.#list.lastElementChild?.remove();
  }
}

/** @param {number} count */
const filesInWords = (count) => (count === 1 ? "1 file" : `${count} files`);

/** @param {Batch} batch */
function contents({ count, foldersCount, size }) {
  if (count === 0) return foldersCount === 1 ? "an empty folder" : `${foldersCount} empty folders`;
  return `${filesInWords(count)} · ${formatBytes(size)}`;
}

/** @param {Batch} batch */
function batchInWords(batch) {
  const { state, size, done, rate, direction, count, counts } = batch;
  const sends = direction === "send";
  const percent = size === 0 ? 100 : Math.floor((done / size) * 100);
  const so_far = `${counts.done} of ${filesInWords(count)}`;
  switch (state) {
    case "offered":
      return sends ? "Waiting for a yes" : "Do you want it?";
    case "paused":
      return `${so_far} · interrupted, goes on when the connection is back`;
    case "done": {
      const skipped = counts.skipped > 0 ? `; ${filesInWords(counts.skipped)} skipped, since one of the name is there` : "";
      if (count === 0) return sends ? "Arrived" : "Complete";
      return `${sends ? "Arrived" : "Complete"}, ${counts.done === 1 ? "checksum" : "all checksums"} equal${skipped}`;
    }
    case "declined":
      return sends ? "They declined" : "Declined";
    case "cancelled":
      return counts.done > 0 ? `Cancelled: ${so_far} arrived` : "Cancelled";
    case "failed":
      return `${so_far} arrived; ${counts.bad} did not, for the reasons in the list`;
    default: {
      const left = rate > 0 ? ` · ${formatBytes(rate)}/s · ${formatDuration((size - done) / rate)} left` : "";
      return `${so_far} · ${percent} %${left}`;
    }
  }
}

/** What has become of a file of several. @param {Transfer} transfer */
function shortly({ state, size, done, error, skipped }) {
  switch (state) {
    case "offered":
      return formatBytes(size);
    case "done":
      return "✓";
    case "active":
    case "paused":
      return `${size === 0 ? 100 : Math.floor((done / size) * 100)} %`;
    case "verifying":
      return "checking…";
    case "declined":
      return skipped ? "skipped" : "declined";
    default:
      return error ?? (state === "cancelled" ? "cancelled" : "failed");
  }
}

/** @param {Transfer} transfer */
function fileInWords(transfer) {
  const { state, size, done, rate, direction, error, skipped } = transfer;
  const percent = size === 0 ? 100 : Math.floor((done / size) * 100);
  switch (state) {
    case "offered":
      return direction === "send" ? "Waiting for a yes" : "Do you want it?";
    case "active":
      if (rate <= 0) return `${percent} % · ${formatBytes(done)}`;
      return `${percent} % · ${formatBytes(rate)}/s · ${formatDuration((size - done) / rate)} left`;
    case "paused":
      return `${percent} % · interrupted, goes on when the connection is back`;
    case "verifying":
      return "Checking what arrived…";
    case "done":
      return direction === "send" ? "Arrived, checksum equal" : "Complete, checksum equal";
    case "declined":
      return direction === "send" ? "They declined" : skipped ? "Skipped: one of this name is there" : "Declined";
    case "cancelled":
      return error ? `Cancelled: ${error}` : "Cancelled";
    case "failed":
      return error ?? "Failed";
  }
}
