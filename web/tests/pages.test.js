import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("../", import.meta.url);
const read = (path) => readFileSync(new URL(path, folder), "utf8");
const pages = readdirSync(folder).filter((name) => name.endsWith(".html"));

// Without a build step every page has a head of its own: so they are held alike here.
test("all pages have the same head and body, but for title, description, style, script and class", () => {
  const own = [/(?: {4}<link rel="modulepreload"[^>]*>\n)*(?= {4}<script type="module")/, / content="[^"]*">\n {4}<title>[^<]*/, /css\/(start|room|send|check|admin)\.css/, /pages\/\w+\.js/, /body class="[^"]*"/];
  const common = (page) => own.reduce((text, part) => text.replace(part, "…"), read(page));
  assert.ok(pages.includes("call.html"));
  for (const page of pages) assert.equal(common(page), common(pages[0]), page);
});

test("what a page loads is there", () => {
  for (const page of pages) {
    for (const [, path] of read(page).matchAll(/(?:href|src)="\/([^"]+)"/g)) assert.ok(read(path).length > 0, `${page}: ${path}`);
  }
});

/** Relative luminance and contrast of WCAG 2.2. */
function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

test("words can be read on what they stand on, in both themes", () => {
  const colours = {};
  for (const [, name, light, dark] of read("css/base.css").matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);/g)) colours[name] = [light, dark];
  const pairs = [
    ...["paper", "raised", "sunken"].flatMap((back) => [["ink", back], ["ink-soft", back]]),
    ...["paper", "raised"].flatMap((back) => [["accent", back], ["good", back], ["warn", back], ["bad", back]]),
    ["on-accent", "accent"],
    ["on-accent", "accent-hover"],
    ["paper", "ink"],
    ...["good", "warn", "bad"].flatMap((verdict) => [["ink", `${verdict}-back`], ["ink-soft", `${verdict}-back`], [verdict, `${verdict}-back`]]),
  ];
  for (const [words, back] of pairs) {
    for (const theme of [0, 1]) {
      const found = contrast(colours[words][theme], colours[back][theme]);
      assert.ok(found >= 4.5, `${words} on ${back}, ${["light", "dark"][theme]}: ${found.toFixed(2)}`);
    }
  }
});
