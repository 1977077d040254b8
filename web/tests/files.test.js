import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { Emitter } from "../js/emitter.js";
import { Numbering, safeName, safePath } from "../js/files/names.js";
import { parseFileMessage } from "../js/files/protocol.js";
import { MOST_UNSTORED, Receiver } from "../js/files/receiver.js";
import { Interrupted, WINDOW, pieceSize, sendFile, windowFor } from "../js/files/sender.js";
import { selectionOf } from "../js/files/selection.js";
import { Transfer } from "../js/files/transfer.js";
import { Transfers } from "../js/files/transfers.js";
import { LEAF_SIZE, LEAF_START, TreeHash, newLeaf } from "../js/files/tree.js";

const sha = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

/** RFC 9162 §2.1.1, word for word and recursive: the other implementation. */
function merkle(leaves) {
  if (leaves.length === 0) return sha();
  if (leaves.length === 1) return sha(Buffer.of(0), leaves[0]);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha(Buffer.of(1), merkle(leaves.slice(0, split)), merkle(leaves.slice(split)));
}

function expected(bytes) {
  const leaves = [];
  for (let at = 0; at < bytes.length; at += LEAF_SIZE) leaves.push(bytes.subarray(at, at + LEAF_SIZE));
  return merkle(leaves).toString("hex");
}

async function treeHash(bytes, step) {
  const hash = new TreeHash();
  for (let at = 0; at < bytes.length; at += step) await hash.update(bytes.subarray(at, at + step));
  return hash.finish();
}

test("an empty file hashes as RFC 9162 says", async () => {
  assert.equal(await new TreeHash().finish(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

test("the tree hash is that of RFC 9162, for any number of leaves", async () => {
  const bytes = randomBytes(7 * LEAF_SIZE + 123);
  for (const size of [1, LEAF_SIZE - 1, LEAF_SIZE, LEAF_SIZE + 1, 2 * LEAF_SIZE, 3 * LEAF_SIZE, 5 * LEAF_SIZE + 7, 6 * LEAF_SIZE, bytes.length]) {
    const part = bytes.subarray(0, size);
    assert.equal(await treeHash(part, LEAF_SIZE), expected(part), `size ${size}`);
  }
});

test("how the bytes come in pieces does not matter", async () => {
  const bytes = randomBytes(2 * LEAF_SIZE + 4_321);
  for (const step of [65_536, 100_003, 3 * LEAF_SIZE]) assert.equal(await treeHash(bytes, step), expected(bytes), `step ${step}`);
});

test("bytes that a resumed transfer reads again are not hashed twice, and gaps are refused", async () => {
  const bytes = randomBytes(2 * LEAF_SIZE);
  const hash = new TreeHash();
  await hash.update(bytes.subarray(0, 1_500_000), 0);
  await hash.update(bytes.subarray(1_000_000, 1_800_000), 1_000_000);
  await hash.update(bytes.subarray(0, 10), 0);
  await assert.rejects(hash.update(bytes.subarray(1_900_000), 1_900_000));
  const whole = new TreeHash();
  void whole.update(bytes.subarray(0, 1_500_000), 0);
  void whole.update(bytes.subarray(LEAF_SIZE), LEAF_SIZE);
  assert.equal(await whole.finish(), expected(bytes), "calls that overlap in time are queued");
});

test("file messages are known shapes or nothing", () => {
  const id = "0123456789abcdef0123456789abcdef";
  const offer = { type: "file-offer", id, version: 1, name: "../../etc/passwd", size: 5 };
  assert.equal(parseFileMessage(offer).name, "passwd");
  for (const bad of [
    { ...offer, id: "short" },
    { ...offer, id: undefined },
    { ...offer, version: 2 },
    { ...offer, size: -1 },
    { ...offer, size: 1.5 },
    { ...offer, size: "5" },
    { ...offer, name: 7 },
    { type: "file-accept", id },
    { type: "file-progress", id, received: 2 ** 60 },
    { type: "file-end", id, digest: "xyz" },
    { type: "file-unknown", id },
  ]) {
    assert.equal(parseFileMessage(bad), null, JSON.stringify(bad));
  }
});

test("names are only names", () => {
  assert.equal(safeName("C:\\Windows\\evil.exe"), "evil.exe");
  assert.equal(safeName("a\u202egpj.exe"), "agpj.exe");
  assert.equal(safeName("..hidden "), "hidden");
  assert.equal(safeName("a\u0000b\nc"), "abc");
  assert.equal(safeName("///"), "file");
  assert.equal(safeName("a:b?.txt"), "a_b_.txt");
  const long = safeName(`${"x".repeat(400)}.tar`);
  assert.equal(long.length, 200);
  assert.ok(long.endsWith(".tar"));
});

test("names in place of a taken one are tried once each", () => {
  const numbering = new Numbering();
  const names = ["a.txt", "a.txt", "a.txt", "README", "README", ".rc", ".rc"];
  assert.deepEqual(
    names.map((name) => numbering.next(name, name)),
    ["a.txt", "a (2).txt", "a (3).txt", "README", "README (2)", ".rc", ".rc (2)"],
  );
});

/** A sink's `write` that copies, and gives the memory back to be filled again. */
function keepIn(written) {
  return async (block) => {
    written.push(Buffer.from(block));
    return block.buffer;
  };
}

/** A data channel whose network the test is. */
class FakeChannel extends EventTarget {
  readyState = "open";
  bufferedAmount = 0;
  mostBuffered = 0;
  send(part) {
    // As a real one does: the sender may have its memory back at once.
    const copy = part.slice();
    this.bufferedAmount += copy.length;
    this.mostBuffered = Math.max(this.mostBuffered, this.bufferedAmount);
    queueMicrotask(() => {
      this.bufferedAmount -= copy.length;
      this.onsent?.(copy);
      if (this.bufferedAmount < this.bufferedAmountLowThreshold) this.dispatchEvent(new Event("bufferedamountlow"));
    });
  }
  close() {
    this.readyState = "closed";
    this.dispatchEvent(new Event("close"));
  }
}

test("pieces fit the connection", () => {
  assert.equal(pieceSize(262_144), 65_536);
  assert.equal(pieceSize(16_384), 16_384);
  assert.equal(pieceSize(0), 65_536);
  assert.equal(pieceSize(Infinity), 65_536);
});

test("sender to receiver: the same bytes, the same digest, bounded queues", async () => {
  const bytes = randomBytes(20 * LEAF_SIZE + 77);
  const channel = new FakeChannel();
  const written = [];
  let wake = () => {};
  let mostAhead = 0;
  let sent = 0;
  const receiver = new Receiver({
    size: bytes.length,
    sink: { kind: "memory", write: keepIn(written), finish: async () => null, abort: async () => {} },
    onStored: () => wake(),
    onError: (error) => assert.fail(String(error)),
  });
  channel.onsent = (part) => {
    sent += part.length;
    mostAhead = Math.max(mostAhead, sent - receiver.stored);
    receiver.take(part.slice().buffer);
  };
  const hash = new TreeHash();
  await sendFile({
    file: new Blob([bytes]),
    channel,
    offset: 0,
    largestMessage: 65_536,
    hash,
    stored: () => receiver.stored,
    onStored: (callback) => {
      wake = callback;
    },
    signal: new AbortController().signal,
  });
  while (!receiver.complete) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await receiver.finish(), expected(bytes));
  assert.equal(await hash.finish(), expected(bytes));
  assert.ok(Buffer.concat(written).equals(bytes));
  assert.ok(mostAhead <= WINDOW + 65_536, `ahead by ${mostAhead}`);
  assert.ok(channel.mostBuffered <= 1_048_576 + 65_536, `queued ${channel.mostBuffered}`);
});

test("an interrupted transfer goes on where the receiver is", async () => {
  const bytes = randomBytes(4 * LEAF_SIZE);
  let receiver;
  const written = [];
  receiver = new Receiver({
    size: bytes.length,
    sink: { kind: "memory", write: keepIn(written), finish: async () => null, abort: async () => {} },
    onStored: () => {},
    onError: (error) => assert.fail(String(error)),
  });
  const hash = new TreeHash();
  const attempt = (channel) =>
    sendFile({ file: new Blob([bytes]), channel, offset: receiver.received, largestMessage: 0, hash, stored: () => receiver.stored, onStored: () => {}, signal: new AbortController().signal });
  const first = new FakeChannel();
  first.onsent = (part) => {
    if (first.readyState !== "open") return;
    receiver.take(part.slice().buffer);
    if (receiver.received > 1_500_000) first.close();
  };
  await assert.rejects(attempt(first), Interrupted);
  assert.ok(!receiver.complete);
  const second = new FakeChannel();
  second.onsent = (part) => receiver.take(part.slice().buffer);
  await attempt(second);
  while (!receiver.complete) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await receiver.finish(), expected(bytes));
  assert.equal(await hash.finish(), expected(bytes));
});

test("more than was offered is refused", () => {
  const receiver = new Receiver({ size: 10, sink: null, onStored: () => {}, onError: () => {} });
  assert.throws(() => receiver.take(new ArrayBuffer(11)));
});

test("the speed is that of the last seconds", () => {
  const transfer = new Transfer({ id: "x", direction: "send", peer: "p", peerName: "P", name: "n", size: 1e9 });
  transfer.state = "active";
  for (let second = 0; second <= 10; second += 1) {
    transfer.done = second < 5 ? 0 : (second - 5) * 10e6;
    transfer.noteProgress(second * 1000);
  }
  assert.equal(Math.round(transfer.rate), 10e6);
});

test("a receiver fills the same memory again and again, and hands pieces' memory back", async () => {
  const seen = new Set();
  const receiver = new Receiver({
    size: 30 * LEAF_SIZE,
    sink: {
      kind: "memory",
      write: async (block) => {
        seen.add(block.buffer);
        return block.buffer;
      },
    },
    onStored: () => {},
    onError: (error) => assert.fail(String(error)),
  });
  while (!receiver.complete) {
    const piece = new ArrayBuffer(65_536);
    receiver.take(piece);
    // Node 20 cannot do it yet.
    if ("transfer" in piece) assert.equal(piece.byteLength, 0);
    while (receiver.received - receiver.stored > WINDOW) await new Promise((resolve) => setImmediate(resolve));
  }
  await receiver.finish();
  assert.ok(seen.size <= WINDOW / LEAF_SIZE + 2, `${seen.size} buffers`);
});

test("a sender that ignores the window is stopped before it fills our memory", () => {
  const receiver = new Receiver({
    size: 1e12,
    sink: { kind: "memory", write: () => new Promise(() => {}) },
    onStored: () => {},
    onError: () => {},
  });
  assert.throws(() => {
    for (let piece = 0; piece <= MOST_UNSTORED / 65_536; piece += 1) receiver.take(new ArrayBuffer(65_536));
  }, /more bytes came at once/);
});

test("leaves that are hashed where they lie count as any bytes", async () => {
  const bytes = randomBytes(2 * LEAF_SIZE + 99);
  const hash = new TreeHash();
  for (let at = 0; at < bytes.length; at += LEAF_SIZE) {
    const part = bytes.subarray(at, at + LEAF_SIZE);
    const leaf = newLeaf();
    leaf.set(part, LEAF_START);
    await hash.add(leaf.subarray(0, LEAF_START + part.length));
  }
  assert.equal(await hash.finish(), expected(bytes));
});

test("batches, folders, paths and windows are read, and whatever is wrong in them is not", () => {
  const id = "ab".repeat(16);
  const batch = { type: "file-batch", id, version: 1, files: 2, bytes: 9, name: "../photos" };
  assert.deepEqual(parseFileMessage(batch), { ...batch, name: "photos", folders: 0 });
  assert.equal(parseFileMessage({ ...batch, folders: 3 })?.folders, 3);
  for (const wrong of [{ version: 2 }, { files: -1 }, { bytes: "9" }]) assert.equal(parseFileMessage({ ...batch, ...wrong }), null);
  const offer = { type: "file-offer", id, version: 1, name: "a.txt", size: 1 };
  assert.deepEqual(parseFileMessage({ ...offer, path: "photos/.ssh/a\u202e.txt" })?.path, ["photos", ".ssh", "a.txt"]);
  assert.equal(parseFileMessage({ ...offer, path: "photos/../a.txt" })?.path, null);
  assert.deepEqual(parseFileMessage(offer)?.path, ["a.txt"]);
  assert.deepEqual(parseFileMessage({ ...offer, path: 7 })?.path, ["a.txt"]);
  assert.equal(parseFileMessage({ ...offer, batch: id })?.batch, id);
  assert.equal(parseFileMessage({ ...offer, batch: "x" })?.batch, null);
  assert.equal(parseFileMessage({ type: "file-accept", id, offset: 0, window: 1 << 25 })?.window, 1 << 25);
  assert.equal(parseFileMessage({ type: "file-accept", id, offset: 0, window: -1 })?.window, undefined);
  assert.deepEqual(parseFileMessage({ type: "file-folder", id, batch: id, path: ".." }), { type: "file-folder", id, batch: id, path: null });
  assert.equal(parseFileMessage({ type: "file-folder", id, path: "a" }), null);
});

test("a path that leads out is none, and every part of another is only a name", () => {
  for (const out of ["", "/", "/etc/passwd", "a/", "a//b", "../a", "a/../b", "a/./b", "x/".repeat(64) + "x", "x".repeat(2_049)]) assert.equal(safePath(out), null, out);
  assert.deepEqual(safePath(".git/.config/a\\b:c. "), ["git", ".config", "a_b_c"]);
  assert.deepEqual(safePath("con/aux.txt/Lpt1/console"), ["_con", "_aux.txt", "_Lpt1", "console"]);
  assert.deepEqual(safePath("..."), ["file"]);
});

test("a receiver may ask for a larger window, within bounds", () => {
  assert.equal(windowFor(undefined), WINDOW);
  assert.equal(windowFor(1), LEAF_SIZE);
  assert.equal(windowFor(32 * LEAF_SIZE), 32 * LEAF_SIZE);
  assert.equal(windowFor(Number.MAX_SAFE_INTEGER), 64 * LEAF_SIZE);
});

test("with the code a sender who was started again goes on, but what we send is nobody's to offer", async () => {
  const id = "ab".repeat(16);
  const link = (/** @type {string} */ name) =>
    Object.assign(new Emitter(), { id: name, name, role: "drop", closed: false, channelOpen: true, connection: { connectionState: "connected" }, wake() {}, send: () => true });
  const [ada, eve] = [link("ada"), link("eve")];
  const room = Object.assign(new Emitter(), { peers: new Map([["ada", ada], ["eve", eve]]), isDrop: true, keys: { fileId: async () => id } });
  const transfers = new Transfers(/** @type {any} */ (room));
  const offer = { type: "file-offer", id, version: 1, name: "a.txt", size: 3 };

  ada.emit("file", offer);
  eve.emit("file", offer);
  assert.equal(transfers.files.get(id)?.transfer.peer, "eve", "the same file, of the same code");

  transfers.files.clear();
  transfers.send(selectionOf([new File(["abc"], "a.txt")]), "ada");
  await new Promise(setImmediate);
  assert.equal(transfers.files.get(id)?.transfer.direction, "send");
  eve.emit("file", offer);
  assert.equal(transfers.files.get(id)?.transfer.peer, "ada");
});
