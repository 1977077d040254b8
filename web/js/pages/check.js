/** `/check`: what this network can do, measured and in plain words. */
import { gather } from "../check/gather.js";
import { judgeAll, judgeHosts, judgeNat, judgeTurn, mappingOf } from "../check/judge.js";
import { tryTurn } from "../check/turn.js";
import { append, find, h, setText } from "../dom.js";
import { problem } from "../errors.js";
import { expose } from "../expose.js";
import { icon } from "../ui/icons.js";
import { Banner, Problems, copy, header } from "../ui/shell.js";

/** @typedef {import("../check/judge.js").Judgement} Judgement */
/** @typedef {import("../check/judge.js").Candidate} Candidate */
/** @typedef {"hosts" | "nat" | "turn-udp" | "turn-tcp" | "turn-tls"} CheckId */
/** @typedef {{ id: CheckId, title: string, what: string }} Check */

/** @type {readonly Check[]} */
const CHECKS = [
  { id: "hosts", title: "Your own addresses", what: "Where people on the same network find you." },
  { id: "nat", title: "Your router", what: "How you look from outside, and whether others can reach you through it." },
  { id: "turn-udp", title: "Relay over UDP", what: "The way around a strict router." },
  { id: "turn-tcp", title: "Relay over TCP", what: "For networks that block UDP." },
  { id: "turn-tls", title: "Relay over TLS", what: "For networks that let only encrypted web traffic through." },
];

/** @type {Map<CheckId, Judgement & { verdict: string }>} */
const results = new Map();
/** @type {Candidate[]} */
let candidates = [];
let running = false;

const main = find("main");
const problems = new Problems();
const banner = new Banner();
header();

expose({
  page: "check",
  check: () => ({ running, candidates: candidates.map((one) => ({ ...one })), results: [...results].map(([id, one]) => ({ id, ...one })) }),
});

/** @type {Map<CheckId, (judgement: { verdict: string, summary: string, detail: string }) => void>} */
const rows = new Map();
const list = h("ol", { class: "checks" });
for (const { id, title, what } of CHECKS) {
  const mark = h("span", { class: "check-mark", "aria-hidden": "true" });
  const summary = h("p", { class: "check-verdict" });
  const detail = h("p", { class: "check-detail" });
  const row = h(
    "li",
    { class: "check-row", testid: "check-row", data: { check: id, verdict: "idle" } },
    mark,
    h("div", {}, h("h2", {}, title), h("p", { class: "check-what" }, what), summary, detail),
  );
  list.append(row);
  rows.set(id, (judgement) => {
    row.dataset.verdict = judgement.verdict;
    mark.replaceChildren(icon({ ok: "check", warn: "warn", bad: "close" }[judgement.verdict] ?? "details"));
    setText(summary, judgement.summary);
    setText(detail, judgement.detail);
  });
}
const summaryTitle = h("h2", {}, "Ready");
const summaryText = h("p", {}, "The check takes some seconds. It sends a few packets to this server and nothing else.");
const summary = h("section", { class: "card check-summary", testid: "check-summary", role: "status", data: { verdict: "idle" } }, summaryTitle, summaryText);
const run = h("button", { type: "button", class: "button primary large", testid: "check-run", onclick: () => void start() }, "Check again");
const report = h("button", { type: "button", class: "button", testid: "check-copy", onclick: () => void copy(reportText(), "Report") }, icon("copy"), "Copy the report");

append(main, [
  problems.element,
  h(
    "div",
    { class: "check" },
    banner.element,
    h("h1", {}, "What your network can do"),
    summary,
    h("div", { class: "row" }, run, report),
    list,
    h("details", { class: "check-candidates" }, h("summary", {}, "Every candidate that was found"), h("pre", { testid: "check-candidates" })),
  ),
]);

/**
 * @param {CheckId} id
 * @param {Judgement | { verdict: "running", summary: string, detail: string }} judgement
 */
function set(id, judgement) {
  results.set(id, /** @type {Judgement} */ (judgement));
  rows.get(id)?.(judgement);
}

async function start() {
  if (running) return;
  running = true;
  run.disabled = true;
  problems.clear();
  for (const { id } of CHECKS) set(id, { verdict: "running", summary: "Looking…", detail: "" });
  summary.dataset.verdict = "running";
  setText(summaryTitle, "Checking…");
  setText(summaryText, "This takes some seconds.");
  try {
    const [servers, info] = await Promise.all([fetchJson("/api/ice-servers"), fetchJson("/api/info")]);
    const stun = info.stun ?? [];
    const gathered = await checkHosts(stun);
    const [udp] = await Promise.all(/** @type {const} */ (["udp", "tcp", "tls"]).map((protocol) => checkTurn(protocol, servers.iceServers ?? [])));
    checkNat(stun, gathered, udp);
    const all = judgeAll(Object.fromEntries([...results].map(([id, { verdict }]) => [id, verdict])));
    summary.dataset.verdict = all.verdict;
    setText(summaryTitle, all.summary);
    setText(summaryText, all.detail);
  } catch (error) {
    problems.add(problem("server-gone", String(error)), { action: { label: "Try again", run: () => void start() } });
    summary.dataset.verdict = "bad";
    setText(summaryTitle, "The check could not run");
    setText(summaryText, "The server did not answer.");
    for (const { id } of CHECKS) {
      if (results.get(id)?.verdict === /** @type {string} */ ("running")) set(id, { verdict: "warn", summary: "Not tested", detail: "" });
    }
  } finally {
    running = false;
    run.disabled = false;
  }
}

/** @param {string[]} stun host:port */
async function checkHosts(stun) {
  const gathered = await gather({ iceServers: stun.length > 0 ? [{ urls: stun.map((address) => `stun:${address}`) }] : [] });
  candidates = gathered.candidates.map(toCandidate);
  find("[data-testid=check-candidates]").textContent = gathered.candidates.map(({ candidate }) => candidate).join("\n");
  set("hosts", judgeHosts(candidates));
  return gathered;
}

/**
 * @param {string[]} stun
 * @param {import("../check/gather.js").Gathered} gathered
 * @param {import("../check/turn.js").TurnResult | null} turn over UDP
 */
function checkNat(stun, gathered, turn) {
  const reflexive = candidates.filter(({ type }) => type === "srflx");
  set(
    "nat",
    judgeNat({
      mapping: mappingOf(candidates),
      // Where no address is translated, browsers leave the reflexive candidate out. That UDP passes is then seen from
      // the relay, or from nobody's complaint; an interface that does not reach the server complains in any case.
      answered: reflexive.length > 0 || turn?.allocated === true || (stun.length > 0 && gathered.errors.length === 0),
      servers: stun.length,
      publicAddresses: [...new Set(reflexive.map(({ address }) => address ?? ""))].filter(Boolean),
    }),
  );
}

/**
 * @param {"udp" | "tcp" | "tls"} protocol
 * @param {RTCIceServer[]} servers
 */
async function checkTurn(protocol, servers) {
  const server = turnServer(protocol, servers);
  const result = server ? await tryTurn(server) : null;
  set(`turn-${protocol}`, judgeTurn(protocol, result, isLoopback(location.hostname)));
  return result;
}

/** @param {string} hostname */
function isLoopback(hostname) {
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}

/**
 * @param {"udp" | "tcp" | "tls"} protocol
 * @param {RTCIceServer[]} servers
 * @returns {RTCIceServer | null} with the one URL that speaks this protocol
 */
function turnServer(protocol, servers) {
  for (const server of servers) {
    for (const url of [server.urls].flat()) {
      const secure = url.startsWith("turns:");
      if (!secure && !url.startsWith("turn:")) continue;
      const spoken = secure ? "tls" : /[?&]transport=tcp/.test(url) ? "tcp" : "udp";
      if (spoken === protocol) return { ...server, urls: url };
    }
  }
  return null;
}

/** @param {RTCIceCandidate} candidate @returns {Candidate} */
function toCandidate({ type, protocol, address, port, relatedPort }) {
  return { type: type ?? "", protocol: protocol ?? "", address, port, relatedPort };
}

/** @param {string} url */
async function fetchJson(url) {
  const response = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(8_000) });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.json();
}

/** For whoever is asked for help. */
function reportText() {
  const lines = CHECKS.map(({ id, title }) => {
    const result = results.get(id);
    return `${title}: ${result?.summary ?? "not tested"}. ${result?.detail ?? ""}`.trim();
  });
  return [`twocan network check, ${new Date().toISOString()}`, navigator.userAgent, summaryTitle.textContent, ...lines].join("\n");
}

if ("RTCPeerConnection" in window) void start();
else problems.add(problem("unsupported-browser"));
