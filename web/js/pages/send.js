/** `/send` and `/send/NAME`: files only. The first opens a drop of its own; whoever has its link joins. */
import { expose } from "../expose.js";
import { append, find, h, setText } from "../dom.js";
import { pathProblem, problem, refusalProblem } from "../errors.js";
import { Transfers } from "../files/transfers.js";
import { isRoomName, randomRoomName } from "../names.js";
import { readParams, roomFromPath } from "../params.js";
import { Room } from "../room.js";
import { Watch } from "../room/watch.js";
import { getSetting, setSetting } from "../settings.js";
import { FilesPanel } from "../ui/files.js";
import { icon, logo } from "../ui/icons.js";
import { roomLink } from "../ui/invite.js";
import { PathPicture } from "../ui/pathpicture.js";
import { RoomBanner } from "../ui/roombanner.js";
import { Banner, Problems, copy, header, iconButton, share, watchRoomProblems, wayOut } from "../ui/shell.js";
import { dropTarget } from "../ui/tiles.js";

/** @typedef {import("../expose.js").PageStage} PageStage */
/** @typedef {import("../peer.js").PeerLink} PeerLink */

const params = readParams(location.search, navigator.webdriver === true);
let roomName = roomFromPath(location.pathname);
if (roomName === "") {
  roomName = randomRoomName();
  history.replaceState(null, "", `/send/${roomName}${location.search}`);
}
const link = roomLink(`/send/${roomName}`);
const main = find("main");
const problems = new Problems();
const banner = new Banner();
const { title } = header(iconButton({ icon: "copy", label: "Copy the link to this drop", class: "quiet", onclick: () => void copy(link, "Link") }));
setText(title, "Send files");
document.title = `Send files: ${roomName} – twocan`;

/** @type {PageStage} */
let stage = "joining";
const room = new Room({ relayOnly: params.relayOnly, media: () => "none" });
const roomBanner = new RoomBanner(banner, room);
const watch = new Watch(room);
const transfers = new Transfers(room);
const files = new FilesPanel(transfers, { forced: params.files });
expose({ page: "send", stage: () => stage, room, watch, transfers: () => transfers.snapshots });

const people = h("ul", { class: "people", "aria-label": "People in this drop" });
const nobody = h("p", { class: "panel-empty" }, "Nobody else is here yet. Open the link on the other device, or send it to someone; then drop files.");
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
  const input = h("input", { type: "file", multiple: true, class: "visually-hidden", testid: "tile-file-input", "aria-label": `Files for ${peer.name}`, tabIndex: -1 });
  input.addEventListener("change", () => {
    files.send([...(input.files ?? [])], peer.id);
    input.value = "";
  });
  const title = h("h3", {}, peer.name);
  const state = h("p", { class: "person-state" });
  const path = new PathPicture();
  const element = h(
    "li",
    { class: "person", testid: "person", data: { peer: peer.id } },
    h("div", { class: "person-head" }, title, state),
    path.element,
    h("button", { type: "button", class: "button small", onclick: () => input.click() }, icon("files"), "Send to them only"),
    input,
    h("div", { class: "tile-drop", "aria-hidden": "true" }, logo(), h("span", {}, `Drop for ${peer.name}`)),
  );
  dropTarget(element, (list) => files.send(list, peer.id));
  cards.set(peer.id, { element, title, state, path });
  people.append(element);
  peer.on("change", () => {
    if (peer.connection.connectionState === "connected") problems.remove("no-path", "relay-unreachable", "no-relay");
  });
  peer.on("stuck", (gathered) => problems.add(pathProblem(gathered)));
}

function update() {
  for (const peer of room.peers.values()) {
    const card = cards.get(peer.id);
    if (!card) continue;
    setText(card.title, peer.name);
    setText(card.state, peer.channelOpen && peer.connection.connectionState === "connected" ? "connected" : "connecting…");
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
  h("h1", {}, "Drop files here"),
  h("p", { class: "lead" }, "They go straight from this device to everyone in this drop, of any size, and are checked on arrival. Nothing is stored in between."),
  h("div", { class: "tile-drop", "aria-hidden": "true" }, logo(), h("span", {}, "Drop for everyone")),
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
      h(
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
        passwordForm,
      ),
      h("section", { class: "send-people" }, h("h2", {}, "Who is here"), h("label", { class: "field send-name" }, h("span", {}, "You are"), name), nobody, people),
    ),
    h("section", { class: "send-files" }, h("h2", {}, "Files"), files.element),
  ),
]);
files.acceptDrops(find("main .send"));

if (!isRoomName(roomName)) problems.add(problem("bad-room"), { action: wayOut(roomName) });
else if (!("RTCPeerConnection" in window)) problems.add(problem("unsupported-browser"));
else join();
