/** `/live/NAME`: one streams, many watch. */
import { expose } from "../expose.js";
import { append, find, h, setText } from "../dom.js";
import { problem } from "../errors.js";
import { formatMilliseconds } from "../format.js";
import { LocalMedia } from "../media/local.js";
import { mediaAvailable } from "../media/devices.js";
import { isRoomName, randomRoomName } from "../names.js";
import { readParams, roomFromPath } from "../params.js";
import { Room } from "../room.js";
import { Watch } from "../room/watch.js";
import { getSetting } from "../settings.js";
import { CallView } from "../ui/callview.js";
import { icon, logo } from "../ui/icons.js";
import { copyRoomLink, inviteCard, roomLink } from "../ui/invite.js";
import { Prejoin } from "../ui/prejoin.js";
import { Problems, header, iconButton } from "../ui/shell.js";

/** @typedef {import("../expose.js").PageStage} PageStage */
/** @typedef {"streamer" | "viewer"} Role */

/** How long received media may wait to play evenly, ms; null leaves it to the browser. */
const DELAYS = /** @type {const} */ ([
  { value: "low", label: "Lowest delay", target: 0 },
  { value: "auto", label: "Automatic", target: null },
  { value: "smooth", label: "Smooth (up to 2 s)", target: 2_000 },
]);

const params = readParams(location.search, navigator.webdriver === true);
let roomName = roomFromPath(location.pathname);
if (roomName === "") {
  roomName = randomRoomName();
  history.replaceState(null, "", `/live/${roomName}${location.search}`);
}
const link = roomLink(`/live/${roomName}`);
const main = find("main");
const problems = new Problems();
const { title } = header(iconButton({ icon: "copy", label: "Copy the link to this stream", class: "quiet", onclick: () => void copyRoomLink(room, link) }));
setText(title, roomName);
document.title = `Live: ${roomName} – twocan`;

/** @type {PageStage} */
let stage = "prejoin";
let name = params.name || getSetting("name") || "Guest";
/** @type {Role} */
let role = params.role ?? "viewer";
const local = new LocalMedia();
const room = new Room({ relayOnly: params.relayOnly, media: (ours) => (ours === "streamer" ? "send" : "receive") });
const watch = new Watch(room);
/** @type {CallView | null} */
let view = null;
/** @type {Prejoin | null} */
let prejoin = null;

expose({ page: "live", stage: () => stage, room, watch });
local.on("problem", (one) => problems.add(one));
local.on("solved", (device) => {
  problems.remove("no-devices", "permission-denied", "device-busy", device === "mic" ? "no-microphone" : "no-camera");
});

const viewers = h("span", { class: "viewers", testid: "viewers", data: { count: "0" } });
const live = h("span", { class: "live-mark" }, icon("live"), h("span", {}, "Live"));
const behind = h("span", { class: "live-behind" });
const delay = h("select", { testid: "live-delay", "aria-label": "Delay", onchange: applyDelay });
append(delay, DELAYS.map(({ value, label }) => h("option", { value }, label)));
delay.value = "auto";

function applyDelay() {
  const target = DELAYS.find(({ value }) => value === delay.value)?.target ?? null;
  for (const peer of room.peers.values()) {
    for (const transceiver of Object.values(peer.transceivers)) {
      // A hint that older browsers do not know.
      if ("jitterBufferTarget" in transceiver.receiver) /** @type {any} */ (transceiver.receiver).jitterBufferTarget = target;
    }
  }
}

function showBar() {
  const count = room.audience;
  viewers.dataset.count = String(count);
  setText(viewersWords, count === 1 ? "1 watches" : `${count} watch`);
  const on = role === "streamer" ? room.state.camera || room.state.screen || room.state.mic : room.peers.size > 0;
  live.classList.toggle("on", on);
  live.hidden = !on;
  const sample = [...watch.monitors.values()][0]?.sample;
  const known = sample && sample.bufferDelay !== null;
  setText(behind, role === "viewer" && known ? `about ${formatMilliseconds((sample.roundTrip ?? 0) / 2 + (sample.bufferDelay ?? 0))} behind` : "");
}

const viewersWords = h("span", {});
append(viewers, [icon("eye"), viewersWords]);

function waitingCard() {
  return h(
    "div",
    { class: "invite", testid: "live-waiting", role: "status" },
    logo(),
    h("p", { class: "invite-words" }, "Nobody streams here yet."),
    h("p", { class: "lead" }, "It begins by itself as soon as someone does."),
    h("a", { class: "button", href: `/live/${roomName}?role=streamer` }, "Stream here yourself"),
  );
}

/** @param {{ name: string, password: string }} entry */
function join(entry) {
  ({ name } = entry);
  stage = "joining";
  prejoin?.setBusy(true);
  room.tracks = role === "streamer" ? local.tracks : {};
  room.join({ room: roomName, name, kind: "live", role, password: entry.password || undefined, invitation: params.invitation || undefined });
}

room.on("joined", () => {
  stage = "joined";
  problems.clear();
  if (!view) open();
  showBar();
});

function open() {
  prejoin?.close();
  prejoin = null;
  const streamer = role === "streamer";
  const card = streamer ? inviteCard(room, link, "Send the link to whoever shall watch:") : waitingCard();
  view = new CallView({
    room,
    watch,
    local,
    problems,
    name: () => name,
    sends: streamer,
    shows: !streamer,
    // The invitation stays until the first viewer is here.
    alone: () => (streamer && room.peers.size > 0 ? null : card),
    above: h("div", { class: "live-bar" }, live, viewers, streamer ? null : behind, streamer ? null : delay),
    onLeave: leave,
  });
  main.append(view.element);
  view.focus();
}

room.on("audience", showBar);
room.on("change", showBar);
room.on("peer-added", (peer) => {
  peer.on("tracks", applyDelay);
});
const refresh = setInterval(showBar, 1_000);
room.on("refused", ({ code, message }) => {
  if (view) {
    problems.add(problem(code, message));
    return;
  }
  stage = "refused";
  prejoin?.setBusy(false);
  if (!prejoin) choose();
  problems.add(problem(code, message), code === "role_taken" ? { action: { label: "Watch instead", run: () => watchInstead() } } : {});
  if (code === "wrong_password") prejoin?.askPassword();
});
room.on("change", () => problems.toggle(problem("server-gone"), stage !== "left" && room.unreachable));
room.on("taken-over", () => problems.add(problem("taken-over")));

function watchInstead() {
  problems.clear();
  local.close();
  role = "viewer";
  join({ name, password: params.password });
}

function leave() {
  stage = "left";
  clearInterval(refresh);
  room.leave();
  local.close();
  view?.close();
  problems.clear();
  main.replaceChildren(
    h(
      "section",
      { class: "farewell" },
      h("h1", {}, role === "streamer" ? "Your stream has ended" : "You have stopped watching"),
      h(
        "div",
        { class: "row" },
        h("a", { class: "button primary", href: location.pathname }, "Come back"),
        h("a", { class: "button", href: "/" }, "To the start page"),
      ),
    ),
  );
}

/** Stream or watch? */
function choose() {
  if (params.role === "streamer") {
    prepareStream();
    return;
  }
  prejoin = new Prejoin({
    local,
    params,
    devices: false,
    title: roomName,
    lead: "A live room: one streams, the others watch and chat.",
    action: "Watch",
    actionTestid: "live-watch",
    onJoin: (entry) => {
      role = "viewer";
      join(entry);
    },
  });
  const stream = h("button", { type: "button", class: "button large", testid: "live-stream" }, icon("live"), "Stream here");
  stream.addEventListener("click", () => {
    prejoin?.close();
    prepareStream();
  });
  prejoin.element.querySelector(".join-row")?.append(stream);
  main.append(prejoin.element);
}

function prepareStream() {
  role = "streamer";
  prejoin = new Prejoin({
    local,
    params,
    title: "Go live",
    lead: "Camera, screen or both: you can switch while you stream. Nobody sees you yet.",
    action: "Go live",
    onJoin: join,
  });
  main.append(prejoin.element);
  void startDevices();
}

async function startDevices() {
  if (!mediaAvailable()) problems.add(problem("insecure-context"));
  else await local.start({ mic: params.mic, camera: params.camera });
}

async function begin() {
  main.append(problems.element);
  if (!isRoomName(roomName)) {
    problems.add(problem("bad-room"));
  } else if (!("RTCPeerConnection" in window)) {
    problems.add(problem("unsupported-browser"));
  } else if (params.join) {
    if (role === "streamer") await startDevices();
    join({ name, password: params.password });
  } else {
    choose();
  }
}

void begin();
