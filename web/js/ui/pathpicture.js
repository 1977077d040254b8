/** The path to a person as a picture: two cans, a string, and what hangs on it. */
import { h, setText, svg } from "../dom.js";
import { stops } from "../path.js";

/** @typedef {import("../types.js").Path} Path */

export class PathPicture {
  #picture = svg("svg", { viewBox: "0 0 240 56", class: "path-picture", role: "img" });
  #words = h("p", { class: "path-words" });
  element = h("div", { class: "path", testid: "path" }, this.#picture, this.#words);
  #drawn = "";

  /**
   * @param {Path | null} path
   * @param {string} you
   * @param {string} them
   */
  show(path, you, them) {
    const { dataset } = this.element;
    dataset.kind = path?.kind ?? "";
    dataset.relayed = String(path?.relayed ?? false);
    dataset.protocol = path?.protocol ?? "";
    dataset.server = String(path?.server ?? false);
    const words = path?.words ?? "Looking for a way…";
    setText(this.#words, words);
    const key = `${path?.server}/${path?.kind}/${path?.relayProtocol}/${path?.protocol}`;
    if (key === this.#drawn) return;
    this.#drawn = key;
    this.#picture.setAttribute("aria-label", `From ${you} to ${them}: ${words}`);
    this.#picture.replaceChildren(...this.#draw(path));
  }

  /** @param {Path | null} path */
  #draw(path) {
    const between = path ? stops(path) : [];
    const xs = [24, ...between.map((_, index) => 24 + (192 * (index + 1)) / (between.length + 1)), 216];
    const parts = [];
    for (let index = 0; index + 1 < xs.length; index += 1) {
      const middle = (xs[index] + xs[index + 1]) / 2;
      const sag = path ? 30 : 44;
      parts.push(svg("path", { class: path ? "string" : "string loose", d: `M${xs[index]} 22Q${middle} ${sag} ${xs[index + 1]} 22` }));
    }
    between.forEach((stop, index) => parts.push({ relay, router, server }[stop](xs[index + 1])));
    parts.push(can(24), can(216));
    const names = ["you", ...between, "them"];
    if (path?.relayed && path.relayProtocol && !path.server) names[1] = `relay, ${path.relayProtocol.toUpperCase()}`;
    names.forEach((name, index) => {
      const text = svg("text", { x: xs[index], y: 51, "text-anchor": "middle" });
      text.textContent = name;
      parts.push(text);
    });
    return parts;
  }
}

/** @param {number} x */
function can(x) {
  return svg(
    "g",
    {},
    svg("rect", { class: "can-body", x: x - 9, y: 11, width: 18, height: 24, rx: 3 }),
    svg("rect", { class: "can-label", x: x - 9, y: 18, width: 18, height: 10 }),
  );
}

/** @param {number} x */
function router(x) {
  return svg(
    "g",
    {},
    svg("path", { class: "stop-line", d: `M${x - 6} 17l-3-8M${x + 6} 17l3-8` }),
    svg("rect", { class: "stop-body", x: x - 12, y: 17, width: 24, height: 12, rx: 3 }),
    svg("path", { class: "stop-line", d: `M${x - 6} 23h.1M${x} 23h.1M${x + 6} 23h.1` }),
  );
}

/** @param {number} x */
function relay(x) {
  return svg(
    "g",
    {},
    svg("circle", { class: "stop-body relay", cx: x, cy: 22, r: 12 }),
    svg("path", { class: "stop-line", d: `M${x - 6} 19h11l-3-3M${x + 6} 25h-11l3 3` }),
  );
}

/** @param {number} x */
function server(x) {
  return svg(
    "g",
    {},
    svg("rect", { class: "stop-body server", x: x - 12, y: 8, width: 24, height: 28, rx: 3 }),
    svg("path", { class: "stop-line", d: `M${x - 12} 17h24M${x - 12} 26h24M${x - 7} 12.5h.1M${x - 7} 21.5h.1M${x - 7} 31h.1` }),
  );
}
