import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { qrCode } from "../js/qr.js";

test("a link becomes a QR code that other people's readers read", () => {
  const code = qrCode("https://call.example.org/send#k3m9x-7qv2t-h4n80-2wx1z");
  assert.equal(code?.length, 29);
  // Taken down after another program had read each mask of it.
  const modules = code?.flat().map(Number).join("") ?? "";
  assert.equal(createHash("sha256").update(modules).digest("hex"), "e46738ea2e6ecf1b50517de98d07c758341d3f1290e7c4b936193e207c466faf");
});

test("every version has its size, and what is too long is none", () => {
  for (const [length, size] of [[1, 21], [17, 21], [18, 25], [53, 29], [78, 33], [106, 37]]) {
    assert.equal(qrCode("x".repeat(length))?.length, size, `${length} bytes`);
  }
  assert.equal(qrCode("x".repeat(107)), null);
  assert.equal(qrCode("é".repeat(54)), null);
});
