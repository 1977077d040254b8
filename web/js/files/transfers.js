/**
 * All files of a room, in both directions: offers them, queues them, and carries them over from a lost connection to
 * the next one. What was chosen in one go is a batch, and one question.
 */
import { Emitter } from "../emitter.js";
import { FILE_LABEL } from "../peer.js";
import { Batch } from "./batch.js";
import { IncomingFile } from "./incoming.js";
import { OutgoingFile } from "./outgoing.js";
import { FILE_PROTOCOL_VERSION, newFileId, parseFileMessage } from "./protocol.js";
import { nameOf } from "./selection.js";

/** @typedef {import("../peer.js").PeerLink} PeerLink */
/** @typedef {import("../room.js").Room} Room */
/** @typedef {import("./places.js").Place} Place */
/** @typedef {import("./protocol.js").FileMessage} FileMessage */
/** @typedef {import("./selection.js").Selection} Selection */
/** @typedef {import("./sinks.js").Sink} Sink */
/** @typedef {import("./transfer.js").Transfer} Transfer */

/** So many files go to one person at once; the others wait. */
const PARALLEL = 4;
/** So many are offered to one person and not over: many small ones must not wait for a round trip each. */
const OFFERED = 64;
/** So many offers of one person may be open. */
const OFFERS_PER_PEER = 200;
/** So many batches that nobody has answered. */
const BATCHES_PER_PEER = 64;
/** So many files of one batch are taken; a terminal takes more. */
const FILES_PER_BATCH = 100_000;
/** So many batches that are over are kept on the list for one person; then the oldest go. */
const KEPT_PER_PEER = 200;
/** A person who left without a word may come back for so long, ms. */
const RETURN_PATIENCE = 120_000;
/** And where a code says who it is, however often they come anew. */
const SEALED_RETURN_PATIENCE = 600_000;

/** @extends {Emitter<{ change: null, offer: Batch, received: IncomingFile, arrived: Batch }>} */
export class Transfers extends Emitter {
  /** @type {Map<string, OutgoingFile | IncomingFile>} in order of appearance */
  files = new Map();
  /** @type {Map<string, Batch>} in order of appearance */
  batches = new Map();
  #room;

  /** @param {Room} room */
  constructor(room) {
    super();
    this.#room = room;
    room.on("peer-added", (link) => this.#meet(link));
    room.on("peer-removed", (link) => this.#lose(link));
    for (const link of room.peers.values()) this.#meet(link);
  }

  /** @returns {object[]} */
  get snapshots() {
    return [...this.files.values()].map((file) => file.transfer.snapshot());
  }

  /** @returns {object[]} */
  get batchSnapshots() {
    return [...this.batches.values()].map((batch) => batch.snapshot());
  }

  /** Whether leaving now would break something off. */
  get busy() {
    return [...this.batches.values()].some(({ state }) => state === "active" || state === "paused");
  }

  /**
   * @param {Selection} selection
   * @param {string} [peer] its id; absent: everybody
   * @returns {boolean} false if nobody is there to take them
   */
  send(selection, peer) {
    const links = [...this.#room.peers.values()].filter((link) => (!peer || link.id === peer) && link.role !== "send");
    for (const link of links) {
      link.wake();
      void this.#offer(selection, link);
    }
    return links.length > 0;
  }

  /**
   * @param {Selection} selection
   * @param {PeerLink} link
   */
  async #offer({ files, folders }, link) {
    const size = files.reduce((sum, { file }) => sum + file.size, 0);
    const ids = await Promise.all(files.map(({ file, path }) => this.#idOf(file, path)));
    const batch = new Batch({
      id: await this.#batchId(nameOf({ files, folders }), size, files.length),
      direction: "send",
      peer: link.id,
      peerName: link.name,
      name: nameOf({ files, folders }),
      count: files.length,
      foldersCount: folders.length,
      size,
    });
    for (const path of folders) batch.folders.set(newFileId(), path);
    files.forEach(({ file, path }, index) => {
      // The same file may be on its way to somebody else.
      const id = this.files.has(ids[index]) ? newFileId() : ids[index];
      const outgoing = new OutgoingFile({ file, path, id, batch, link, onChange: () => this.#changed(outgoing) });
      this.files.set(id, outgoing);
      batch.add(outgoing);
      batch.queue.push(outgoing);
    });
    this.batches.set(batch.id, batch);
    this.#announce(batch, link);
    this.#fill(link);
    this.emit("change", null);
  }

  /** @param {Batch} batch @param {PeerLink} link */
  #announce({ id, name, count, foldersCount, size }, link) {
    const folders = foldersCount > 0 ? { folders: foldersCount } : {};
    link.send({ type: "file-batch", id, version: FILE_PROTOCOL_VERSION, files: count, ...folders, bytes: size, name });
  }

  /** With a code, a file is known again after this page was closed. @param {File} file @param {string} path */
  async #idOf(file, path) {
    return (await this.#room.keys?.fileId(path, file.size, file.lastModified)) ?? newFileId();
  }

  /** And so is all of it. @param {string} name @param {number} size @param {number} count */
  async #batchId(name, size, count) {
    const id = await this.#room.keys?.fileId(`batch of ${name}`, size, count);
    return id && !this.batches.has(id) ? id : newFileId();
  }

  /** @returns {Batch[]} those that wait for an answer */
  get offers() {
    return [...this.batches.values()].filter((batch) => batch.direction === "receive" && batch.state === "offered");
  }

  /** Takes what is over off the list. @param {Batch} batch */
  forget(batch) {
    if (!batch.isOver) return;
    for (const { transfer } of batch.files) this.files.delete(transfer.id);
    this.batches.delete(batch.id);
    this.emit("change", null);
  }

  /** The person said yes, and that is where everything goes. @param {Batch} batch @param {Place} place */
  accept(batch, place) {
    // Withdrawn, or accepted already, while the person was choosing a place.
    if (batch.state !== "offered") return void place.abandon?.();
    batch.answer = "yes";
    batch.place = place;
    this.#linkOf(batch)?.send({ type: "file-accept", id: batch.id, offset: 0 });
    for (const file of [...batch.open]) if (file instanceof IncomingFile) void this.#store(file, place);
    this.emit("change", null);
  }

  /** Or no. @param {Batch} batch */
  decline(batch) {
    if (batch.state !== "offered") return;
    batch.answer = "no";
    this.#linkOf(batch)?.send({ type: "file-decline", id: batch.id });
    for (const file of [...batch.open]) if (file instanceof IncomingFile) file.decline();
    this.emit("change", null);
  }

  /** Ends all of it. @param {Batch} batch */
  cancel(batch) {
    if (batch.isOver) return;
    this.#linkOf(batch)?.send({ type: "file-cancel", id: batch.id, reason: "" });
    this.#end(batch, (file) => file.cancel());
  }

  /** @param {Batch} batch @param {(file: OutgoingFile | IncomingFile) => void} how */
  #end(batch, how) {
    batch.cancelled = true;
    batch.folders.clear();
    const all = [...batch.open, ...batch.queue];
    // They count as files that were under way.
    for (const file of batch.queue.splice(0)) batch.open.add(file);
    for (const file of all) how(file);
    this.emit("change", null);
  }

  /** @param {IncomingFile} file @param {Place} place */
  async #store(file, place) {
    try {
      const sink = await place.sink(file.transfer);
      if (sink) file.accept(sink);
      else file.skip();
    } catch (error) {
      file.refuse(error);
    }
  }

  /** @param {PeerLink} link */
  #meet(link) {
    for (const file of this.#of(link.id)) file.link = link;
    link.on("open", () => {
      this.#adopt();
      this.#resume(link);
    });
    let connected = link.directState === "connected";
    link.on("change", () => {
      const now = link.directState === "connected";
      if (now === connected) return;
      connected = now;
      for (const file of this.#of(link.id)) {
        if (connected) file.unstall();
        else file.stall();
      }
      if (!connected) this.#adopt();
    });
    link.on("renewed", () => {
      for (const file of this.#of(link.id)) file.pause();
    });
    link.on("file", (raw) => {
      const message = parseFileMessage(raw);
      if (message) this.#handle(link, message);
    });
    link.on("channel", (channel) => {
      const file = this.files.get(channel.label.slice(FILE_LABEL.length).split("/")[0]);
      if (file instanceof IncomingFile && file.transfer.peer === link.id) file.take(channel);
      else channel.close();
    });
  }

  /** Offers anew what is not done. @param {PeerLink} link */
  #resume(link) {
    for (const batch of this.#outgoing(link.id)) {
      for (const file of [...batch.open, ...batch.queue]) file.link = link;
      batch.requeue();
      this.#announce(batch, link);
      if (batch.answer === "yes") this.#tellFolders(batch, link);
    }
    this.#fill(link);
    this.emit("change", null);
  }

  /**
   * Everybody with the code is as good as who had it before: a receiver that was started again is somebody new to the
   * server, and gets what the one before did not.
   */
  #adopt() {
    if (!this.#room.isDrop) return;
    const free = [...this.#room.peers.values()].find((link) => isThere(link) && link.role !== "send");
    if (!free) return;
    let any = false;
    for (const batch of this.batches.values()) {
      if (batch.direction !== "send" || batch.isOver || isThere(this.#linkOf(batch))) continue;
      for (const file of batch.files) {
        if (file.transfer.finished) continue;
        file.pause();
        file.transfer.peer = free.id;
        file.transfer.peerName = free.name;
        file.link = free;
      }
      batch.peer = free.id;
      batch.peerName = free.name;
      any = true;
    }
    if (any) this.#resume(free);
  }

  /** @param {PeerLink} link */
  #lose(link) {
    const files = this.#of(link.id).filter((file) => !file.transfer.finished);
    for (const file of files) {
      file.link = null;
      file.pause();
    }
    const giveUp = () => {
      const lost = [...this.batches.values()].filter((batch) => batch.peer === link.id && !batch.isOver && !this.#linkOf(batch));
      for (const batch of lost) this.#end(batch, (file) => file.fail(`${link.name} has left.`));
    };
    if (this.#room.isDrop) {
      this.#adopt();
      setTimeout(giveUp, SEALED_RETURN_PATIENCE);
    } else if (link.saidBye) {
      giveUp();
    } else {
      setTimeout(giveUp, RETURN_PATIENCE);
    }
  }

  /**
   * @param {PeerLink} link
   * @param {FileMessage} message
   */
  #handle(link, message) {
    switch (message.type) {
      case "file-batch":
        return this.#announced(link, message);
      case "file-folder":
        return void this.#folder(link, message);
      case "file-offer":
        return this.#offered(link, message);
    }
    const batch = this.batches.get(message.id);
    if (batch && batch.peer === link.id) return this.#answered(link, batch, message);
    const file = this.files.get(message.id);
    // Nobody may speak about another's file.
    if (file && file.transfer.peer === link.id) {
      if (file instanceof OutgoingFile && message.type === "file-accept") file.batch.answer = "yes";
      file.handle(message);
    }
  }

  /** @param {PeerLink} link @param {Batch} batch @param {FileMessage} message about all of it */
  #answered(link, batch, message) {
    if (batch.isOver) return;
    if (batch.direction === "receive") {
      if (message.type === "file-cancel") this.#end(batch, (file) => file.handle({ ...message, id: file.transfer.id }));
    } else if (message.type === "file-accept") {
      batch.answer = "yes";
      this.#tellFolders(batch, link);
    } else if (message.type === "file-decline" || message.type === "file-cancel") {
      if (message.type === "file-decline") batch.answer = "no";
      this.#end(batch, (file) => file.handle({ ...message, id: file.transfer.id }));
    }
  }

  /** @param {Batch} batch @param {PeerLink} link */
  #tellFolders(batch, link) {
    for (const [id, path] of batch.folders) link.send({ type: "file-folder", id, batch: batch.id, path });
    // Nothing is lost if one cannot be made: there is nothing in it.
    batch.folders.clear();
  }

  /** @param {PeerLink} link @param {import("./protocol.js").Announcement} message */
  #announced(link, { id, files, folders, bytes, name }) {
    const known = this.batches.get(id);
    if (known) {
      if (!this.#isTheirs(known, link)) return;
      known.peer = link.id;
      if (known.answer !== "asked") link.send(known.answer === "yes" ? { type: "file-accept", id, offset: 0 } : { type: "file-decline", id });
      return;
    }
    const waiting = this.offers.filter(({ peer }) => peer === link.id).length;
    if (waiting >= BATCHES_PER_PEER || files > FILES_PER_BATCH || folders > FILES_PER_BATCH) {
      link.send({ type: "file-decline", id });
      return;
    }
    const batch = new Batch({ id, direction: "receive", peer: link.id, peerName: link.name, name, count: files, foldersCount: folders, size: bytes });
    this.batches.set(id, batch);
    this.#forgetOldest(link.id);
    if (batch.isGroup) this.emit("offer", batch);
    this.emit("change", null);
  }

  /** @param {PeerLink} link @param {import("./protocol.js").Folder} message */
  async #folder(link, { id, batch: batchId, path }) {
    const batch = this.batches.get(batchId);
    // Before the answer it is not remembered: it is told again.
    if (batch?.direction !== "receive" || !this.#isTheirs(batch, link) || batch.answer !== "yes" || !batch.place) return;
    try {
      if (!path) throw new Error("it leads out");
      await batch.place.folder(path);
      link.send({ type: "file-done", id });
    } catch {
      link.send({ type: "file-decline", id });
    }
    if (batch.foldersMade < batch.foldersCount) batch.foldersMade += 1;
    this.#arrived(batch);
    this.emit("change", null);
  }

  /** @param {PeerLink} link @param {import("./protocol.js").Offer} offer */
  #offered(link, offer) {
    const known = this.files.get(offer.id);
    if (known instanceof IncomingFile) {
      if (!this.#isTheirs(known.batch, link)) return;
      known.transfer.peer = link.id;
      known.batch.peer = link.id;
      known.offeredAgain(link);
      const named = offer.batch ? this.batches.get(offer.batch) : undefined;
      if (named && named !== known.batch) this.#setApart(named, link, offer.id);
      return;
    }
    // What we send is nobody's to offer.
    if (known) return;
    const { id, path } = offer;
    const batch = this.#batchOf(link, offer);
    if (!path || !batch || batch.answer === "no" || batch.cancelled || this.#openOffers(link.id) >= OFFERS_PER_PEER) {
      link.send({ type: "file-decline", id });
      if (batch) {
        batch.counts.bad += 1;
        this.#setApart(batch, link, id);
      }
      return;
    }
    const incoming = new IncomingFile({
      offer,
      path,
      batch,
      link,
      onChange: () => this.#changed(incoming),
      onDone: () => this.emit("received", incoming),
    });
    const wasGroup = batch.isGroup;
    this.files.set(id, incoming);
    batch.add(incoming);
    if (batch.place) void this.#store(incoming, batch.place);
    // What is only a file is asked about when it is known; a folder with one file in it was taken for one till now.
    else if (!wasGroup) this.emit("offer", batch);
    this.#changed(incoming);
  }

  /** A file is none of the batch that it was offered with. @param {Batch} batch @param {PeerLink} link @param {string} id */
  #setApart(batch, link, id) {
    if (!this.#isTheirs(batch, link) || batch.files.length + batch.apart.size >= batch.count) return;
    batch.apart.add(id);
    if (batch.apart.size < batch.count || batch.files.length > 0) return;
    // Nothing is left of it.
    this.batches.delete(batch.id);
    this.emit("change", null);
  }

  /** @param {string} peer */
  #openOffers(peer) {
    let count = 0;
    for (const batch of this.batches.values()) {
      if (batch.direction === "receive" && batch.peer === peer) for (const file of batch.open) count += isOffer(file) ? 1 : 0;
    }
    return count;
  }

  /**
   * What an offer belongs to: no more than was announced; without an announcement it stands for itself.
   *
   * @param {PeerLink} link
   * @param {import("./protocol.js").Offer} offer
   */
  #batchOf(link, { id, batch: batchId, name, size }) {
    const batch = batchId ? this.batches.get(batchId) : undefined;
    if (batch) return batch.direction === "receive" && batch.peer === link.id && batch.files.length + batch.apart.size < batch.count ? batch : null;
    const alone = new Batch({ id: batchId ?? id, direction: "receive", peer: link.id, peerName: link.name, name, count: 1, foldersCount: 0, size });
    this.batches.set(alone.id, alone);
    this.#forgetOldest(link.id);
    return alone;
  }

  /**
   * Who sends it. A sender who was started again, with the code, is the same; that the one before is gone may only show later.
   *
   * @param {Batch} batch
   * @param {PeerLink} link
   */
  #isTheirs(batch, link) {
    return batch.direction === "receive" && (batch.peer === link.id || this.#room.isDrop);
  }

  /** What someone offers and withdraws again and again must not fill the page. @param {string} peer */
  #forgetOldest(peer) {
    const isKept = (/** @type {Batch} */ { files, place }) => place?.kind === "zip" || files.some(({ transfer }) => transfer.blob);
    const over = [...this.batches.values()].filter((batch) => batch.peer === peer && batch.isOver && !isKept(batch));
    for (const batch of over.slice(0, Math.max(0, over.length - KEPT_PER_PEER))) this.forget(batch);
  }

  /** @param {string} peer */
  #of(peer) {
    return [...this.files.values()].filter((file) => file.transfer.peer === peer);
  }

  /** @param {string} peer */
  #outgoing(peer) {
    return [...this.batches.values()].filter((batch) => batch.direction === "send" && batch.peer === peer && !batch.isOver);
  }

  /** @param {Batch} batch @returns {PeerLink | null} */
  #linkOf(batch) {
    return this.#room.peers.get(batch.peer) ?? null;
  }

  /** @param {OutgoingFile | IncomingFile} file */
  #changed(file) {
    const { batch, transfer } = file;
    const wasOver = batch.isOver;
    batch.changed(file, performance.now());
    const link = file.link;
    if (link && file instanceof OutgoingFile) {
      if (transfer.finished) this.#fill(link);
      this.#startWaiting(link);
    }
    if (!wasOver) this.#arrived(batch);
    this.emit("change", null);
  }

  /** @param {Batch} batch */
  #arrived(batch) {
    if (batch.direction === "receive" && batch.isGroup && batch.isOver && batch.counts.done + batch.foldersMade > 0) this.emit("arrived", batch);
  }

  /** Offers as many as may be open. @param {PeerLink} link */
  #fill(link) {
    const batches = this.#outgoing(link.id);
    let open = batches.reduce((sum, batch) => sum + batch.open.size, 0);
    for (const batch of batches) {
      while (open < OFFERED) {
        const file = batch.queue.shift();
        if (!file) break;
        batch.open.add(file);
        file.offer();
        open += 1;
      }
    }
  }

  /** @param {PeerLink} link */
  #startWaiting(link) {
    const open = this.#outgoing(link.id).flatMap((batch) => [...batch.open]);
    let running = open.filter((file) => file instanceof OutgoingFile && file.running).length;
    for (const file of open) {
      if (running >= PARALLEL) return;
      if (!(file instanceof OutgoingFile) || !file.waiting) continue;
      running += 1;
      void file.start();
    }
  }
}

/** @param {PeerLink | null} link */
function isThere(link) {
  return link !== null && !link.closed && link.channelOpen && link.directState === "connected";
}

/** @param {OutgoingFile | IncomingFile} file @returns {file is IncomingFile} */
function isOffer(file) {
  return file instanceof IncomingFile && file.transfer.state === "offered";
}
