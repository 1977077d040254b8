/**
 * Where on our connection to the server each person's media come in. Pure.
 *
 * A seat is a pair of sections that only receive, one of sound and one of pictures: a person's microphone and camera, or
 * their shared screen with its sound. The two play in step. Whoever leaves frees a seat for the next one, so that a
 * connection grows only when more is watched at once than ever before.
 */

/** @typedef {"mic" | "camera" | "screen" | "sound"} Slot */
/** @typedef {"audio" | "video"} Kind */

/**
 * What somebody sends through the server.
 *
 * @typedef {object} Publication
 * @property {string} id
 * @property {string | null} peer null: a stream from outside of the room
 * @property {Slot} source
 * @property {Kind} kind
 * @property {string} codec
 */

/** @param {Slot} source */
function seatOf(source) {
  return source === "screen" || source === "sound" ? "screen" : "camera";
}

export class Seats {
  /** Who sits where: `peer/camera` or `peer/screen`, null if free. @type {(string | null)[]} */
  #owners = [];
  /** @type {Record<Kind, string | null>[]} the publications, by seat */
  #publications = [];

  /** How many there are. */
  get count() {
    return this.#owners.length;
  }

  /**
   * Seats exactly these: whoever sits stays, the others take what is free.
   *
   * @param {Iterable<Publication>} wanted
   * @returns {boolean} whether seats were added
   */
  seat(wanted) {
    /** @type {Map<string, Record<Kind, string | null>>} */
    const groups = new Map();
    for (const { id, peer, source, kind } of wanted) {
      const owner = `${peer ?? ""}/${seatOf(source)}`;
      const group = groups.get(owner) ?? { audio: null, video: null };
      group[kind] ??= id;
      groups.set(owner, group);
    }
    this.#owners = this.#owners.map((owner) => (owner !== null && groups.has(owner) ? owner : null));
    const before = this.count;
    for (const owner of groups.keys()) {
      if (this.#owners.includes(owner)) continue;
      const free = this.#owners.indexOf(null);
      if (free >= 0) this.#owners[free] = owner;
      else this.#owners.push(owner);
    }
    this.#publications = this.#owners.map((owner) => (owner === null ? undefined : groups.get(owner)) ?? { audio: null, video: null });
    return this.count > before;
  }

  /** Has at least so many, for people yet to come. @param {number} count */
  reserve(count) {
    while (this.count < count) {
      this.#owners.push(null);
      this.#publications.push({ audio: null, video: null });
    }
  }

  /** @param {string} publication @returns {{ seat: number, kind: Kind } | null} */
  find(publication) {
    for (const [seat, { audio, video }] of this.#publications.entries()) {
      if (audio === publication) return { seat, kind: "audio" };
      if (video === publication) return { seat, kind: "video" };
    }
    return null;
  }

  /** @param {number} seat @param {Kind} kind @returns {string | null} what comes in there */
  at(seat, kind) {
    return this.#publications[seat]?.[kind] ?? null;
  }
}
