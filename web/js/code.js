/**
 * The secret of a drop: a code that people can type, and what both ends make of it (docs/security.md). The server learns
 * the room's name only, from which nothing leads back. The terminal does the same (server/src/files/code.rs, seal.rs).
 */

/** Crockford's base 32: no i, l, o, which look like digits, and no u. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const SYMBOLS = 20;
const GROUP = 5;
const SALT = "twocan send, version 1";
const CONTEXT = "twocan signal 1";
const NONCE_LENGTH = 12;

/** What came was not sealed with this code, for these two, or was changed on the way. */
export class DoesNotOpen extends Error {}

/** @returns {string} a new code of 100 random bits, in four groups */
export function newCode() {
  const bytes = crypto.getRandomValues(new Uint8Array(SYMBOLS));
  return grouped([...bytes].map((byte) => ALPHABET[byte & 31]).join(""));
}

/**
 * Reads a code as people write it: capitals, hyphens, spaces and look-alikes do not matter. A whole link is as good.
 *
 * @param {string} typed
 * @returns {string | null} in four groups; null if it is none
 */
export function parseCode(typed) {
  const plain = typed
    .slice(typed.lastIndexOf("#") + 1)
    .toLowerCase()
    .replace(/[\s-]/g, "")
    .replace(/[il]/g, "1")
    .replace(/o/g, "0");
  const isCode = plain.length === SYMBOLS && [...plain].every((symbol) => ALPHABET.includes(symbol));
  return isCode ? grouped(plain) : null;
}

/** @param {string} symbols */
function grouped(symbols) {
  return (symbols.match(new RegExp(`.{${GROUP}}`, "g")) ?? []).join("-");
}

/** What is made of a code (HKDF, RFC 5869, with SHA-256). */
export class Keys {
  #signaling;
  #ids;

  /**
   * @param {string} code
   * @param {object} made
   * @param {string} made.room
   * @param {CryptoKey} made.signaling
   * @param {CryptoKey} made.ids
   * @param {Uint8Array<ArrayBuffer>} made.media
   */
  constructor(code, { room, signaling, ids, media }) {
    this.code = code;
    this.room = room;
    /** The base key of media that a server forwards (RFC 9605 §4.4.2). */
    this.media = media;
    this.#signaling = signaling;
    this.#ids = ids;
  }

  /** @param {string} code as `parseCode` returns it */
  static async of(code) {
    const secret = await crypto.subtle.importKey("raw", utf8(code.replaceAll("-", "")), "HKDF", false, ["deriveBits", "deriveKey"]);
    /** @param {string} info */
    const purpose = (info) => ({ name: "HKDF", hash: "SHA-256", salt: utf8(SALT), info: utf8(info) });
    const room = await crypto.subtle.deriveBits(purpose("room"), secret, 128);
    const signaling = await crypto.subtle.deriveKey(purpose("signaling"), secret, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    const hmac = { name: "HMAC", hash: "SHA-256", length: 256 };
    const ids = await crypto.subtle.deriveKey(purpose("file ids"), secret, hmac, false, ["sign"]);
    const media = new Uint8Array(await crypto.subtle.deriveBits(purpose("media"), secret, 256));
    return new Keys(code, { room: `sealed-${toHex(new Uint8Array(room))}`, signaling, ids, media });
  }

  /**
   * Seals what goes through the server (AES-256-GCM, a fresh nonce each time).
   *
   * @param {string} from the sender's peer id
   * @param {string} to the receiver's
   * @param {object} data
   * @returns {Promise<{ sealed: string }>}
   */
  async seal(from, to, data) {
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_LENGTH));
    const algorithm = { name: "AES-GCM", iv: nonce, additionalData: associated(from, to) };
    const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, this.#signaling, utf8(JSON.stringify(data))));
    const whole = new Uint8Array(NONCE_LENGTH + sealed.length);
    whole.set(nonce);
    whole.set(sealed, NONCE_LENGTH);
    return { sealed: toBase64(whole) };
  }

  /**
   * @param {string} from
   * @param {string} to
   * @param {unknown} data what came
   * @returns {Promise<unknown>} what was sealed
   */
  async open(from, to, data) {
    try {
      const { sealed } = /** @type {{ sealed: string }} */ (data);
      const whole = fromBase64(sealed);
      const algorithm = { name: "AES-GCM", iv: whole.subarray(0, NONCE_LENGTH), additionalData: associated(from, to) };
      const plain = await crypto.subtle.decrypt(algorithm, this.#signaling, whole.subarray(NONCE_LENGTH));
      return JSON.parse(new TextDecoder().decode(plain));
    } catch {
      throw new DoesNotOpen("not sealed with this code");
    }
  }

  /**
   * A file's name on the wire: the same as long as its path, size and time of change are.
   *
   * @param {string} path
   * @param {number} size
   * @param {number} modified ms
   */
  async fileId(path, size, modified) {
    const tag = await crypto.subtle.sign("HMAC", this.#ids, utf8(`${size} ${modified} ${path}`));
    return toHex(new Uint8Array(tag, 0, 16));
  }
}

/**
 * Bound to every sealed message, so that nothing opens that was turned round or meant for somebody else.
 *
 * @param {string} from
 * @param {string} to
 */
function associated(from, to) {
  return utf8([CONTEXT, from, to].join("\0"));
}

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
function utf8(text) {
  return /** @type {Uint8Array<ArrayBuffer>} */ (new TextEncoder().encode(text));
}

/** @param {Uint8Array} bytes */
function toHex(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {Uint8Array} bytes */
function toBase64(bytes) {
  return btoa([...bytes].map((byte) => String.fromCharCode(byte)).join(""));
}

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
