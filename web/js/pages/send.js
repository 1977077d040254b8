/**
 * `/send` and `/send/NAME`: files only. The first opens a drop that is sealed by a code, which stands behind the `#` of its
 * link and so never reaches the server; whoever has the code joins, in a browser or a terminal. The second is a drop by
 * name, which the server is to be trusted with.
 */
import { Keys, newCode, parseCode } from "../code.js";
import { expose } from "../expose.js";
import { append, find, h, setText, svg } from "../dom.js";
import { pathProblem, problem, refusalProblem } from "../errors.js";
import { Transfers } from "../files/transfers.js";
import { isRoomName } from "../names.js";
import { readParams, roomFromPath } from "../params.js";
import { qrCode } from "../qr.js";
import { Room } from "../room.js";
import { Watch } from "../room/watch.js";
import { getSetting, setSetting } from "../settings.js";
import { FilesPanel } from "../ui/files.js";
import { icon, logo } from "../ui/icons.js";
import { roomLink } from "../ui/invite.js";
import { PathPicture } from "../ui/pathpicture.js";
import { RoomBanner } from "../ui/roombanner.js";
import { Banner, Problems, copy, header, iconButton, share, watchRoomProblems, wayOut } from "../ui/shell.js";

/** @typedef {import("../expose.js").PageStage} PageStage */
/** @typedef {import("../peer.js").PeerLink} PeerLink */

const params = readParams(location.search, navigator.webdriver === true);
const namedRoom = roomFromPath(location.pathname);
/** Where there is no WebCrypto nothing can be sealed, nor can a checksum be made. */
const canSeal = Boolean(globalThis.crypto?.subtle);
const typedCode = location.hash.length > 1 ? parseCode(location.hash) : newCode();
const code = namedRoom === "" && canSeal ? typedCode : null;
if (code) history.replaceState(null, "", `/send${location.search}#${code}`);
const keys = code ? await Keys.of(code) : null;
const roomName = keys?.room ?? namedRoom;
const link = code ? `${location.origin}/send#${code}` : roomLink(`/send/${roomName}`);
// Another code in the address is another drop.
addEventListener("hashchange", () => location.reload());
const main = find("main");
const problems = new Problems();
const banner = new Banner();
const { title } = header(iconButton({ icon: "copy", label: "Copy the link to this drop", class: "quiet", onclick: () => void copy(link, "Link") }));
setText(title, "Send files");
document.title = code ? "Send files, sealed – twocan" : `Send files: ${roomName} – twocan`;

/** @type {PageStage} */
let stage = "joining";
const room = new Room({ relayOnly: params.relayOnly, keys, media: () => "none", drop: keys !== null });
const roomBanner = new RoomBanner(banner, room);
const watch = new Watch(room);
const transfers = new Transfers(room);
const files = new FilesPanel(transfers, { forced: params.files, choosesElsewhere: true });
expose({ page: "send", stage: () => stage, room, watch, transfers: () => transfers.snapshots, batches: () => transfers.batchSnapshots });

const people = h("ul", { class: "people", "aria-label": "People in this drop" });
const nobody = h("p", { class: "panel-empty" }, code
  ? "Nobody else is here yet. Give the code or the link to someone, or open it on another device; then drop files."
  : "Nobody else is here yet. Open the link on the other device, or send it to someone; then drop files.");
/** @type {Map<string, { element: HTMLElement, title: HTMLElement, state: HTMLElement, path: PathPicture }>} */
const cards = new Map();

const name = h("input", { testid: "name", maxLength: 64, value: params.name || getSetting("name"), placeholder: "Your name", autocomplete: "nickname", "aria-label": "Your name" });
name.addEventListener("change", () => {
  const typed = name.value.trim();
  if (typed === "") return;
  setSetting("name", typed);
  room.rename(typed);
});

/** @param {PeerLink} peer */
function addPerson(peer) {
  const title = h("h3", {}, peer.name);
  const state = h("p", { class: "person-state" });
  const path = new PathPicture();
  const element = h(
    "li",
    { class: "person", testid: "person", data: { peer: peer.id } },
    h("div", { class: "person-head" }, title, state),
    path.element,
    h("div", { class: "row" }, ...files.chooseButtons({ small: true, testid: "tile-file-input", peer: peer.id, words: ["Files for them only", "A folder for them only"] })),
    h("div", { class: "tile-drop", "aria-hidden": "true" }, logo(), h("span", {}, `Drop for ${peer.name}`)),
  );
  files.acceptDrops(element, peer.id);
  cards.set(peer.id, { element, title, state, path });
  people.append(element);
  peer.on("change", () => {
    if (peer.directState === "connected") problems.remove("no-path", "relay-unreachable", "no-relay");
  });
  peer.on("stuck", (gathered) => problems.add(pathProblem(gathered)));
}

function update() {
  for (const peer of room.peers.values()) {
    const card = cards.get(peer.id);
    if (!card) continue;
    setText(card.title, peer.name);
    setText(card.state, peer.channelOpen && peer.directState === "connected" ? "connected" : "connecting…");
    card.path.show(watch.monitors.get(peer.id)?.path ?? null, "you", peer.name);
  }
  nobody.hidden = room.peers.size > 0;
  roomBanner.update(() => false);
}

function join(password = params.password) {
  stage = "joining";
  room.join({
    room: roomName,
    name: name.value.trim() || "Guest",
    kind: "send",
    password: password || undefined,
    invitation: params.invitation || undefined,
  });
}

room.on("joined", () => {
  stage = "joined";
  problems.clear();
});
room.on("refused", (refusal) => {
  const one = refusalProblem(refusal);
  stage = "refused";
  problems.add(one);
  passwordForm.hidden = one.code !== "wrong-password";
  if (!passwordForm.hidden) password.focus();
});
watchRoomProblems(problems, room);
room.on("peer-added", addPerson);
room.on("peer-removed", (peer) => {
  cards.get(peer.id)?.element.remove();
  cards.delete(peer.id);
  update();
});
room.on("change", update);
watch.onSample = update;

room.on("tampered", () => {
  stage = "refused";
  // That no way through was found has this reason.
  problems.clear();
  problems.add(problem("tampered"), { action: { label: "Make a new code", run: () => location.assign("/send") } });
});

const password = h("input", { type: "password", testid: "password", maxLength: 256, autocomplete: "off", "aria-label": "Room password" });
const passwordForm = h(
  "form",
  {
    class: "row",
    hidden: true,
    onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      passwordForm.hidden = true;
      problems.clear();
      join(password.value);
    },
  },
  password,
  h("button", { type: "submit", class: "button primary" }, "Open"),
);

const drop = h(
  "section",
  { class: "send-drop", testid: "send-drop" },
  logo(),
  h("h1", {}, "Drop files or folders here"),
  h("div", { class: "row" }, ...files.chooseButtons({ testid: "file-input" })),
  h("p", { class: "lead" }, "They go straight from this device to everyone in this drop, of any size, and are checked on arrival. Nothing is stored in between."),
  h("div", { class: "tile-drop", "aria-hidden": "true" }, logo(), h("span", {}, "Drop for everyone")),
);

/** The line that a terminal takes. @param {string} secret */
function commandFor(secret) {
  const usual = "http://localhost:8080";
  return `twocan receive ${secret}${location.origin === usual ? "" : ` --server ${location.origin}`}`;
}

/** Modules of white around a QR code. */
const QUIET_ZONE = 4;

/** The link for a phone's camera: always dark on light, since many read nothing else. */
function linkPicture() {
  const modules = qrCode(link);
  if (!modules) return null;
  const dark = modules.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x + QUIET_ZONE} ${y + QUIET_ZONE}h1v1h-1z`] : [])));
  const size = modules.length + 2 * QUIET_ZONE;
  return svg(
    "svg",
    { viewBox: `0 0 ${size} ${size}`, class: "send-qr", role: "img", "aria-label": "The link as a QR code", "shape-rendering": "crispEdges" },
    svg("rect", { class: "qr-light", width: size, height: size }),
    svg("path", { class: "qr-dark", d: dark.join("") }),
  );
}

/** The code, in all the ways that it can be given to somebody. @param {string} secret */
function codeCard(secret) {
  const command = commandFor(secret);
  return h(
    "section",
    { class: "card send-link-card", testid: "sealed" },
    h(
      "div",
      { class: "send-code-row" },
      h(
        "div",
        { class: "send-code-words" },
        h("h2", {}, "The code of this drop"),
        h("p", { class: "send-code", testid: "send-code" }, ...secret.split("-").map((group) => h("span", {}, group))),
        h(
          "div",
          { class: "row" },
          h("button", { type: "button", class: "button primary small", testid: "copy-link", onclick: () => void copy(link, "Link") }, icon("copy"), "Copy link"),
          h("button", { type: "button", class: "button small", testid: "copy-code", onclick: () => void copy(secret, "Code") }, icon("copy"), "Copy code"),
          "share" in navigator ? h("button", { type: "button", class: "button small", onclick: () => void share(link, "Files on twocan") }, icon("share"), "Share") : null,
        ),
      ),
      linkPicture(),
    ),
    h("a", { class: "room-link visually-hidden", href: link, testid: "send-link", tabIndex: -1, "aria-hidden": "true" }, link),
    h(
      "div",
      { class: "send-command" },
      h("span", { class: "field-help" }, "In a terminal:"),
      h("code", { testid: "send-command" }, ...command.split(" ").flatMap((word) => [h("span", { class: "word" }, word), " "])),
      h("button", { type: "button", class: "button quiet small", testid: "copy-command", "aria-label": "Copy the command", onclick: () => void copy(command, "Command") }, icon("copy")),
    ),
    h(
      "p",
      { class: "field-help send-seal" },
      icon("lock"),
      h("span", {}, "Sealed by the code, which this page keeps from the server: so it cannot read or change your files. The page itself is the server's, and has to be trusted; twocan in a terminal trusts the server with nothing. Whoever has the code gets in, so send it by a way that you trust."),
    ),
    passwordForm,
  );
}

/** A drop by name. */
function nameCard() {
  return h(
    "section",
    { class: "card send-link-card" },
    h("h2", {}, "The link to this drop"),
    h("div", { class: "link-row" }, h("a", { class: "room-link", href: link, testid: "send-link" }, link.replace(/^https?:\/\//, ""))),
    h(
      "div",
      { class: "row" },
      h("button", { type: "button", class: "button primary small", testid: "copy-link", onclick: () => void copy(link, "Link") }, icon("copy"), "Copy link"),
      h("button", { type: "button", class: "button small", onclick: () => void share(link, "Files on twocan") }, icon("share"), "Share"),
    ),
    h(
      "p",
      { class: "field-help send-seal", testid: "not-sealed" },
      icon("warn"),
      h("span", {}, "This drop is not sealed: its files are encrypted on the way, but whoever runs the server could put themselves between you. ", h("a", { href: "/send", testid: "link-sealed" }, "Make a sealed one"), "."),
    ),
    passwordForm,
  );
}

const codeInput = h("input", { testid: "code-input", autocomplete: "off", autocapitalize: "none", spellcheck: false, placeholder: "k3m9x-7qv2t-…", "aria-label": "A code, or a link with one", maxLength: 400 });
const codeWrong = h("p", { class: "field-help send-wrong", role: "alert", testid: "code-wrong", hidden: true }, "That is no code: it has 20 letters and digits in four groups. Copy it whole.");
const codeForm = h(
  "form",
  {
    class: "send-receive",
    onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      const typed = parseCode(codeInput.value);
      codeWrong.hidden = typed !== null;
      // Where only the code is another, the page is made anew by the change of the address.
      if (typed && typed !== code) location.assign(`/send${location.search}#${typed}`);
    },
  },
  h("h2", {}, "Have you got a code?"),
  h("div", { class: "row" }, codeInput, h("button", { type: "submit", class: "button", testid: "code-open" }, "Receive")),
  codeWrong,
);

append(main, [
  problems.element,
  h(
    "div",
    { class: "send" },
    banner.element,
    h(
      "div",
      { class: "send-left" },
      drop,
      code ? codeCard(code) : namedRoom === "" ? null : nameCard(),
      codeForm,
      h("section", { class: "send-people" }, h("h2", {}, "Who is here"), h("label", { class: "field send-name" }, h("span", {}, "You are"), name), nobody, people),
    ),
    h("section", { class: "send-files" }, h("h2", {}, "Files"), files.element),
  ),
]);
files.acceptDrops(find("main .send"));

if (namedRoom === "" && !canSeal) problems.add(problem("insecure-seal"));
else if (namedRoom === "" && !code) problems.add(problem("bad-code"), { action: { label: "Make a new code", run: () => location.assign("/send") } });
else if (!isRoomName(roomName)) problems.add(problem("bad-room"), { action: wayOut(roomName) });
else if (!("RTCPeerConnection" in window)) problems.add(problem("unsupported-browser"));
else join();
