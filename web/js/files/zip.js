/**
 * A ZIP archive around files that are on the disk already (PKWARE's APPNOTE 6.3): stored, not compressed, with UTF-8 names.
 * Nothing is copied: the archive is a Blob that refers to them, and the browser reads them when it is saved. Large files,
 * large archives and many files have the fields of ZIP64 (§4.3.14, §4.5.3). Pure.
 */

/**
 * @typedef {object} Entry
 * @property {string} path parts with `/` between; that of a folder ends with one
 * @property {Blob | null} blob null for a folder
 * @property {number} crc32 of its bytes
 * @property {number | null} modified ms since 1970
 */

/** What does not fit says so, and stands in the field of ZIP64. */
const FULL_16 = 0xffff;
const FULL_32 = 0xffffffff;
/** Version 4.5: ZIP64. */
const VERSION = 45;
/** Names are UTF-8 (§4.4.4, bit 11). */
const FLAGS = 1 << 11;
const FOLDER = 0x10;

/** @param {Entry[]} entries @returns {Blob} */
export function zip(entries) {
  return new Blob(zipParts(entries), { type: "application/zip" });
}

/** What it is made of, one after the other. @param {Entry[]} entries */
export function zipParts(entries) {
  /** @type {(Blob | Uint8Array<ArrayBuffer>)[]} */
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const entry of entries) {
    const name = new TextEncoder().encode(entry.path);
    const header = localHeader(entry, name);
    directory.push(centralHeader(entry, name, offset));
    parts.push(header);
    if (entry.blob) parts.push(entry.blob);
    offset += header.length + (entry.blob?.size ?? 0);
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  return [...parts, ...directory, end(entries.length, size, offset)];
}

/**
 * Before a file's bytes (§4.3.7). A large one has its sizes in the field of ZIP64, both of them.
 *
 * @param {Entry} entry
 * @param {Uint8Array} name
 */
function localHeader(entry, name) {
  const size = entry.blob?.size ?? 0;
  const isLarge = size >= FULL_32;
  const extra = concat([isLarge ? zip64([size, size]) : new Uint8Array(0), timestamp(entry.modified)]);
  const fields = new Fields(30);
  fields.u32(0x04034b50).u16(VERSION);
  common(fields, entry, isLarge);
  fields.u16(name.length).u16(extra.length);
  return concat([fields.bytes, name, extra]);
}

/**
 * In the directory at the end (§4.3.12).
 *
 * @param {Entry} entry
 * @param {Uint8Array} name
 * @param {number} offset of the local header
 */
function centralHeader(entry, name, offset) {
  const size = entry.blob?.size ?? 0;
  const isLarge = size >= FULL_32;
  const isFar = offset >= FULL_32;
  const wide = [...(isLarge ? [size, size] : []), ...(isFar ? [offset] : [])];
  const extra = concat([wide.length > 0 ? zip64(wide) : new Uint8Array(0), timestamp(entry.modified)]);
  const fields = new Fields(46);
  fields.u32(0x02014b50).u16(VERSION).u16(VERSION);
  common(fields, entry, isLarge);
  fields.u16(name.length).u16(extra.length).u16(0).u16(0).u16(0);
  fields.u32(entry.blob ? 0 : FOLDER).u32(isFar ? FULL_32 : offset);
  return concat([fields.bytes, name, extra]);
}

/**
 * What both headers have: flags, method, time, checksum, sizes.
 *
 * @param {Fields} fields
 * @param {Entry} entry
 * @param {boolean} isLarge
 */
function common(fields, { blob, crc32, modified }, isLarge) {
  const size = isLarge ? FULL_32 : (blob?.size ?? 0);
  const [time, date] = dosTime(modified);
  fields.u16(FLAGS).u16(0).u16(time).u16(date).u32(crc32).u32(size).u32(size);
}

/**
 * @param {number} count of entries
 * @param {number} size of the directory
 * @param {number} offset of the directory
 */
function end(count, size, offset) {
  const needsZip64 = count >= FULL_16 || size >= FULL_32 || offset >= FULL_32;
  const wide = new Fields(needsZip64 ? 56 + 20 : 0);
  if (needsZip64) {
    wide.u32(0x06064b50).u64(44).u16(VERSION).u16(VERSION).u32(0).u32(0).u64(count).u64(count).u64(size).u64(offset);
    wide.u32(0x07064b50).u32(0).u64(offset + size).u32(1);
  }
  const fields = new Fields(22);
  const few = Math.min(count, FULL_16);
  fields.u32(0x06054b50).u16(0).u16(0).u16(few).u16(few).u32(Math.min(size, FULL_32)).u32(Math.min(offset, FULL_32)).u16(0);
  return concat([wide.bytes, fields.bytes]);
}

/** The field of ZIP64 (§4.5.3). @param {number[]} values */
function zip64(values) {
  const fields = new Fields(4 + 8 * values.length);
  fields.u16(1).u16(8 * values.length);
  for (const value of values) fields.u64(value);
  return fields.bytes;
}

/** Info-ZIP's extended timestamp: seconds since 1970, in no time zone. @param {number | null} modified */
function timestamp(modified) {
  const seconds = Math.floor((modified ?? 0) / 1000);
  if (seconds <= 0 || seconds > 0x7fffffff) return new Uint8Array(0);
  return new Fields(9).u16(0x5455).u16(5).u8(1).u32(seconds).bytes;
}

/**
 * Local time, two seconds at a time, from 1980 on (§4.4.6).
 *
 * @param {number | null} modified
 * @returns {[time: number, date: number]}
 */
function dosTime(modified) {
  const at = new Date(modified ?? 0);
  const year = at.getFullYear();
  if (!(year >= 1980 && year < 2108)) return [0, (1 << 5) | 1];
  const time = (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1);
  return [time, ((year - 1980) << 9) | ((at.getMonth() + 1) << 5) | at.getDate()];
}

/** Little-endian fields, one after the other. */
class Fields {
  #at = 0;
  #view;

  /** @param {number} length */
  constructor(length) {
    this.bytes = new Uint8Array(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** @param {number} value */
  u8(value) {
    this.#view.setUint8(this.#at, value);
    this.#at += 1;
    return this;
  }

  /** @param {number} value */
  u16(value) {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
    return this;
  }

  /** @param {number} value */
  u32(value) {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
    return this;
  }

  /** @param {number} value */
  u64(value) {
    this.#view.setBigUint64(this.#at, BigInt(value), true);
    this.#at += 8;
    return this;
  }
}

/** @param {Uint8Array[]} parts @returns {Uint8Array<ArrayBuffer>} */
function concat(parts) {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
