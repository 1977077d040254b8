/** The files panel: what comes and goes, and the questions about it. */
import { append, h, setText, show } from "../dom.js";
import { formatBytes, formatDuration } from "../format.js";
import { IncomingFile } from "../files/incoming.js";
import { Dismissed, availableSink, folderSink, memorySink, opfsSink, pickFile, pickFolder, roomFor } from "../files/sinks.js";
import { dropTarget } from "./tiles.js";
import { icon } from "./icons.js";
import { toast } from "./shell.js";

/** @typedef {import("../files/transfers.js").Transfers} Transfers */
/** @typedef {import("../files/transfer.js").Transfer} Transfer */
/** @typedef {import("../files/outgoing.js").OutgoingFile} OutgoingFile */
/** @typedef {import("../files/sinks.js").SinkKind} SinkKind */

const REFRESH = 400;

export class FilesPanel {
  #transfers;
  #forced;
  /** Found out when the page starts; an offer that comes earlier waits for it. @type {Promise<SinkKind>} */
  #kind;
  /** Everything is welcome: into this folder, or `true` for the browser's own storage. @type {FileSystemDirectoryHandle | boolean} */
  #acceptAll = false;
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {(() => void)[]} */
  #news = [];
  /** @type {(() => void)[]} */
  #offers = [];
  #input = h("input", { type: "file", multiple: true, class: "visually-hidden", testid: "file-input", "aria-label": "Files for everyone", tabIndex: -1 });
  #all = h("button", { type: "button", class: "button small", testid: "accept-all", "aria-pressed": "false" }, "Accept all");
  #empty = h("p", { class: "panel-empty" }, "Drop files on a person, or anywhere for everyone. They go straight to their disk, of any size, and are checked on arrival.");
  #list = h("ul", { class: "transfers" });
  element;

  /**
   * @param {Transfers} transfers
   * @param {{ forced?: "opfs" | "memory" | null }} [options]
   */
  constructor(transfers, { forced = null } = {}) {
    this.#transfers = transfers;
    this.#forced = forced;
    this.#kind = availableSink(forced);
    this.#input.addEventListener("change", () => {
      this.send([...(this.#input.files ?? [])]);
      this.#input.value = "";
    });
    this.#all.addEventListener("click", () => void this.#toggleAcceptAll());
    this.element = h(
      "div",
      { class: "panel-body files", testid: "files-panel" },
      h(
        "div",
        { class: "row" },
        h("button", { type: "button", class: "button primary small", onclick: () => this.#input.click() }, icon("files"), "Choose files"),
        this.#all,
        this.#input,
      ),
      this.#empty,
      this.#list,
    );
    transfers.on("change", () => this.#update());
    transfers.on("offer", (file) => void this.#consider(file));
    transfers.on("received", (transfer) => this.#received(transfer));
    setInterval(() => this.#update(), REFRESH);
    addEventListener("beforeunload", (event) => {
      if (transfers.busy) event.preventDefault();
    });
  }

  /**
   * @param {File[]} files
   * @param {string} [peer] absent: everybody
   */
  send(files, peer) {
    if (files.length === 0) return;
    if (!this.#transfers.send(files, peer)) toast("Nobody is here yet to take files.");
    for (const tell of this.#offers) tell();
  }

  /** @param {() => void} callback something happened that is worth a mark */
  onNews(callback) {
    this.#news.push(callback);
  }

  /** @param {() => void} callback the panel is wanted: a question, or our own files */
  onOffer(callback) {
    this.#offers.push(callback);
  }

  /** @param {HTMLElement} element where a drop means everyone */
  acceptDrops(element) {
    dropTarget(element, (files) => this.send(files));
  }

  /** @param {IncomingFile} file */
  async #consider(file) {
    const kind = this.#acceptAll ? await this.#quietKind() : await this.#kind;
    file.transfer.note = await roomFor(kind, file.transfer.size);
    if (this.#acceptAll && !file.transfer.note.refuse) {
      await this.#acceptQuietly(file);
      for (const tell of this.#news) tell();
    } else {
      for (const tell of this.#offers) tell();
    }
    this.#update();
  }

  /** From a click. @param {IncomingFile} file */
  async #accept(file) {
    const { id, name } = file.transfer;
    try {
      const kind = await this.#kind;
      if (kind === "picker") file.accept(await pickFile(name));
      else file.accept(kind === "opfs" ? await opfsSink(id) : memorySink());
    } catch (error) {
      if (!(error instanceof Dismissed)) toast(`That did not work: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Where a file goes that nobody is asked about: save dialogs want a click. */
  async #quietKind() {
    const kind = await this.#kind;
    return kind === "picker" ? "opfs" : kind;
  }

  /** Without a click: into the folder chosen before, or the browser's own storage. @param {IncomingFile} file */
  async #acceptQuietly(file) {
    const { id, name, size } = file.transfer;
    try {
      if (typeof this.#acceptAll === "object") {
        file.accept(await folderSink(this.#acceptAll, name));
      } else {
        const kind = await this.#quietKind();
        const room = await roomFor(kind, size);
        if (room.refuse) file.transfer.note = room;
        else file.accept(kind === "opfs" ? await opfsSink(id) : memorySink());
      }
    } catch (error) {
      toast(`That did not work: ${error instanceof Error ? error.message : error}`);
    }
  }

  async #toggleAcceptAll() {
    if (this.#acceptAll) {
      this.#acceptAll = false;
    } else {
      try {
        this.#acceptAll = (this.#forced ? null : await pickFolder()) ?? true;
      } catch (error) {
        if (!(error instanceof Dismissed)) toast(`That did not work: ${error instanceof Error ? error.message : error}`);
        return;
      }
      for (const file of this.#transfers.offers) await this.#acceptQuietly(file);
    }
    this.#all.setAttribute("aria-pressed", String(Boolean(this.#acceptAll)));
    this.#all.classList.toggle("on", Boolean(this.#acceptAll));
    setText(this.#all, this.#acceptAll ? "Accepting all" : "Accept all");
    this.#update();
  }

  /** @param {Transfer} transfer */
  #received(transfer) {
    toast(`${transfer.name} has arrived`);
    for (const tell of this.#news) tell();
    if (transfer.blob && !this.#forced) save(transfer);
  }

  #update() {
    const { files } = this.#transfers;
    for (const [id, row] of this.#rows) {
      if (files.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    for (const [id, file] of files) {
      let row = this.#rows.get(id);
      if (!row) {
        row = new Row(file, { accept: (one) => void this.#accept(one), forget: () => this.#transfers.forget(id) });
        this.#rows.set(id, row);
        this.#list.prepend(row.element);
      }
      row.update();
    }
    show(this.#empty, files.size === 0);
  }
}

/** One file in the list. */
class Row {
  #file;
  #progress = h("progress", { max: 1, value: 0 });
  #status = h("p", { class: "transfer-status" });
  #note = h("p", { class: "transfer-note", hidden: true });
  #actions = h("div", { class: "row" });
  #accept = h("button", { type: "button", class: "button primary small", testid: "transfer-accept" }, "Accept");
  #decline = h("button", { type: "button", class: "button small", testid: "transfer-decline" }, "Decline");
  #cancel = h("button", { type: "button", class: "button small", testid: "transfer-cancel" }, "Cancel");
  #save = h("button", { type: "button", class: "button primary small", testid: "transfer-save" }, "Save");
  #forget = h("button", { type: "button", class: "button small quiet", testid: "transfer-forget" }, "Remove from list");
  element;

  /**
   * @param {OutgoingFile | IncomingFile} file
   * @param {{ accept: (file: IncomingFile) => void, forget: () => void }} actions
   */
  constructor(file, { accept, forget }) {
    this.#file = file;
    const { transfer } = file;
    const incoming = transfer.direction === "receive";
    append(this.#actions, [this.#accept, this.#decline, this.#cancel, this.#save, this.#forget]);
    this.#accept.addEventListener("click", () => file instanceof IncomingFile && accept(file));
    this.#decline.addEventListener("click", () => file instanceof IncomingFile && file.decline());
    this.#cancel.addEventListener("click", () => file.cancel());
    this.#save.addEventListener("click", () => save(transfer));
    this.#forget.addEventListener("click", forget);
    this.#progress.setAttribute("aria-label", `Progress of ${transfer.name}`);
    this.element = h(
      "li",
      { class: "transfer", testid: "transfer", data: { id: transfer.id, direction: transfer.direction, state: transfer.state } },
      h("p", { class: "transfer-name" }, icon(incoming ? "download" : "share"), h("span", {}, transfer.name)),
      h("p", { class: "transfer-with" }, `${incoming ? "from" : "to"} ${transfer.peerName} · ${formatBytes(transfer.size)}`),
      this.#progress,
      this.#status,
      this.#note,
      this.#actions,
    );
  }

  update() {
    const { transfer } = this.#file;
    const { state, size, done } = transfer;
    const incoming = transfer.direction === "receive";
    this.element.dataset.state = state;
    const value = size === 0 ? (state === "done" ? 1 : 0) : done / size;
    if (this.#progress.value !== value) this.#progress.value = value;
    show(this.#progress, state === "active" || state === "paused" || state === "verifying");
    setText(this.#status, statusInWords(transfer));
    show(this.#note, state === "offered" && incoming && transfer.note.words !== "");
    setText(this.#note, transfer.note.words);
    show(this.#accept, state === "offered" && incoming);
    this.#accept.disabled = transfer.note.refuse;
    show(this.#decline, state === "offered" && incoming);
    show(this.#cancel, !transfer.finished && !(state === "offered" && incoming));
    show(this.#save, state === "done" && transfer.blob !== null);
    show(this.#forget, transfer.finished);
  }
}

/** @param {Transfer} transfer */
function statusInWords(transfer) {
  const { state, size, done, rate, direction, error } = transfer;
  const share = size === 0 ? 100 : Math.floor((done / size) * 100);
  switch (state) {
    case "offered":
      return direction === "send" ? "Waiting for a yes" : "Do you want it?";
    case "active":
      if (rate <= 0) return `${share} % · ${formatBytes(done)}`;
      return `${share} % · ${formatBytes(rate)}/s · ${formatDuration((size - done) / rate)} left`;
    case "paused":
      return `${share} % · interrupted, goes on when the connection is back`;
    case "verifying":
      return "Checking what arrived…";
    case "done":
      return direction === "send" ? "Arrived, checksum equal" : "Complete, checksum equal";
    case "declined":
      return direction === "send" ? "They declined" : "Declined";
    case "cancelled":
      return error ? `Cancelled: ${error}` : "Cancelled";
    case "failed":
      return error ?? "Failed";
  }
}

/** @param {Transfer} transfer */
function save({ blob, name }) {
  if (!blob) return;
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  // The browser reads on for as long as the download takes.
  setTimeout(() => URL.revokeObjectURL(url), 3_600_000);
}
