/** `/live/NAME`: one streams, many watch. */
import { append, h, setText } from "../dom.js";
import { problem } from "../errors.js";
import { formatMilliseconds } from "../format.js";
import { randomRoomName } from "../names.js";
import { roomFromPath } from "../params.js";
import { CallPage } from "../ui/callpage.js";
import { icon, logo } from "../ui/icons.js";
import { copyRoomLink, inviteCard, roomLink } from "../ui/invite.js";
import { canSeal, readSeal, sealField, sealMark } from "../ui/sealed.js";
import { header, iconButton } from "../ui/shell.js";

/** @typedef {"streamer" | "viewer"} Role */

/** How long received media may wait to play evenly, ms; null leaves it to the browser. */
const DELAYS = /** @type {const} */ ([
  { value: "low", label: "Low delay", target: 0 },
  { value: "auto", label: "Normal delay", target: null },
  { value: "smooth", label: "Smooth (2 s)", target: 2_000 },
]);

let roomName = roomFromPath(location.pathname);
if (roomName === "") {
  roomName = randomRoomName();
  history.replaceState(null, "", `/live/${roomName}${location.search}${location.hash}`);
}
const { keys, wrong } = await readSeal();
const link = `${roomLink(`/live/${roomName}`)}${keys ? `#${keys.code}` : ""}`;
const page = new CallPage({
  page: "live",
  room: { keys, media: (ours) => (ours === "streamer" ? "send" : "receive") },
  files: false,
  farewell: () => ({ title: role === "streamer" ? "Your stream has ended" : "You have stopped watching", again: "Come back" }),
});
const { params, problems, room, watch } = page;
const { title } = header(
  keys && sealMark(),
  iconButton({ icon: "copy", label: "Copy the link to this stream", class: "quiet", onclick: () => void copyRoomLink(room, link) }),
);
setText(title, roomName);
document.body.classList.add("live-room");
document.title = `Live: ${roomName} – twocan`;

/** @type {Role} */
let role = params.role ?? "viewer";

const viewers = h("span", { class: "viewers", testid: "viewers", data: { count: "0" } });
const live = h("span", { class: "live-mark" }, icon("live"), h("span", {}, "Live"));
const behind = h("span", { class: "live-behind" });
const delay = h("select", { testid: "live-delay", "aria-label": "Delay", onchange: applyDelay });
append(delay, DELAYS.map(({ value, label }) => h("option", { value }, label)));
delay.value = "auto";

function applyDelay() {
  const target = DELAYS.find(({ value }) => value === delay.value)?.target ?? null;
  for (const peer of room.peers.values()) {
    for (const slot of /** @type {const} */ (["mic", "camera", "screen", "sound"])) {
      const receiver = peer.receiver(slot);
      // A hint that older browsers do not know.
      if (receiver && "jitterBufferTarget" in receiver) /** @type {any} */ (receiver).jitterBufferTarget = target;
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
    h("a", { class: "button", href: `/live/${roomName}?role=streamer${location.hash}` }, "Stream here yourself"),
  );
}

/** @param {{ name?: string, password: string }} entry */
function join(entry) {
  page.join({ ...entry, room: keys?.room ?? roomName, kind: "live", role }, { sends: role === "streamer" });
}

room.on("joined", () => {
  page.stage = "joined";
  problems.clear();
  open();
  showBar();
});

function open() {
  if (page.view) return;
  const streamer = role === "streamer";
  const card = streamer ? inviteCard(room, link, "Send the link to whoever shall watch:") : waitingCard();
  page.open({
    sends: streamer,
    shows: !streamer,
    // The invitation stays until the first viewer is here.
    alone: () => (streamer && room.peers.size > 0 ? null : card),
    above: h("div", { class: "live-bar" }, live, viewers, streamer ? null : behind, streamer ? null : delay),
  });
}

room.on("audience", showBar);
room.on("change", showBar);
room.on("peer-added", (peer) => {
  peer.on("tracks", applyDelay);
});
setInterval(showBar, 1_000);
room.on("refused", (refusal) => {
  const more = refusal.code === "role_taken" ? { action: { label: "Watch instead", run: watchInstead } } : undefined;
  page.refuse(refusal, { ask: choose, more });
});

function watchInstead() {
  problems.clear();
  page.local.close();
  role = "viewer";
  join({ password: params.password });
}

const SEALING =
  "A code in the link encrypts the stream from end to end: the server cannot watch, even where it forwards. Send others the link afterwards.";

/** Stream or watch? */
function choose() {
  if (role === "streamer") {
    prepareStream();
    return;
  }
  const prejoin = page.showPrejoin({
    devices: false,
    title: roomName,
    lead: keys ? "A sealed live room: only who has this link can watch." : "A live room: one streams, the others watch and chat.",
    password: keys === null,
    action: "Watch",
    actionTestid: "live-watch",
    onJoin: join,
  });
  const stream = h("button", { type: "button", class: "button large", testid: "live-stream", onclick: prepareStream }, icon("live"), "Stream here");
  prejoin.element.querySelector(".join-row")?.append(stream);
}

function prepareStream() {
  role = "streamer";
  page.showPrejoin({
    title: "Go live",
    lead: "Camera, screen or both: you can switch while you stream. Nobody sees you yet.",
    password: keys === null,
    seal: keys === null && canSeal() ? sealField("Seal this stream", SEALING) : null,
    action: "Go live",
    onJoin: join,
  });
  void page.startDevices();
}

async function begin() {
  if (!page.named(roomName) || !page.possible) return;
  if (wrong) return problems.add(problem(wrong));
  if (params.join) {
    if (role === "streamer") await page.startDevices();
    join({ password: params.password });
  } else {
    choose();
  }
}

void begin();
