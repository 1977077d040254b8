import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeHeader, Fault, keyFromPassphrase, MAX_KEYS, newKid, parseHeader, ratchet, Receiver, Sender, SUITES } from "../js/sframe.js";

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const bytes = (text) => Uint8Array.from(Buffer.from(text, "hex"));
const utf8 = (text) => new TextEncoder().encode(text);
/** @param {string} kind */
const fault = (kind) => (error) => error instanceof Fault && error.kind === kind;

const BASE_KEY = bytes("000102030405060708090a0b0c0d0e0f");
const SUITE = SUITES.AES_128_GCM_SHA256_128;

test("headers are those of RFC 9605, appendix C.1", () => {
  for (const [kid, counter, encoded] of [
    [0n, 0n, "00"],
    [7n, 7n, "77"],
    [0n, 8n, "0808"],
    [8n, 0n, "8008"],
    [255n, 256n, "89ff0100"],
    [0x123n, 0x4567n, "9901234567"],
    [(1n << 64n) - 1n, (1n << 64n) - 1n, `ff${"ff".repeat(16)}`],
  ]) {
    assert.equal(hex(encodeHeader(kid, counter)), encoded);
    assert.deepEqual(parseHeader(bytes(encoded)), { kid, counter, length: encoded.length / 2 });
    for (let length = 0; length < encoded.length / 2; length++) assert.equal(parseHeader(bytes(encoded).subarray(0, length)), null);
  }
});

test("frames are those of RFC 9605, appendix C.3, and of protocol/sframe", async () => {
  const plain = utf8("draft-ietf-sframe-enc");
  const metadata = utf8("IETF SFrame WG");
  for (const [suite, frame] of [
    [SUITES.AES_128_GCM_SHA256_128, "9901234567b7412c2513a1b66dbb48841bbaf17f598751176ad847681a69c6d0b091c07018ce4adb34eb"],
    [SUITES.AES_256_GCM_SHA512_128, "990123456794f509d36e9beacb0e261d99c7d1e972f1fed787d4049f17ca21353c1cc24d56ceabced279"],
  ]) {
    const sender = await Sender.of(suite, 0x123n, BASE_KEY, 0x4567n);
    assert.equal(hex(await sender.encrypt(plain, metadata)), frame);
    const receiver = new Receiver(suite);
    await receiver.insertKey(0x123n, BASE_KEY);
    assert.deepEqual(await receiver.decrypt(bytes(frame), metadata), { kid: 0x123n, counter: 0x4567n, plain: Uint8Array.from(plain) });
  }
});

test("keys are those of protocol/sframe", async () => {
  assert.equal(
    hex(await keyFromPassphrase("correct horse battery staple", "kitchen")),
    "cb7e47157dc4e5c069a4de1b731bfb30a262ab0ba2e80f2d068d28dac048df24",
  );
  assert.equal(hex(await keyFromPassphrase("e\u0301", "r")), hex(await keyFromPassphrase("\u00e9", "r")), "normalized");
  assert.equal(
    hex(await ratchet(SUITE, new Uint8Array(16).fill(7))),
    "1f3b880c19197332f097ffb0073b24248de5c3c459621b9edf5145c4a148e036",
  );
  assert.equal((await ratchet(SUITES.AES_256_GCM_SHA512_128, BASE_KEY)).length, 64);
  assert.equal(new Set(Array.from({ length: 100 }, newKid)).size, 100);
});

test("a frame opens once, in any order, and only unchanged", async () => {
  const sender = await Sender.of(SUITE, 300n, BASE_KEY);
  const receiver = new Receiver(SUITE);
  receiver.setSharedKey(BASE_KEY);
  const frames = await Promise.all(Array.from({ length: 50 }, () => sender.encrypt(utf8("frame"), utf8("clear"))));
  for (const frame of frames.toReversed()) {
    for (const at of [5, frame.length - 1]) {
      const changed = frame.slice();
      changed[at] ^= 1;
      await assert.rejects(receiver.decrypt(changed, utf8("clear")), fault("forged"));
    }
    await assert.rejects(receiver.decrypt(frame, utf8("other")), fault("forged"));
    await assert.rejects(receiver.decrypt(frame.slice(0, 18), utf8("clear")), fault("truncated"));
    // Both at once: one of them is too many.
    const both = await Promise.allSettled([receiver.decrypt(frame, utf8("clear")), receiver.decrypt(frame, utf8("clear"))]);
    assert.deepEqual(both.map((outcome) => outcome.status).sort(), ["fulfilled", "rejected"]);
  }
});

test("what is too old to tell is taken for known", async () => {
  const receiver = new Receiver(SUITE);
  await receiver.insertKey(1n, BASE_KEY);
  const frame = async (counter) => (await Sender.of(SUITE, 1n, BASE_KEY, counter)).encrypt(utf8("frame"), utf8(""));
  for (const counter of [5n, 3n, 2000n, 1100n, 1999n, 5_000n, 1n << 60n, (1n << 60n) - 900n]) {
    await receiver.decrypt(await frame(counter), utf8(""));
    await assert.rejects(receiver.decrypt(await frame(counter), utf8("")), fault("replayed"));
  }
  await assert.rejects(receiver.decrypt(await frame(900n), utf8("")), fault("replayed"));
});

test("keys come and go, and are bounded", async () => {
  const sender = await Sender.of(SUITE, 9n, BASE_KEY);
  const receiver = new Receiver(SUITE);
  await assert.rejects(receiver.decrypt(await sender.encrypt(utf8("frame"), utf8("")), utf8("")), fault("unknown-key"));
  for (let kid = 0; kid < MAX_KEYS; kid++) await receiver.insertKey(BigInt(kid), BASE_KEY);
  await receiver.decrypt(await sender.encrypt(utf8("frame"), utf8("")), utf8(""));
  await assert.rejects(receiver.insertKey(9999n, BASE_KEY), fault("too-many-keys"));
  receiver.setSharedKey(BASE_KEY);
  const other = await Sender.of(SUITE, 9999n, BASE_KEY);
  await assert.rejects(receiver.decrypt(await other.encrypt(utf8("frame"), utf8("")), utf8("")), fault("too-many-keys"));
  receiver.removeKey(9n);
  await receiver.decrypt(await other.encrypt(utf8("frame"), utf8("")), utf8(""));
});
