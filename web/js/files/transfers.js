/**
 * All files of a room, in both directions: offers them, queues them, and carries them over from a lost connection to
 * the next one.
 */
import { Emitter } from "../emitter.js";
import { FILE_LABEL } from "../peer.js";
import { IncomingFile } from "./incoming.js";
import { OutgoingFile } from "./outgoing.js";
import { FILE_PROTOCOL_VERSION, newFileId, parseFileMessage, safeName } from "./protocol.js";

/** @typedef {import("../peer.js").PeerLink} PeerLink */
/** @typedef {import("../room.js").Room} Room */
/** @typedef {import("./transfer.js").Transfer} Transfer */
/** @typedef {import("./sinks.js").Sink} Sink */

/** So many files go to one person at once; the others wait. */
const PARALLEL = 4;
/** So many offers of one person may be open. */
const OFFERS_PER_PEER = 200;
/** So many files that are over are kept on the list for one person; then the oldest go. */
const KEPT_PER_PEER = 200;
/** A person who left without a word may come back for so long, ms. */
const RETURN_PATIENCE = 120_000;
/** And where a code says who it is, however often they come anew. */
const SEALED_RETURN_PATIENCE = 600_000;

/** @extends {Emitter<{ change: null, offer: IncomingFile, received: Transfer }>} */
export class Transfers extends Emitter {
  /** @type {Map<string, OutgoingFile | IncomingFile>} in order of appearance */
  files = new Map();
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

  /** Whether leaving now would break something off. */
  get busy() {
    return [...this.files.values()].some(({ transfer }) => !transfer.finished && transfer.state !== "offered");
  }

  /**
   * @param {File[]} files
   * @param {string} [peer] its id; absent: everybody
   * @returns {boolean} false if nobody is there to take them
   */
  send(files, peer) {
    const links = [...this.#room.peers.values()].filter((link) => (!peer || link.id === peer) && link.role !== "send");
    for (const link of links) void this.#offer(files, link);
    return links.length > 0;
  }

  /**
   * @param {File[]} files
   * @param {PeerLink} link
   */
  async #offer(files, link) {
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    const name = files.length === 1 ? safeName(files[0].name) : `${files.length} files`;
    /** @type {import("./protocol.js").Batch} */
    const batch = { type: "file-batch", id: newFileId(), version: FILE_PROTOCOL_VERSION, files: files.length, bytes, name };
    const ids = await Promise.all(files.map((file) => this.#idOf(file)));
    link.send(batch);
    files.forEach((file, index) => {
      // The same file may be on its way to somebody else.
      const id = this.files.has(ids[index]) ? newFileId() : ids[index];
      this.files.set(id, new OutgoingFile({ file, id, batch, link, onChange: () => this.#changed() }));
    });
    this.#changed();
  }

  /** With a code, a file is known again after this page was closed. @param {File} file */
  async #idOf(file) {
    const path = file.webkitRelativePath || file.name;
    return (await this.#room.keys?.fileId(path, file.size, file.lastModified)) ?? newFileId();
  }

  /** @returns {IncomingFile[]} those that wait for an answer */
  get offers() {
    return [...this.files.values()].filter(isOffer);
  }

  /** Takes what is over off the list. @param {string} id */
  forget(id) {
    if (this.files.get(id)?.transfer.finished) this.files.delete(id);
    this.#changed();
  }

  /** @param {PeerLink} link */
  #meet(link) {
    const known = this.#of(link.id);
    for (const file of known) file.link = link;
    link.on("open", () => {
      this.#adopt();
      this.#resume(link);
    });
    let connected = link.connection.connectionState === "connected";
    link.on("change", () => {
      const now = link.connection.connectionState === "connected";
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
    const files = this.#of(link.id).filter((file) => file instanceof OutgoingFile && !file.transfer.finished);
    const batches = new Set(files.map((file) => (file instanceof OutgoingFile ? file.batch : null)));
    for (const batch of batches) if (batch) link.send(batch);
    for (const file of files) if (file instanceof OutgoingFile) file.resume(link);
    this.#changed();
  }

  /**
   * Everybody with the code is as good as who had it before: a receiver that was started again is somebody new to the
   * server, and gets what the one before did not.
   */
  #adopt() {
    if (!this.#room.keys) return;
    const free = [...this.#room.peers.values()].find((link) => isThere(link) && link.role !== "send");
    if (!free) return;
    let any = false;
    for (const file of this.files.values()) {
      if (!(file instanceof OutgoingFile) || file.transfer.finished || isThere(file.link)) continue;
      file.pause();
      file.transfer.peer = free.id;
      file.transfer.peerName = free.name;
      file.link = free;
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
      for (const file of files) if (!file.link) file.fail(`${link.name} has left.`);
    };
    if (this.#room.keys) {
      this.#adopt();
      if (files.length > 0) setTimeout(giveUp, SEALED_RETURN_PATIENCE);
    } else if (link.saidBye) {
      giveUp();
    } else if (files.length > 0) {
      setTimeout(giveUp, RETURN_PATIENCE);
    }
  }

  /**
   * @param {PeerLink} link
   * @param {import("./protocol.js").FileMessage} message
   */
  #handle(link, message) {
    const known = this.files.get(message.id);
    // Nobody may speak about another's file; but a sender who was started again, with the code, is the same. That the one
    // before is gone may only show later. What we send is nobody's to offer.
    if (known && known.transfer.peer !== link.id) {
      if (!this.#room.keys || message.type !== "file-offer" || !(known instanceof IncomingFile)) return;
      known.transfer.peer = link.id;
      known.link = link;
    }
    // A browser cannot keep a folder that holds nothing; the files in others come by themselves.
    if (message.type === "file-folder") link.send({ type: "file-decline", id: message.id });
    if (message.type === "file-batch" || message.type === "file-folder") return;
    if (message.type !== "file-offer") {
      known?.handle(message);
      return;
    }
    if (known instanceof IncomingFile) {
      known.offeredAgain(link);
      return;
    }
    if (known) return;
    if (this.#of(link.id).filter(isOffer).length >= OFFERS_PER_PEER) {
      link.send({ type: "file-decline", id: message.id });
      return;
    }
    const incoming = new IncomingFile({
      offer: message,
      link,
      onChange: () => this.#changed(),
      onDone: (transfer) => this.emit("received", transfer),
    });
    this.files.set(message.id, incoming);
    this.#forgetOldest(link.id);
    this.emit("offer", incoming);
    this.#changed();
  }

  /** What someone offers and withdraws again and again must not fill the page. @param {string} peer */
  #forgetOldest(peer) {
    const over = this.#of(peer).filter(({ transfer }) => transfer.finished && !transfer.blob);
    for (const { transfer } of over.slice(0, Math.max(0, over.length - KEPT_PER_PEER))) this.files.delete(transfer.id);
  }

  /** @param {string} peer */
  #of(peer) {
    return [...this.files.values()].filter((file) => file.transfer.peer === peer);
  }

  #changed() {
    for (const link of this.#room.peers.values()) this.#startWaiting(link);
    this.emit("change", null);
  }

  /** @param {PeerLink} link */
  #startWaiting(link) {
    const outgoing = this.#of(link.id).filter((file) => file instanceof OutgoingFile);
    let running = outgoing.filter((file) => file.running).length;
    for (const file of outgoing) {
      if (running >= PARALLEL) return;
      if (!file.waiting) continue;
      running += 1;
      void file.start();
    }
  }
}

/** @param {PeerLink | null} link */
function isThere(link) {
  return link !== null && !link.closed && link.channelOpen && link.connection.connectionState === "connected";
}

/** @param {OutgoingFile | IncomingFile} file @returns {file is IncomingFile} */
function isOffer(file) {
  return file instanceof IncomingFile && file.transfer.state === "offered";
}
