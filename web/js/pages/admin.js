/** `/admin`: what the server does just now, for whoever has its token. */
import { History, keyOf } from "../admin/history.js";
import { append, find, h, setText, show } from "../dom.js";
import { expose } from "../expose.js";
import { formatBitrate, formatDuration, formatMilliseconds, formatPercent } from "../format.js";
import { Plot } from "../ui/plot.js";
import { header } from "../ui/shell.js";

/** @typedef {import("../admin/history.js").Report} Report */
/** @typedef {import("../admin/history.js").RoomReport} RoomReport */
/** @typedef {import("../admin/history.js").PersonReport} PersonReport */
/** @typedef {import("../admin/history.js").TrackReport} TrackReport */

/** ms */
const INTERVAL = 1_000;
const KEY = "twocan.admin";

const main = find("main");
const { title } = header();
setText(title, "Server");

const history = new History();
/** @type {Map<string, RoomCard>} */
const rooms = new Map();
const wrong = h("p", { class: "field-help admin-wrong", role: "alert", testid: "admin-wrong", hidden: true }, "That is not this server's token.");
const token = h("input", { testid: "admin-token", type: "password", autocomplete: "off", spellcheck: false, required: true });
const form = h(
  "form",
  {
    class: "card admin-form",
    testid: "admin-form",
    hidden: true,
    onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      enter(token.value.trim());
    },
  },
  h("h1", {}, "Who runs this server?"),
  h("p", { class: "lead" }, "The server printed a link to this page when it started. The word behind its # is the token."),
  h("label", { class: "field" }, h("span", {}, "Token"), token),
  wrong,
  h("button", { type: "submit", class: "button primary" }, "Open"),
);
const facts = h("p", { class: "details-facts", testid: "admin-facts" });
const away = h("p", { class: "admin-away", role: "status", hidden: true }, "The server does not answer. Trying again…");
const cpu = new Plot({ label: "Media workers", format: cores, least: 0.05 });
const forwarded = new Plot({ label: "Packets forwarded a second", format: (value) => (value === null ? "–" : String(Math.round(value))), least: 100 });
const people = new Plot({ label: "People", format: (value) => (value === null ? "–" : String(value)), least: 5 });
const relayed = new Plot({ label: "Through the relay", format: formatBitrate, least: 100_000 });
const workers = h("div", { class: "admin-workers", testid: "admin-workers" });
const none = h("p", { class: "panel-empty" }, "No room is forwarded just now. Calls of up to four people go from browser to browser, and this server sees nothing of them.");
const list = h("div", { class: "admin-rooms", testid: "admin-rooms" });
const view = h(
  "div",
  { class: "admin", testid: "admin", hidden: true },
  h("h1", { class: "visually-hidden" }, "Server"),
  facts,
  away,
  h("div", { class: "plots admin-plots" }, cpu.element, forwarded.element, people.element, relayed.element),
  workers,
  h("h2", {}, "Rooms that are forwarded"),
  none,
  list,
);
append(main, [form, view]);
expose({ page: "admin" });

let secret = location.hash.slice(1) || remembered();
cleanAddress();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
if (secret === "") ask();
else void poll();

/** The token does not stay in the address, which people show and copy. */
function cleanAddress() {
  if (location.hash !== "") window.history.replaceState(null, "", location.pathname);
}

function remembered() {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

/** @param {boolean} [refused] */
function ask(refused = false) {
  show(view, false);
  show(form, true);
  show(wrong, refused);
  token.focus();
}

/** @param {string} word */
function enter(word) {
  secret = word;
  void poll();
}

async function poll() {
  clearTimeout(timer);
  try {
    const response = await fetch("/api/admin", { headers: { authorization: `Bearer ${secret}` }, cache: "no-store", signal: AbortSignal.timeout(5_000) });
    if (response.status === 401) return ask(true);
    if (!response.ok) throw new Error(String(response.status));
    draw(/** @type {Report} */ (await response.json()));
    try {
      sessionStorage.setItem(KEY, secret);
    } catch {
      // Then it is asked for again next time.
    }
    show(away, false);
  } catch {
    show(away, true);
  }
  timer = setTimeout(() => void poll(), INTERVAL);
}

/** @param {Report} report */
function draw(report) {
  show(form, false);
  show(view, true);
  history.note(report, performance.now());
  const { signaling } = report;
  setText(
    facts,
    [
      `twocan ${report.version}`,
      `up for ${formatDuration(report.uptime)}`,
      `${signaling.sessions} in ${signaling.rooms} ${signaling.rooms === 1 ? "room" : "rooms"}`,
      signaling.waiting > 0 ? `${signaling.waiting} waiting in lobbies` : null,
      report.relay ? `${report.relay.allocations} relayed` : "no relay",
    ]
      .filter(Boolean)
      .join(" · "),
  );
  cpu.draw([history.cpu]);
  forwarded.draw([history.forwarded]);
  people.draw([history.people]);
  relayed.draw([history.relayed]);
  drawWorkers(report);
  show(none, report.rooms.length === 0);
  const seen = new Set();
  for (const room of report.rooms) {
    const key = keyOf(room);
    seen.add(key);
    let card = rooms.get(key);
    if (!card) {
      card = new RoomCard(room);
      rooms.set(key, card);
      list.append(card.element);
    }
    card.update(room);
  }
  for (const [key, card] of rooms) {
    if (seen.has(key)) continue;
    card.element.remove();
    rooms.delete(key);
  }
}

/** @param {Report} report */
function drawWorkers({ workers: reports }) {
  while (workers.children.length > reports.length) workers.lastElementChild?.remove();
  reports.forEach(({ connections, rooms: count }, index) => {
    const share = history.workers[index]?.at(-1) ?? null;
    let row = /** @type {HTMLElement | undefined} */ (workers.children[index]);
    if (!row) {
      row = h("div", { class: "admin-worker" }, h("span", { class: "admin-worker-name" }), h("meter", { min: 0, max: 1, high: 0.8, value: 0 }), h("span", { class: "admin-worker-words" }));
      workers.append(row);
    }
    const [name, meter, words] = /** @type {[HTMLElement, HTMLMeterElement, HTMLElement]} */ (/** @type {unknown} */ ([...row.children]));
    setText(name, `Worker ${index + 1}`);
    meter.value = share ?? 0;
    meter.setAttribute("aria-label", `Worker ${index + 1}: ${cores(share)}`);
    setText(words, `${cores(share)} · ${count} ${count === 1 ? "room" : "rooms"} · ${connections} ${connections === 1 ? "connection" : "connections"}`);
  });
}

/** @param {number | null} share of one core */
function cores(share) {
  return share === null ? "–" : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} % of a core`;
}

class RoomCard {
  #bitrate = new Plot({ label: "Sent, received", format: formatBitrate, least: 100_000 });
  #people = h("tbody", {});
  #tracks = h("tbody", {});
  #facts = h("p", { class: "details-facts" });
  element;

  /** @param {RoomReport} room */
  constructor({ name, kind }) {
    const head = (/** @type {string[]} */ ...words) => h("thead", {}, h("tr", {}, ...words.map((word) => h("th", { scope: "col" }, word))));
    this.element = h(
      "section",
      { class: "card admin-room", testid: "admin-room", data: { room: name, kind } },
      h("h3", {}, name, h("span", { class: "admin-kind" }, kind)),
      this.#facts,
      h("div", { class: "plots one" }, this.#bitrate.element),
      h("div", { class: "admin-table" }, h("table", {}, head("Sends", "Codec", "Sizes, bit/s", "Watch"), this.#tracks)),
      h("div", { class: "admin-table" }, h("table", {}, head("Person", "State", "Round trip", "Their way bears", "Lost"), this.#people)),
    );
  }

  /** @param {RoomReport} room */
  update(room) {
    const lines = history.rooms.get(keyOf(room));
    if (lines) this.#bitrate.draw([lines.sent, lines.received]);
    // A section that waits for somebody to share their screen is nothing yet.
    const tracks = room.tracks.filter(({ watchers, encodings }) => watchers > 0 || encodings.some(({ bitrate }) => bitrate > 0));
    setText(this.#facts, `${room.people.length} ${room.people.length === 1 ? "connection" : "connections"} · ${tracks.length} tracks`);
    fill(this.#tracks, tracks.map(trackCells));
    fill(this.#people, room.people.map(personCells));
  }
}

/** @param {TrackReport} track */
function trackCells({ peer, source, codec, encodings, watchers }) {
  const sizes = encodings.map(({ bitrate, watched }) => (watched ? formatBitrate(bitrate) : "off")).join(", ");
  return [`${peer ?? "stream"}: ${source}`, codec, sizes, String(watchers)];
}

/** @param {PersonReport} person */
function personCells({ peer, state, round_trip: roundTrip, estimate, loss }) {
  return [peer ?? "stream", state, formatMilliseconds(roundTrip), formatBitrate(estimate), formatPercent(loss)];
}

/**
 * Rows are kept, so that what a person has selected stays selected.
 *
 * @param {HTMLElement} body
 * @param {string[][]} rows
 */
function fill(body, rows) {
  while (body.children.length > rows.length) body.lastElementChild?.remove();
  rows.forEach((cells, index) => {
    let row = body.children[index];
    if (!row) {
      row = h("tr", {}, ...cells.map(() => h("td", {})));
      body.append(row);
    }
    cells.forEach((text, place) => setText(row.children[place], text));
  });
}
