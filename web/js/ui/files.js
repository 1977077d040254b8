/** The files panel: what comes and goes, and the questions about it. */
import { h, setText, show } from "../dom.js";
import { EachPlace, FolderPlace, GivenPlace, MOST_DOWNLOADS, ZipPlace } from "../files/places.js";
import { MOST_FILES, TooMany, canChooseFolders, selectionOf } from "../files/selection.js";
import { Dismissed, availableSink, memorySink, opfsSink, pickFile, roomFor } from "../files/sinks.js";
import { askExisting } from "./existing.js";
import { icon } from "./icons.js";
import { toast } from "./shell.js";
import { dropTarget } from "./tiles.js";
import { BatchRow, FileRow } from "./transfer-rows.js";

/** @typedef {import("../files/batch.js").Batch} Batch */
/** @typedef {import("../files/incoming.js").IncomingFile} IncomingFile */
/** @typedef {import("../files/places.js").Place} Place */
/** @typedef {import("../files/selection.js").Selection} Selection */
/** @typedef {import("../files/sinks.js").SinkKind} SinkKind */
/** @typedef {import("../files/transfers.js").Transfers} Transfers */

/** ms */
const REFRESH = 400;
/** The list is drawn no more often than that, however many small files come; ms. */
const PAUSE = 80;

export class FilesPanel {
  #transfers;
  #forced;
  /** Found out when the page starts; an offer that comes earlier waits for it. @type {Promise<SinkKind>} */
  #kind;
  /** Everything is welcome: into this folder, or `true` for the browser's own storage. @type {FileSystemDirectoryHandle | boolean} */
  #acceptAll = false;
  /** @type {Map<Batch, FileRow | BatchRow>} */
  #rows = new Map();
  /** @type {(() => void)[]} */
  #news = [];
  /** @type {(() => void)[]} */
  #offers = [];
  #drawn = 0;
  #isDue = false;
  #all = h("button", { type: "button", class: "button small", testid: "accept-all", "aria-pressed": "false" }, "Accept all");
  #empty = h("p", { class: "panel-empty" }, "Drop files or folders on a person, or anywhere for everyone. They go straight to their disk, of any size, and are checked on arrival.");
  #list = h("ul", { class: "transfers" });
  element;

  /**
   * @param {Transfers} transfers
   * @param {{ forced?: "opfs" | "memory" | null, choosesElsewhere?: boolean }} [options] `choosesElsewhere`: the buttons for files
   *   are somewhere else on the page
   */
  constructor(transfers, { forced = null, choosesElsewhere = false } = {}) {
    this.#transfers = transfers;
    this.#forced = forced;
    this.#kind = availableSink(forced);
    this.#all.addEventListener("click", () => void this.#toggleAcceptAll());
    this.element = h(
      "div",
      { class: "panel-body files", testid: "files-panel" },
      h("div", { class: "row" }, ...(choosesElsewhere ? [] : this.chooseButtons({ small: true, testid: "file-input" })), this.#all),
      this.#empty,
      this.#list,
    );
    transfers.on("change", () => this.#update());
    transfers.on("offer", (batch) => void this.#consider(batch));
    transfers.on("received", (file) => this.#received(file));
    transfers.on("arrived", (batch) => this.#arrived(batch));
    setInterval(() => this.#draw(), REFRESH);
    addEventListener("beforeunload", (event) => {
      if (transfers.busy) event.preventDefault();
    });
  }

  /**
   * Buttons for files and for a folder, with the inputs behind them.
   *
   * @param {{ small?: boolean, testid: string, peer?: string, words?: [string, string] }} options `testid`: of the input for files
   */
  chooseButtons({ small = false, testid, peer, words = ["Choose files", "Choose a folder"] }) {
    const size = small ? " small" : "";
    const files = h("input", { type: "file", multiple: true, class: "visually-hidden", testid, "aria-label": words[0], tabIndex: -1 });
    const folder = h("input", { type: "file", webkitdirectory: true, class: "visually-hidden", testid: testid.replace("file", "folder"), "aria-label": words[1], tabIndex: -1 });
    for (const input of [files, folder]) {
      input.addEventListener("change", () => {
        this.send(selectionOf(input.files ?? []), peer);
        input.value = "";
      });
    }
    return [
      h("button", { type: "button", class: `button${peer ? "" : " primary"}${size}`, onclick: () => files.click() }, icon("files"), words[0]),
      canChooseFolders ? h("button", { type: "button", class: `button${size}`, testid: "choose-folder", onclick: () => folder.click() }, icon("folder"), words[1]) : null,
      files,
      canChooseFolders ? folder : null,
    ];
  }

  /**
   * @param {Selection | Promise<Selection>} selection
   * @param {string} [peer] absent: everybody
   */
  async send(selection, peer) {
    try {
      const { files, folders } = await selection;
      if (files.length > MOST_FILES) throw new TooMany();
      if (files.length + folders.length === 0) return;
      if (!this.#transfers.send({ files, folders }, peer)) toast("Nobody is here yet to take files.");
    } catch (error) {
      const isMany = error instanceof TooMany;
      toast(isMany ? `These are more than ${MOST_FILES} files: pack them into an archive, or use twocan in a terminal.` : `That could not be read: ${inWords(error)}`);
      return;
    }
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

  /** @param {HTMLElement} element where a drop means everyone, or one person */
  acceptDrops(element, peer = "") {
    dropTarget(element, (selection) => void this.send(selection, peer || undefined));
  }

  /** @param {Batch} batch */
  async #consider(batch) {
    const kind = this.#acceptAll || batch.isGroup ? await this.#quietKind() : await this.#kind;
    const goesToDisk = batch.isGroup && this.#canChooseFolder;
    const note = goesToDisk && !this.#acceptAll ? { refuse: false, words: "" } : await roomFor(kind, batch.size);
    batch.note = note;
    for (const { transfer } of batch.files) transfer.note = note;
    if (this.#acceptAll && !note.refuse) {
      this.#transfers.accept(batch, await this.#quietPlace(batch));
      for (const tell of this.#news) tell();
    } else {
      for (const tell of this.#offers) tell();
    }
    this.#update();
  }

  /** Whether several can go into a folder of the person's own. */
  get #canChooseFolder() {
    return !this.#forced && Boolean(window.showDirectoryPicker);
  }

  /** From a click. @param {Batch} batch @param {"zip"} [as] */
  async #accept(batch, as) {
    try {
      this.#transfers.accept(batch, await this.#place(batch, as));
    } catch (error) {
      if (!(error instanceof Dismissed)) toast(`That did not work: ${inWords(error)}`);
    }
  }

  /** Where a batch goes, asked from within a click. @param {Batch} batch @param {"zip"} [as] @returns {Promise<Place>} */
  async #place(batch, as) {
    if (batch.isGroup) {
      const directory = this.#canChooseFolder && !as ? await FolderPlace.pick() : null;
      return directory ? new FolderPlace(directory, (path) => askExisting(path, batch)) : this.#quietPlace(batch);
    }
    const kind = await this.#kind;
    const [file] = batch.files;
    if (kind === "picker") return new GivenPlace(await pickFile(batch.name));
    return new GivenPlace(kind === "opfs" ? await opfsSink(file.transfer.id) : memorySink());
  }

  /** Where files go that nobody is asked about: save dialogs want a click. @returns {Promise<"opfs" | "memory">} */
  async #quietKind() {
    const kind = await this.#kind;
    return kind === "memory" ? "memory" : "opfs";
  }

  /** Into the folder chosen before, or the browser's own storage. @param {Batch} batch @returns {Promise<Place>} */
  async #quietPlace(batch) {
    if (typeof this.#acceptAll === "object") return new FolderPlace(this.#acceptAll, async () => "keep-both");
    const store = await this.#quietKind();
    return batch.hasFolders || batch.count > MOST_DOWNLOADS ? new ZipPlace(store) : new EachPlace(store);
  }

  async #toggleAcceptAll() {
    if (this.#acceptAll) {
      this.#acceptAll = false;
    } else {
      try {
        this.#acceptAll = (this.#forced ? null : await FolderPlace.pick()) ?? true;
      } catch (error) {
        if (!(error instanceof Dismissed)) toast(`That did not work: ${inWords(error)}`);
        return;
      }
      for (const batch of this.#transfers.offers) await this.#consider(batch);
    }
    this.#all.setAttribute("aria-pressed", String(Boolean(this.#acceptAll)));
    this.#all.classList.toggle("on", Boolean(this.#acceptAll));
    setText(this.#all, this.#acceptAll ? "Accepting all" : "Accept all");
    this.#update();
  }

  /** @param {IncomingFile} file */
  #received({ batch, transfer }) {
    if (!batch.isGroup) this.#tell(batch);
    if (transfer.blob && !this.#forced) save(transfer.blob, transfer.name);
  }

  /** @param {Batch} batch all of it */
  #arrived(batch) {
    this.#tell(batch);
    if (!this.#forced) saveArchive(batch);
  }

  /** @param {Batch} batch */
  #tell(batch) {
    toast(batch.counts.bad > 0 ? `Not all of ${batch.name} has arrived` : `${batch.name} has arrived`);
    for (const tell of this.#news) tell();
  }

  #update() {
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => this.#draw(), Math.max(0, this.#drawn + PAUSE - performance.now()));
  }

  #draw() {
    this.#isDue = false;
    this.#drawn = performance.now();
    const { batches } = this.#transfers;
    for (const [batch, row] of this.#rows) {
      // A folder with one file in it was taken for the file.
      if (batches.get(batch.id) === batch && row instanceof BatchRow === batch.isGroup) continue;
      row.element.remove();
      this.#rows.delete(batch);
    }
    for (const batch of batches.values()) {
      const row = this.#rows.get(batch) ?? this.#addRow(batch);
      row?.update();
    }
    show(this.#empty, batches.size === 0);
  }

  /** @param {Batch} batch */
  #addRow(batch) {
    const [file] = batch.files;
    if (!batch.isGroup && !file) return null;
    const actions = {
      accept: (/** @type {"zip" | undefined} */ as) => void this.#accept(batch, as),
      decline: () => this.#transfers.decline(batch),
      cancel: () => this.#transfers.cancel(batch),
      save: () => (batch.isGroup ? saveArchive(batch) : file.transfer.blob && save(file.transfer.blob, file.transfer.name)),
      forget: () => this.#transfers.forget(batch),
    };
    const row = batch.isGroup ? new BatchRow(batch, actions, this.#canChooseFolder) : new FileRow(file.transfer, actions);
    this.#rows.set(batch, row);
    this.#list.prepend(row.element);
    return row;
  }
}

/** @param {unknown} error */
function inWords(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {Batch} batch */
function saveArchive({ place, name, counts }) {
  if (place instanceof ZipPlace && counts.done > 0) save(place.archive(), `${name}.zip`);
}

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  // The browser reads on for as long as the download takes.
  setTimeout(() => URL.revokeObjectURL(url), 3_600_000);
}
