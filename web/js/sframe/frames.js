/**
 * Encoded frames of each codec, encrypted so that they can still be cut into packets and forwarded. What packetizers,
 * jitter buffers and forwarding servers read stays in the clear:
 *
 * - VP8: whether it is a key frame, and of which size (RFC 6386 §9.1: 10 bytes of a key frame, 3 of another).
 * - Opus: the first byte, which says how long the sound is (RFC 6716 §3.1).
 * - H.264: parameter sets, and of the first slice the header up to the parameter set it names; the rest of the frame is
 *   made to look like the rest of that slice (RFC 6184 packets are cut at start codes, so none may come up by chance).
 * - VP9, G.711, G.722: nothing. Packets of VP9 say all that is needed outside of the frame (RFC 9628 §4.2).
 *
 * What is in the clear is authenticated, but for H.264, where a browser may write parameter sets and start codes anew. AV1
 * is not there: its packets are cut at what only the plain frame shows. A frame of a codec that is not named here is not sent.
 */

import { Fault } from "../sframe.js";

const NOTHING = new Uint8Array(0);
/** Bytes of a slice that stay: its type, and first macroblock, slice type and picture parameter set (H.264 §7.3.3). */
const SLICE_CLEAR = 5;
/** Behind what is encrypted, as a NAL unit may not end with zeros (H.264 §7.4.1). */
const STOP = 0x80;

/**
 * @param {import("../sframe.js").Sender} sender
 * @param {string} codec a MIME type or its second half, in whatever case
 * @param {Uint8Array<ArrayBuffer>} frame
 * @returns {Promise<Uint8Array<ArrayBuffer> | null>} null if it must not be sent
 */
export async function encryptFrame(sender, codec, frame) {
  const rule = ruleOf(codec);
  const clear = rule?.clear(frame) ?? null;
  if (!rule || clear === null) return null;
  const [front, rest] = [frame.subarray(0, clear), frame.slice(clear)];
  const sealed = await sender.encrypt(rest, rule.escaped ? NOTHING : front);
  return rule.escaped ? escape(front, sealed) : concat(front, sealed);
}

/**
 * @param {import("../sframe.js").Receiver} receiver
 * @param {string} codec
 * @param {Uint8Array<ArrayBuffer>} frame
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function decryptFrame(receiver, codec, frame) {
  const rule = ruleOf(codec);
  const clear = rule?.clear(frame) ?? null;
  if (!rule || clear === null) throw new Fault("truncated");
  const front = frame.subarray(0, clear);
  const sealed = rule.escaped ? unescape(front, frame.subarray(clear)) : frame.slice(clear);
  const { plain } = await receiver.decrypt(sealed, rule.escaped ? NOTHING : front);
  return concat(front, plain);
}

/** @typedef {{ clear: (frame: Uint8Array) => number | null, escaped: boolean }} Rule */

/** @type {Record<string, Rule>} */
const RULES = {
  opus: { clear: (frame) => atMost(frame, 1), escaped: false },
  vp8: { clear: (frame) => atMost(frame, (frame[0] & 1) === 0 ? 10 : 3), escaped: false },
  h264: { clear: h264Clear, escaped: true },
  vp9: { clear: () => 0, escaped: false },
  pcmu: { clear: () => 0, escaped: false },
  pcma: { clear: () => 0, escaped: false },
  g722: { clear: () => 0, escaped: false },
};

/** @param {string} codec @returns {Rule | undefined} */
function ruleOf(codec) {
  const name = codec.slice(codec.lastIndexOf("/") + 1).toLowerCase();
  return Object.hasOwn(RULES, name) ? RULES[name] : undefined;
}

/**
 * @param {Uint8Array} frame
 * @param {number} length
 */
function atMost(frame, length) {
  return frame.length >= length ? length : null;
}

/**
 * Up to where a frame of H.264 in Annex B's form stays in the clear; null if it has no slice.
 *
 * @param {Uint8Array} frame
 */
function h264Clear(frame) {
  for (let at = 0; at + 3 < frame.length; at++) {
    if (frame[at] !== 0 || frame[at + 1] !== 0 || frame[at + 2] !== 1) continue;
    const type = frame[at + 3] & 31;
    // A slice, of a frame that can be decoded by itself or of another.
    if (type === 1 || type === 5) return atMost(frame, at + 3 + SLICE_CLEAR);
  }
  return null;
}

/**
 * Puts a 3 wherever two zeros are followed by what would make a start code of them (H.264 §7.4.1.1).
 *
 * @param {Uint8Array} front
 * @param {Uint8Array} sealed
 */
function escape(front, sealed) {
  // At worst every third byte is one that was put in.
  const out = new Uint8Array(Math.ceil(sealed.length * 1.5) + 2);
  let length = 0;
  let zeros = trailingZeros(front);
  for (const byte of sealed) {
    if (zeros >= 2 && byte <= 3) {
      out[length++] = 3;
      zeros = 0;
    }
    out[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  out[length++] = STOP;
  return concat(front, out.subarray(0, length));
}

/**
 * @param {Uint8Array} front
 * @param {Uint8Array} body
 * @returns {Uint8Array<ArrayBuffer>}
 */
function unescape(front, body) {
  let end = body.length;
  while (end > 0 && body[end - 1] === 0) end--;
  if (end === 0 || body[end - 1] !== STOP) throw new Fault("truncated");
  const out = new Uint8Array(end - 1);
  let length = 0;
  let zeros = trailingZeros(front);
  for (const byte of body.subarray(0, end - 1)) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    out[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out.slice(0, length);
}

/** @param {Uint8Array} bytes */
function trailingZeros(bytes) {
  let zeros = 0;
  while (zeros < bytes.length && bytes[bytes.length - 1 - zeros] === 0) zeros++;
  return zeros;
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
