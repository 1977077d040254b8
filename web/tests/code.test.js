import assert from "node:assert/strict";
import { test } from "node:test";
import { DoesNotOpen, Keys, newCode, parseCode } from "../js/code.js";

const CODE = "k3m9x-7qv2t-h4n80-2wx1z";

test("a code is read as people write it", () => {
  for (const same of [CODE, "K3M9X 7QV2T H4N8O 2WXLZ", "k3m9x7qv2th4n8o2wxiz", `https://call.example.org/send#${CODE}`, ` ${CODE}\n`]) {
    assert.equal(parseCode(same), CODE, same);
  }
  for (const none of ["", "k3m9x", `${CODE}0`, "k3m9x-7qv2t-h4n80-2wx1u", "k3m9x-7qv2t-h4n80-2wx1é", "https://call.example.org/send"]) {
    assert.equal(parseCode(none), null, none);
  }
});

test("new codes are codes, and no two alike", () => {
  const codes = Array.from({ length: 100 }, newCode);
  assert.equal(new Set(codes).size, 100);
  for (const code of codes) assert.equal(parseCode(code), code);
});

test("keys are those of the terminal (server/src/files/code.rs)", async () => {
  const keys = await Keys.of(CODE);
  assert.equal(keys.room, "sealed-288b550e40df8b2587b11ef198deaca9");
  assert.equal(await keys.fileId("photos/a.jpg", 1_000, 1_700_000_000_000), "ae3fbb3e3b274a5a72e0646e20368e86");
});

test("what is sealed opens for the right two only, and only unchanged", async () => {
  const keys = await Keys.of(CODE);
  const data = { connection: "word", description: { type: "offer", sdp: "é" } };
  const sealed = await keys.seal("p1", "p2", data);
  assert.deepEqual(await keys.open("p1", "p2", sealed), data);
  const other = await Keys.of("k3m9x-7qv2t-h4n80-2wx10");
  const changed = { sealed: sealed.sealed.replace(/^./, (first) => (first === "A" ? "B" : "A")) };
  for (const [who, from, to, what] of [
    [keys, "p2", "p1", sealed],
    [keys, "p1", "p3", sealed],
    [other, "p1", "p2", sealed],
    [keys, "p1", "p2", changed],
    [keys, "p1", "p2", data],
    [keys, "p1", "p2", { sealed: "" }],
    [keys, "p1", "p2", { sealed: 7 }],
    [keys, "p1", "p2", null],
  ]) {
    await assert.rejects(who.open(from, to, what), DoesNotOpen);
  }
  assert.notEqual((await keys.seal("p1", "p2", data)).sealed, sealed.sealed, "a fresh nonce");
});

test("what the terminal has sealed opens here (server/src/files/seal.rs)", async () => {
  const raw = Uint8Array.from({ length: 32 }, (_, index) => index);
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
  const keys = new Keys(CODE, { room: "", signaling: key, ids: key, media: raw });
  const sealed = "CQkJCQkJCQkJCQkJyDprVOnxJselYF+XiayZuFZguwwnDJ9QujQmMlRo2QRvTEgIgA==";
  assert.deepEqual(await keys.open("p1", "p2", { sealed }), { connection: "word" });
});
