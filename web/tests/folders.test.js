import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 as reference } from "node:zlib";
import { Emitter } from "../js/emitter.js";
import { crc32 } from "../js/files/crc32.js";
import { FolderPlace } from "../js/files/places.js";
import { nameOf, selectionOf, selectionOfDrop } from "../js/files/selection.js";
import { Transfers } from "../js/files/transfers.js";
import { zip, zipParts } from "../js/files/zip.js";

/** An error as a browser's file system throws it. */
const fault = (name) => Object.assign(new Error(name), { name });

/** A folder as `showDirectoryPicker` gives one: names to bytes, or to folders. */
class FakeFolder {
  entries = new Map();

  async getDirectoryHandle(name, { create = false } = {}) {
    if (!this.entries.has(name)) {
      if (!create) throw fault("NotFoundError");
      this.entries.set(name, new FakeFolder());
    }
    const found = this.entries.get(name);
    if (!(found instanceof FakeFolder)) throw fault("TypeMismatchError");
    return found;
  }

  async getFileHandle(name, { create = false } = {}) {
    if (!this.entries.has(name)) {
      if (!create) throw fault("NotFoundError");
      this.entries.set(name, "");
    }
    if (this.entries.get(name) instanceof FakeFolder) throw fault("TypeMismatchError");
    const { entries } = this;
    return {
      async createWritable() {
        let text = "";
        return {
          write: async (block) => void (text += Buffer.from(block).toString()),
          // Until then it is as it was.
          close: async () => void entries.set(name, text),
          abort: async () => {},
        };
      },
    };
  }

  async removeEntry(name) {
    this.entries.delete(name);
  }

  /** @returns {object} */
  get tree() {
    return Object.fromEntries([...this.entries].map(([name, what]) => [name, what instanceof FakeFolder ? what.tree : what]));
  }
}

/** Receives a file into a place. */
async function put(place, path, text) {
  const sink = await place.sink({ id: path, path: path.split("/"), modified: null });
  if (!sink) return;
  await sink.write(new TextEncoder().encode(text));
  await sink.finish();
}

test("a received folder keeps its structure, and what came in it never replaces each other", async () => {
  const folder = new FakeFolder();
  const place = new FolderPlace(folder, () => assert.fail("nothing was there"));
  await Promise.all([put(place, "photos/a.txt", "1"), put(place, "photos/deep/er/b.txt", "2"), put(place, "photos/a.txt", "3"), place.folder(["photos", "empty"])]);
  await put(place, "photos/deep/A.txt", "4");
  assert.deepEqual(folder.tree, { photos: { "a.txt": "1", "a (2).txt": "3", deep: { er: { "b.txt": "2" }, "A.txt": "4" }, empty: {} } });
});

test("what was there is asked about once, and treated as was said", async () => {
  for (const [decision, a, more] of [["keep-both", "mine", { "a (2).txt": "new", "b (2).txt": "new" }], ["replace", "new", {}], ["skip", "mine", {}]]) {
    const folder = new FakeFolder();
    folder.entries.set("a.txt", "mine").set("b.txt", a).set("sub", new FakeFolder());
    let asked = 0;
    const place = new FolderPlace(folder, async () => {
      asked += 1;
      return decision;
    });
    await Promise.all([put(place, "a.txt", "new"), put(place, "b.txt", "new"), put(place, "c.txt", "new")]);
    // A folder is nothing that a file could replace.
    await put(place, "sub", "new");
    assert.deepEqual(folder.tree, { "a.txt": a, "b.txt": a, sub: {}, ...more, "c.txt": "new", "sub (2)": "new" }, decision);
    assert.equal(asked, 1);
  }
});

test("a file that is broken off leaves nothing behind, and what it would have replaced stays", async () => {
  const folder = new FakeFolder();
  folder.entries.set("a.txt", "mine");
  const place = new FolderPlace(folder, async () => "replace");
  for (const name of ["a.txt", "b.txt"]) {
    const sink = await place.sink({ path: [name] });
    await sink.write(new TextEncoder().encode("half"));
    await sink.abort();
  }
  assert.deepEqual(folder.tree, { "a.txt": "mine" });
  folder.entries.set("x", "a file");
  await assert.rejects(place.sink({ path: ["x", "y"] }), /a file called x/);
});

test("the checksum of ZIP is that of others, in pieces too", () => {
  const bytes = Uint8Array.from({ length: 100_003 }, (_, index) => (index * 31 + (index >> 7)) & 255);
  for (const length of [0, 1, 7, 8, 9, 4_096, bytes.length]) assert.equal(crc32(bytes.subarray(0, length)), reference(bytes.subarray(0, length)));
  assert.equal(crc32(bytes.subarray(1_001), crc32(bytes.subarray(0, 1_001))), reference(bytes));
});

/** Reads an archive's directory by the book, wide fields included: [{ path, size, crc32, bytes }]. */
async function unzip(blob) {
  const at = async (from, length) => new DataView(await blob.slice(from, from + length).arrayBuffer());
  const end = await at(blob.size - 22, 22);
  assert.equal(end.getUint32(0, true), 0x06054b50);
  let [count, directory] = [end.getUint16(10, true), end.getUint32(16, true)];
  if (count === 0xffff || directory === 0xffffffff) {
    const locator = await at(blob.size - 42, 20);
    assert.equal(locator.getUint32(0, true), 0x07064b50);
    const wide = await at(Number(locator.getBigUint64(8, true)), 56);
    assert.equal(wide.getUint32(0, true), 0x06064b50);
    [count, directory] = [Number(wide.getBigUint64(32, true)), Number(wide.getBigUint64(48, true))];
  }
  const view = await at(directory, blob.size - directory);
  const found = [];
  for (let number = 0, position = 0; number < count; number += 1) {
    const u16 = (offset) => view.getUint16(position + offset, true);
    const u32 = (offset) => view.getUint32(position + offset, true);
    assert.equal(u32(0), 0x02014b50);
    const [nameLength, extraLength] = [u16(28), u16(30)];
    const path = Buffer.from(view.buffer, position + 46, nameLength).toString();
    let [size, offset] = [u32(24), u32(42)];
    let extra = position + 46 + nameLength + 4;
    if (size === 0xffffffff) [size, extra] = [Number(view.getBigUint64(extra, true)), extra + 16];
    if (offset === 0xffffffff) offset = Number(view.getBigUint64(extra, true));
    const local = await at(offset, 30);
    assert.equal(local.getUint32(0, true), 0x04034b50);
    const begin = offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    found.push({ path, size, crc32: u32(16), bytes: size < 100 ? await blob.slice(begin, begin + size).text() : null });
    position += 46 + nameLength + extraLength;
  }
  return found;
}

/** Parts one after the other, each of which is read alone. */
class Joined {
  constructor(parts) {
    this.parts = parts.map((part) => (part instanceof Uint8Array ? new Blob([part]) : part));
    this.size = this.parts.reduce((sum, { size }) => sum + size, 0);
  }

  slice(from, to) {
    const found = [];
    let at = 0;
    for (const part of this.parts) {
      if (at + part.size > from && at < to) found.push(part.slice(Math.max(0, from - at), to - at));
      at += part.size;
    }
    return new Blob(found);
  }
}

/** Bytes in memory: a hundred thousand slices of Node's blobs take it half a minute. */
class Held {
  constructor(bytes) {
    this.bytes = bytes;
    this.size = bytes.byteLength;
  }

  slice(from, to) {
    return new Held(this.bytes.slice(from, to));
  }

  async arrayBuffer() {
    return this.bytes;
  }

  async text() {
    return new TextDecoder().decode(this.bytes);
  }
}

const entry = (path, text, crc = reference(text)) => ({ path, blob: new Blob([text]), crc32: crc, modified: 1_700_000_000_000 });

test("an archive is read by others as it was written", async () => {
  const entries = [entry("photos/a.txt", "hello"), entry("photos/ümlaut.txt", ""), { path: "photos/empty/", blob: null, crc32: 0, modified: null }];
  const found = await unzip(zip(entries));
  assert.deepEqual(found.map(({ path, bytes }) => [path, bytes]), [["photos/a.txt", "hello"], ["photos/ümlaut.txt", ""], ["photos/empty/", ""]]);
  assert.equal(found[0].crc32, reference("hello"));
  assert.deepEqual(await unzip(zip([])), []);
});

test("an archive may be larger than 4 GiB, and hold more than 65,535 files", async () => {
  // Node's blobs are no larger than 4 GiB: this one is only said to be.
  const large = { size: 5_000_000_000 };
  const parts = zipParts([{ path: "film", blob: large, crc32: 7, modified: null }, entry("after", "here")]);
  const found = await unzip(new Joined(parts));
  assert.deepEqual(found.map(({ path, size, bytes }) => [path, size, bytes]), [["film", large.size, null], ["after", 4, "here"]]);
  const archive = zip(Array.from({ length: 65_540 }, (_, index) => ({ path: `${index}`, blob: null, crc32: 0, modified: null })));
  const many = await unzip(new Held(await archive.arrayBuffer()));
  assert.equal(many.length, 65_540);
});

/** What a drop shows: files, and folders as objects. */
function dropped(tree) {
  const entryOf = (name, what) => {
    if (what instanceof File) return { name, isDirectory: false, file: (resolve) => resolve(what) };
    const inside = Object.entries(what).map(([inner, more]) => entryOf(inner, more));
    // As browsers do: some at a time, and nothing at the end.
    return { name, isDirectory: true, createReader: () => ({ readEntries: (resolve) => resolve(inside.splice(0, 2)) }) };
  };
  const items = Object.entries(tree).map(([name, what]) => ({ kind: "file", webkitGetAsEntry: () => entryOf(name, what) }));
  return { items, files: Object.values(tree).filter((what) => what instanceof File) };
}

test("dropped folders keep their structure", async () => {
  const file = new File(["x"], "f.txt");
  const paths = ({ files, folders }) => [files.map(({ path }) => path), folders];
  const selection = await selectionOfDrop(dropped({ photos: { "a.txt": file, deep: { "b.txt": file, "c.txt": file, d: { "e.txt": file } }, hollow: {} }, "f.txt": file }));
  assert.deepEqual(paths(selection), [["f.txt", "photos/a.txt", "photos/deep/b.txt", "photos/deep/c.txt", "photos/deep/d/e.txt"], ["photos/hollow"]]);
  assert.deepEqual(paths(await selectionOfDrop(dropped({ "f.txt": file }))), [["f.txt"], []]);
  const chosen = selectionOf([Object.assign(new File(["x"], "a.txt"), { webkitRelativePath: "photos/a.txt" })]);
  assert.deepEqual(paths(chosen), [["photos/a.txt"], []]);
  assert.equal(nameOf(chosen), "photos");
  assert.equal(nameOf(selection), "5 files");
  assert.equal(nameOf({ files: [], folders: ["a/b", "a/c"] }), "a");
});

/** Two pages that hear each other, and nobody else. */
function twoPages() {
  const sent = [];
  const end = (id, other) => {
    const link = Object.assign(new Emitter(), { id, name: id, role: "drop", closed: false, channelOpen: true, connection: { connectionState: "connected" }, wake() {} });
    link.send = (message) => {
      sent.push(message);
      queueMicrotask(() => other().emit("file", structuredClone(message)));
      return true;
    };
    link.openChannel = () => Object.assign(new EventTarget(), { close() {}, readyState: "open", bufferedAmount: 0 });
    return link;
  };
  const toBob = end("bob", () => toAda);
  const toAda = end("ada", () => toBob);
  const page = (link) => new Transfers(Object.assign(new Emitter(), { peers: new Map([[link.id, link]]), keys: null }));
  return { ada: page(toBob), bob: page(toAda), toAda, sent };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
const files = (count) => selectionOf(Array.from({ length: count }, (_, index) => Object.assign(new File([], `${index}`), { webkitRelativePath: `all/${index}` })));

test("a folder is one question, and many files are offered some at a time", async () => {
  const { ada, bob, sent } = twoPages();
  const selection = files(300);
  selection.folders.push("all/hollow");
  ada.send(selection);
  await settled();
  assert.equal(bob.batches.size, 1);
  const [batch] = bob.offers;
  assert.deepEqual([batch.name, batch.count, batch.foldersCount, batch.isGroup], ["all", 300, 1, true]);
  assert.equal(sent.filter(({ type }) => type === "file-offer").length, 64);

  // Empty files need no channel: the sender's part of their end is played here.
  const folders = [];
  bob.accept(batch, {
    kind: "folder",
    sink: async () => ({ kind: "folder", write: async (block) => block.buffer, finish: async () => null, abort: async () => {} }),
    folder: async (path) => void folders.push(path.join("/")),
  });
  await settled();
  assert.deepEqual(folders, ["all/hollow"]);
  const digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  for (let round = 0; batch.counts.done < 300 && round < 20; round += 1) {
    for (const file of bob.files.values()) if (!file.transfer.finished) file.handle({ type: "file-end", id: file.transfer.id, digest });
    await settled();
  }
  assert.deepEqual([batch.counts.done, batch.state, [...ada.batches.values()][0].state], [300, "done", "done"]);
  assert.equal(sent.filter(({ type }) => type === "file-offer").length, 300);
});

test("a no to a folder ends all of it, at both ends", async () => {
  const { ada, bob } = twoPages();
  ada.send(files(200));
  await settled();
  bob.decline(bob.offers[0]);
  await settled();
  for (const page of [ada, bob]) {
    assert.deepEqual([...page.batches.values()].map(({ state, isOver }) => [state, isOver]), [["declined", true]]);
    assert.ok([...page.files.values()].every(({ transfer }) => transfer.state === "declined"));
  }
});

test("a hostile sender offers no more than it announced, and nothing that leads out", async () => {
  const { bob, toAda, sent } = twoPages();
  const id = (number) => number.toString(16).padStart(32, "0");
  toAda.emit("file", { type: "file-batch", id: id(1), version: 1, files: 2, bytes: 2, name: "x" });
  const offer = (number, path) => toAda.emit("file", { type: "file-offer", id: id(number), version: 1, name: "a", size: 1, path, batch: id(1) });
  offer(2, "x/../../a");
  offer(3, "x/a");
  offer(4, "x/b");
  assert.deepEqual(sent.map(({ type, id }) => [type, id]), [["file-decline", id(2)], ["file-decline", id(4)]]);
  assert.equal(bob.files.size, 1);
  for (let number = 0; number < 1_000; number += 1) toAda.emit("file", { type: "file-batch", id: id(number + 10), version: 1, files: 9, bytes: 0, name: "y" });
  assert.equal(bob.offers.length, 64);
});
