import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("../", import.meta.url);
const read = (path) => readFileSync(new URL(path, folder), "utf8");

/** All modules that one leads to, the nearest first, without itself. */
function leadsTo(path) {
  const found = new Set([path]);
  for (const module of found) {
    for (const [, to] of read(module).matchAll(/^(?:import|export)\b[^;]*?\bfrom "(\.[^"]+)"/gm)) {
      found.add(new URL(to, `file:///${module}`).pathname.slice(1));
    }
  }
  found.delete(path);
  return [...found];
}

// A browser would otherwise learn of each module from the one that imports it: six journeys in a row.
test("a call's page names all of its modules: node --test tests/preload.test.js with WRITE=1 writes them", () => {
  const page = read("call.html");
  const links = leadsTo("js/pages/call.js").map((path) => `    <link rel="modulepreload" href="/${path}">\n`).join("");
  const written = page.replace(/(?: {4}<link rel="modulepreload"[^>]*>\n)*(?= {4}<script type="module")/, links);
  if (process.env.WRITE) writeFileSync(new URL("call.html", folder), written);
  else assert.equal(page, written);
});
