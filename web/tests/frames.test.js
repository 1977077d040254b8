import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault, Receiver, Sender, SUITES } from "../js/sframe.js";
import { decryptFrame, encryptFrame } from "../js/sframe/frames.js";

const SUITE = SUITES.AES_128_GCM_SHA256_128;
const BASE_KEY = new Uint8Array(16).fill(7);

/** @param {bigint} [first] */
async function ends(first) {
  const receiver = new Receiver(SUITE);
  receiver.setSharedKey(BASE_KEY);
  return { sender: await Sender.of(SUITE, 9n, BASE_KEY, first), receiver };
}

const body = Array.from({ length: 40 }, (_, at) => at * 7);
const FRAMES = [
  ["opus", Uint8Array.of(0x78, ...body), 1],
  ["audio/opus", Uint8Array.of(0x78), 1],
  ["video/VP8", Uint8Array.of(0x10, 2, 0, 0x9d, 1, 0x2a, 0x80, 2, 0xe0, 1, ...body), 10],
  ["video/VP8", Uint8Array.of(0x11, 2, 0, ...body), 3],
  ["video/VP9", Uint8Array.of(0x82, ...body), 0],
  ["audio/PCMU", Uint8Array.from(body), 0],
];

test("what forwarding needs stays in the clear, and the rest does not", async () => {
  const { sender, receiver } = await ends();
  for (const [codec, frame, clear] of FRAMES) {
    const encrypted = await encryptFrame(sender, codec, frame);
    assert.deepEqual(encrypted.slice(0, clear), frame.slice(0, clear), codec);
    if (frame.length > clear) assert.notDeepEqual(encrypted.slice(clear + 3, frame.length + 3), frame.slice(clear), codec);
    // What is in the clear is authenticated.
    if (clear > 0) {
      const changed = encrypted.slice();
      changed[0] ^= 2;
      await assert.rejects(decryptFrame(receiver, codec, changed), Fault);
    }
    assert.deepEqual(await decryptFrame(receiver, codec, encrypted), frame, codec);
  }
});

test("a codec that is not known, or a frame that is none, is not sent", async () => {
  const { sender, receiver } = await ends();
  for (const [codec, frame] of [
    ["video/AV1", Uint8Array.from(body)],
    ["", Uint8Array.from(body)],
    ["constructor", Uint8Array.from(body)],
    ["opus", new Uint8Array(0)],
    ["vp8", Uint8Array.of(0x10, 0, 0)],
    ["h264", Uint8Array.of(0, 0, 0, 1, 0x67, 1, 2, 3, 4, 5, 6)],
    ["h264", Uint8Array.of(0, 0, 0, 1, 0x65, 1)],
  ]) {
    assert.equal(await encryptFrame(sender, codec, frame), null, codec);
    await assert.rejects(decryptFrame(receiver, codec, frame), Fault);
  }
});

/** A frame with parameter sets and two slices. */
const H264 = Uint8Array.of(0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 4, 0, 0, 1, 0x65, 0x88, 0x84, 0, 0, 9, 9, 0, 0, 1, 0x65, 5, 6);

/** @param {Uint8Array} frame */
function startCodes(frame) {
  return [...frame.keys()].filter((at) => frame[at] === 0 && frame[at + 1] === 0 && frame[at + 2] === 1);
}

test("H.264 becomes one slice, in which no start code comes up", async () => {
  const { sender, receiver } = await ends();
  const encrypted = await encryptFrame(sender, "video/H264", H264);
  assert.deepEqual(startCodes(encrypted), [1, 7, 13]);
  assert.deepEqual(encrypted.slice(0, 21), H264.slice(0, 21));
  assert.deepEqual(await decryptFrame(receiver, "video/H264", encrypted), H264);
  // Ciphertext as bad as it can be: what looks like start codes, and like what is put in against them.
  const none = { encrypt: async (/** @type {Uint8Array} */ plain) => plain, decrypt: async (/** @type {Uint8Array} */ plain) => ({ plain }) };
  for (const tail of [[0], [1], [3, 1], [0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 3], [0, 0, 3, 3], [0, 0, 2, 0, 0, 0, 0, 1], Array(3000).fill(0), []]) {
    const frame = Uint8Array.of(...H264.slice(0, 21), ...tail);
    const escaped = await encryptFrame(/** @type {any} */ (none), "video/H264", frame);
    assert.deepEqual(startCodes(escaped), [1, 7, 13], String(tail));
    assert.notEqual(escaped.at(-1), 0);
    assert.deepEqual(await decryptFrame(/** @type {any} */ (none), "video/H264", escaped), frame, String(tail));
  }
});

test("H.264 opens with longer start codes, and zeros behind it", async () => {
  const { sender, receiver } = await ends();
  const encrypted = await encryptFrame(sender, "h264", H264);
  // As a browser puts packets together again.
  const longer = Uint8Array.of(...encrypted.slice(0, 7), 0, ...encrypted.slice(7, 13), 0, ...encrypted.slice(13), 0, 0);
  const plain = await decryptFrame(receiver, "h264", longer);
  assert.deepEqual(plain.slice(23), H264.slice(21));
  await assert.rejects(decryptFrame(receiver, "h264", longer), Fault);
});

/** The same numbers stand in `protocol/sframe/src/frames/tests.rs`. */
const SEALED = [
  "7880097aae84b20844a429a235a03d58334bbac73d21a4109d1383783a3854e199ac737b4770b12ff3dfa382921acecb8c0233eb0b8ef8849055c4",
  "7881096c37fb919a98cea43ef6a8383fe51518",
  "1002009d012a8002e0018209558ed28906598a63df7caac0ee2bb86666f9b712564f31a4dbce11cc7c64495539880abec37efd05cf5be1d4423a9c86b60622e6340384f0",
  "1102008309118637330bce68a812be6676cf4ee6a166b54e69f7e268edcb2784256d6771755fb8de69be0f731f046d169079e26b8950329f283b1d8086",
  "84090661420c1c1949b7f95f3c2c7e15f35f958a6b8a2e14ec76611b8408d7bd39edd15ce3c67ecd7e0aceece5c18e0d158554dd4ed3044d6adeab",
  "85096dd16fbe590d6197e12cea244edb0639f56487761b49344df885fd58e34a818f8ad9db14284e703dc9a354cf56999b9d8761c2df368a1024",
  "0000000167010200000168030400000165888400008609558127d5c4ae5dfdba64dfe0dde95b27d5299a7d607ea50680",
];

test("the terminal makes the same of them", async () => {
  const { sender } = await ends();
  for (const [at, [codec, frame]] of [...FRAMES, ["video/H264", H264]].entries()) {
    const encrypted = await encryptFrame(sender, codec, frame);
    assert.equal(Buffer.from(encrypted).toString("hex"), SEALED[at], codec);
  }
});
