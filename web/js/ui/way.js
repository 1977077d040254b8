/** Which way the room's media go, drawn and in words, with the choice of another; and what of ours is watched. */
import { append, h, setText, show, svg } from "../dom.js";
import { formatBitrate } from "../format.js";

/** @typedef {import("../room.js").Room} Room */
/** @typedef {import("../room/forwarding.js").Topology} Topology */
/** @typedef {import("../room/forwarding.js").Layer} Layer */

const POLICIES = /** @type {const} */ ([
  { value: "auto", words: "By itself, as the room grows" },
  { value: "p2p", words: "Always from browser to browser" },
  { value: "sfu", words: "Always through the server" },
]);
/** More dots than that say nothing more. */
const MOST_DOTS = 9;

export class Way {
  #picture = svg("svg", { viewBox: "0 0 120 96", class: "way-picture", role: "img" });
  #words = h("p", { class: "path-words" });
  #more = h("p", { class: "details-facts" });
  #sent = h("p", { class: "details-facts", testid: "way-sent" });
  #choice = h("select", { testid: "way-policy", onchange: () => this.#room.forwarding.choose(/** @type {Topology["policy"]} */ (this.#choice.value)) });
  #field = h("label", { class: "field" }, h("span", {}, "Sound and pictures go"), this.#choice);
  element = h("section", { class: "way", testid: "way" }, h("div", { class: "way-now" }, this.#picture, h("div", {}, this.#words, this.#more, this.#sent)), this.#field);
  #room;
  #drawn = "";

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    append(this.#choice, POLICIES.map(({ value, words }) => h("option", { value }, words)));
  }

  update() {
    const { topology, forwarder } = this.#room.forwarding;
    show(this.element, topology !== null && this.#room.peers.size > 0);
    if (!topology) return;
    const { mode, policy } = topology;
    const people = this.#room.peers.size + 1;
    this.element.dataset.mode = mode;
    this.element.dataset.policy = policy;
    if (document.activeElement !== this.#choice) this.#choice.value = policy;
    const maySay = this.#room.joined?.kind !== "live" || this.#room.joined.role === "streamer";
    show(this.#field, maySay);
    setText(this.#words, mode === "sfu" ? "Through the server" : "From browser to browser");
    setText(this.#more, reason(mode, policy, people));
    const { wanted } = forwarder ?? {};
    setText(this.#sent, mode === "sfu" && this.#room.state.camera && wanted?.camera ? sentInWords(wanted.camera) : "");
    const key = `${mode}/${Math.min(people, MOST_DOTS)}`;
    if (key === this.#drawn) return;
    this.#drawn = key;
    this.#picture.setAttribute("aria-label", `${people} people, ${mode === "sfu" ? "each connected to the server" : "each connected to each"}`);
    this.#picture.replaceChildren(...draw(mode, Math.min(people, MOST_DOTS)));
  }
}

/**
 * @param {Topology["mode"]} mode
 * @param {Topology["policy"]} policy
 * @param {number} people
 */
function reason(mode, policy, people) {
  const chosen = policy === mode;
  const why = chosen ? "somebody here chose it" : `there are ${people} people here`;
  return mode === "sfu"
    ? `Each sends once, and the server gives everybody what fits their window and line, because ${why}.`
    : `Each sends to each, past the server, because ${why}.`;
}

/** @param {readonly boolean[]} wanted lowest quality first */
function sentInWords(wanted) {
  if (!wanted.some(Boolean)) return "Nobody watches your camera just now: it is not sent.";
  if (wanted.length === 1) return "Your camera is sent in layers, of which everybody gets what fits.";
  const names = wanted.length === 3 ? ["small", "medium", "large"] : wanted.map((_, index) => String(index + 1));
  return `Your camera is sent ${names.filter((_, index) => wanted[index]).join(" and ")}; nobody watches the rest.`;
}

/**
 * What of somebody's picture comes, in words.
 *
 * @param {Layer | null} layer
 * @param {number | null} estimate what our line carries, bit/s
 * @returns {string}
 */
export function layerInWords(layer, estimate) {
  if (!layer) return "";
  const size = layer.encoding === null ? "not shown" : (["small picture", "medium picture", "large picture"][layer.encoding] ?? "picture");
  const takes = layer.bitrate ? `, ${formatBitrate(layer.bitrate)}` : "";
  const line = estimate === null ? "your line bears no more" : `your line bears ${formatBitrate(estimate)} in all`;
  const why = { wish: "as large as your window shows it", bandwidth: line, source: "they send no better" }[layer.why];
  return `${size}${takes}: ${why}`;
}

/**
 * People on a circle, with a string from each to each, or from each to the server.
 *
 * @param {Topology["mode"]} mode
 * @param {number} people
 */
function draw(mode, people) {
  const at = Array.from({ length: people }, (_, index) => {
    const angle = (2 * Math.PI * index) / people - Math.PI / 2;
    return { x: 60 + 44 * Math.cos(angle), y: 48 + 36 * Math.sin(angle) };
  });
  const line = (/** @type {{ x: number, y: number }} */ one, /** @type {{ x: number, y: number }} */ two) =>
    svg("path", { class: "string", d: `M${one.x.toFixed(1)} ${one.y.toFixed(1)}L${two.x.toFixed(1)} ${two.y.toFixed(1)}` });
  const strings =
    mode === "sfu" ? at.map((one) => line(one, { x: 60, y: 48 })) : at.flatMap((one, index) => at.slice(index + 1).map((two) => line(one, two)));
  const dots = at.map(({ x, y }, index) => svg("circle", { class: index === 0 ? "way-dot own" : "way-dot", cx: x.toFixed(1), cy: y.toFixed(1), r: 6 }));
  const server =
    mode === "sfu"
      ? [svg("rect", { class: "stop-body server", x: 49, y: 36, width: 22, height: 24, rx: 3 }), svg("path", { class: "stop-line", d: "M49 44h22M49 52h22M54 40h.1M54 48h.1M54 56h.1" })]
      : [];
  return [...strings, ...dots, ...server];
}
