/**
 * SFrame (RFC 9605) with WebCrypto: frames encrypted from end to end, so that servers which forward them cannot read them.
 * The suites with AES-GCM, which WebCrypto does in one call. The Rust side is `protocol/sframe`.
 */

/** Cipher suites (RFC 9605 §8.1), by name. */
export const SUITES = Object.freeze({ AES_128_GCM_SHA256_128: 4, AES_256_GCM_SHA512_128: 5 });

/** @typedef {4 | 5} Suite */

/** Keys that a receiver keeps. */
export const MAX_KEYS = 1024;

/** As in `protocol/sframe`: what OWASP's advice of 2023 asks for with SHA-256. All ends must agree on it. */
const PASSPHRASE_ITERATIONS = 600_000;
const PASSPHRASE_KEY_LENGTH = 32;
const PASSPHRASE_SALT = "twocan sframe 1\0";

const TAG_LENGTH = 16;
const NONCE_LENGTH = 12;
const LARGEST = (1n << 64n) - 1n;

/** @typedef {"truncated" | "unknown-key" | "forged" | "replayed" | "too-many-keys"} Kind */

/** Why a frame was dropped. */
export class Fault extends Error {
  /** @param {Kind} kind */
  constructor(kind) {
    super(`an encrypted frame was dropped: ${kind}`);
    this.kind = kind;
  }
}

/**
 * The base key of a room that shares a passphrase. Takes a few tenths of a second on purpose. All senders share it: each
 * takes a `newKid()`, and another each time it begins anew.
 *
 * @param {string} passphrase
 * @param {string} room its name
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function keyFromPassphrase(passphrase, room) {
  const secret = await crypto.subtle.importKey("raw", utf8(passphrase.normalize("NFC")), "PBKDF2", false, ["deriveBits"]);
  const salt = utf8(PASSPHRASE_SALT + room.normalize("NFC"));
  const algorithm = { name: "PBKDF2", hash: "SHA-256", salt, iterations: PASSPHRASE_ITERATIONS };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, secret, PASSPHRASE_KEY_LENGTH * 8));
}

/** The next base key of a sender that ratchets its key forward (RFC 9605 §5.1).
 *
 * @param {Suite} suite
 * @param {Uint8Array<ArrayBuffer>} baseKey
 */
export function ratchet(suite, baseKey) {
  return expand(suite, baseKey, utf8("SFrame 1.0 Ratchet"), suite === SUITES.AES_256_GCM_SHA512_128 ? 64 : 32);
}

/** @returns {bigint} a number that no other sender has taken: 56 random bits */
export function newKid() {
  const bytes = crypto.getRandomValues(new Uint8Array(7));
  return bytes.reduce((kid, byte) => (kid << 8n) | BigInt(byte), 0n);
}

/**
 * What stands in front of every encrypted frame (RFC 9605 §4.3).
 *
 * @param {bigint} kid
 * @param {bigint} counter
 */
export function encodeHeader(kid, counter) {
  const [kidBits, kidBytes] = encodeNumber(kid);
  const [counterBits, counterBytes] = encodeNumber(counter);
  return Uint8Array.of((kidBits << 4) | counterBits, ...kidBytes, ...counterBytes);
}

/**
 * @param {Uint8Array} frame
 * @returns {{ kid: bigint, counter: bigint, length: number } | null} null if it is cut
 */
export function parseHeader(frame) {
  if (frame.length === 0) return null;
  const kid = parseNumber(frame, 1, frame[0] >> 4);
  const counter = kid && parseNumber(frame, kid.end, frame[0] & 15);
  return counter && { kid: kid.number, counter: counter.number, length: counter.end };
}

/** Encrypts what one end sends. */
export class Sender {
  #key;
  #counter = 0n;

  /**
   * @param {bigint} kid
   * @param {Key} key
   */
  constructor(kid, key) {
    this.kid = kid;
    this.#key = key;
  }

  /**
   * Nobody else may ever encrypt with both the same base key and the same KID, nor may this end again.
   *
   * @param {Suite} suite
   * @param {bigint} kid
   * @param {Uint8Array<ArrayBuffer>} baseKey
   * @param {bigint} [first] for tests
   */
  static async of(suite, kid, baseKey, first = 0n) {
    const sender = new Sender(kid, await Key.of(suite, kid, baseKey));
    sender.#counter = first;
    return sender;
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} plain
   * @param {Uint8Array} metadata is authenticated with it
   * @returns {Promise<Uint8Array<ArrayBuffer>>} header, ciphertext and tag
   */
  async encrypt(plain, metadata) {
    const counter = this.#counter;
    if (counter === LARGEST) throw new Error("the key is used up; take another");
    this.#counter += 1n;
    const header = encodeHeader(this.kid, counter);
    return concat(header, await this.#key.seal(counter, concat(header, metadata), plain));
  }
}

/** Decrypts what others send. */
export class Receiver {
  #suite;
  /** @type {Map<bigint, { key: Key, window: ReplayWindow }>} */
  #keys = new Map();
  /** @type {Uint8Array<ArrayBuffer> | null} */
  #shared = null;

  /** @param {Suite} suite */
  constructor(suite) {
    this.#suite = suite;
  }

  /**
   * Adds the key of this number, or puts it in the place of the one before.
   *
   * @param {bigint} kid
   * @param {Uint8Array<ArrayBuffer>} baseKey
   */
  async insertKey(kid, baseKey) {
    this.#keep(kid, await Key.of(this.#suite, kid, baseKey));
  }

  /** @param {bigint} kid */
  removeKey(kid) {
    this.#keys.delete(kid);
  }

  /**
   * Sets a base key that all senders share, each with a KID of its own (RFC 9605 §5.2).
   *
   * @param {Uint8Array<ArrayBuffer> | null} baseKey
   */
  setSharedKey(baseKey) {
    this.#shared = baseKey;
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} frame header, ciphertext and tag
   * @param {Uint8Array} metadata
   * @returns {Promise<{ kid: bigint, counter: bigint, plain: Uint8Array<ArrayBuffer> }>}
   */
  async decrypt(frame, metadata) {
    const header = parseHeader(frame);
    if (!header || frame.length < header.length + TAG_LENGTH) throw new Fault("truncated");
    const { kid, counter, length } = header;
    const key = this.#keys.get(kid)?.key ?? (await this.#derive(kid));
    const plain = await key.open(counter, concat(frame.subarray(0, length), metadata), frame.subarray(length));
    // Between the two calls others may have come: what follows is one step.
    const known = this.#keys.get(kid) ?? this.#keep(kid, key);
    if (known.window.isSeen(counter)) throw new Fault("replayed");
    known.window.note(counter);
    return { kid, counter, plain };
  }

  /** @param {bigint} kid */
  async #derive(kid) {
    if (!this.#shared) throw new Fault("unknown-key");
    if (this.#keys.size >= MAX_KEYS) throw new Fault("too-many-keys");
    return Key.of(this.#suite, kid, this.#shared);
  }

  /**
   * @param {bigint} kid
   * @param {Key} key
   */
  #keep(kid, key) {
    if (this.#keys.size >= MAX_KEYS && !this.#keys.has(kid)) throw new Fault("too-many-keys");
    const known = { key, window: new ReplayWindow() };
    this.#keys.set(kid, known);
    return known;
  }
}

/** What a base key makes for one KID (RFC 9605 §4.4.2). */
class Key {
  /**
   * @param {CryptoKey} key
   * @param {Uint8Array<ArrayBuffer>} salt
   */
  constructor(key, salt) {
    this.key = key;
    this.salt = salt;
  }

  /**
   * @param {Suite} suite
   * @param {bigint} kid
   * @param {Uint8Array<ArrayBuffer>} baseKey
   */
  static async of(suite, kid, baseKey) {
    const end = new Uint8Array(10);
    const view = new DataView(end.buffer);
    view.setBigUint64(0, kid);
    view.setUint16(8, suite);
    const length = suite === SUITES.AES_256_GCM_SHA512_128 ? 32 : 16;
    const raw = await expand(suite, baseKey, concat(utf8("SFrame 1.0 Secret key "), end), length);
    const salt = await expand(suite, baseKey, concat(utf8("SFrame 1.0 Secret salt "), end), NONCE_LENGTH);
    return new Key(await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]), salt);
  }

  /**
   * @param {bigint} counter
   * @param {Uint8Array<ArrayBuffer>} associated
   * @param {Uint8Array<ArrayBuffer>} plain
   */
  async seal(counter, associated, plain) {
    return new Uint8Array(await crypto.subtle.encrypt(this.#algorithm(counter, associated), this.key, plain));
  }

  /**
   * @param {bigint} counter
   * @param {Uint8Array<ArrayBuffer>} associated
   * @param {Uint8Array<ArrayBuffer>} sealed
   */
  async open(counter, associated, sealed) {
    try {
      return new Uint8Array(await crypto.subtle.decrypt(this.#algorithm(counter, associated), this.key, sealed));
    } catch {
      throw new Fault("forged");
    }
  }

  /**
   * @param {bigint} counter
   * @param {Uint8Array<ArrayBuffer>} additionalData
   */
  #algorithm(counter, additionalData) {
    const iv = this.salt.slice();
    const view = new DataView(iv.buffer);
    view.setBigUint64(4, view.getBigUint64(4) ^ counter);
    return { name: "AES-GCM", iv, additionalData, tagLength: TAG_LENGTH * 8 };
  }
}

const WORDS = 32n;
const BITS = 32n;

/** Which of the last thousand numbers came. */
class ReplayWindow {
  /** One more than the highest. */
  #next = 0n;
  #seen = new Uint32Array(Number(WORDS));

  /** @param {bigint} number */
  isSeen(number) {
    if (number >= this.#next) return false;
    if (number / BITS + WORDS <= (this.#next - 1n) / BITS) return true;
    return (this.#seen[word(number)] & bit(number)) !== 0;
  }

  /** @param {bigint} number */
  note(number) {
    if (number >= this.#next) {
      const first = (this.#next + BITS - 1n) / BITS;
      if (number - this.#next >= WORDS * BITS) this.#seen.fill(0);
      else for (let at = first; at <= number / BITS; at += 1n) this.#seen[word(at * BITS)] = 0;
      this.#next = number + 1n;
    }
    this.#seen[word(number)] |= bit(number);
  }
}

/** @param {bigint} number */
function word(number) {
  return Number((number / BITS) % WORDS);
}

/** @param {bigint} number */
function bit(number) {
  return 1 << Number(number % BITS);
}

/**
 * HKDF (RFC 5869) with an empty salt.
 *
 * @param {Suite} suite
 * @param {Uint8Array<ArrayBuffer>} baseKey
 * @param {Uint8Array<ArrayBuffer>} info
 * @param {number} length in bytes
 */
async function expand(suite, baseKey, info, length) {
  const secret = await crypto.subtle.importKey("raw", baseKey, "HKDF", false, ["deriveBits"]);
  const hash = suite === SUITES.AES_256_GCM_SHA512_128 ? "SHA-512" : "SHA-256";
  const algorithm = { name: "HKDF", hash, salt: new Uint8Array(0), info };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, secret, length * 8));
}

/**
 * @param {bigint} number
 * @returns {[number, number[]]} four bits, and the bytes that they announce
 */
function encodeNumber(number) {
  if (number < 8n) return [Number(number), []];
  const bytes = [];
  for (let rest = number; rest > 0n; rest >>= 8n) bytes.unshift(Number(rest & 255n));
  return [8 | (bytes.length - 1), bytes];
}

/**
 * @param {Uint8Array} frame
 * @param {number} at
 * @param {number} bits
 */
function parseNumber(frame, at, bits) {
  if (bits < 8) return { number: BigInt(bits), end: at };
  const end = at + (bits & 7) + 1;
  if (end > frame.length) return null;
  return { number: frame.subarray(at, end).reduce((number, byte) => (number << 8n) | BigInt(byte), 0n), end };
}

/**
 * @param {Uint8Array} first
 * @param {Uint8Array} second
 * @returns {Uint8Array<ArrayBuffer>}
 */
function concat(first, second) {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
function utf8(text) {
  return /** @type {Uint8Array<ArrayBuffer>} */ (new TextEncoder().encode(text));
}
