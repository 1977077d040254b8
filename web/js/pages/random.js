/** `/random`: the lobby. Meet a stranger; `next` for another one. */
import { expose } from "../expose.js";
import { find, h, setText } from "../dom.js";
import { problem } from "../errors.js";
import { Transfers } from "../files/transfers.js";
import { LocalMedia } from "../media/local.js";
import { mediaAvailable } from "../media/devices.js";
import { readParams, roomFromPath } from "../params.js";
import { Room } from "../room.js";
import { Watch } from "../room/watch.js";
import { getSetting } from "../settings.js";
import { CallView } from "../ui/callview.js";
import { FilesPanel } from "../ui/files.js";
import { logo } from "../ui/icons.js";
import { Prejoin } from "../ui/prejoin.js";
import { Problems, header } from "../ui/shell.js";

/** @typedef {import("../expose.js").PageStage} PageStage */

const params = readParams(location.search, navigator.webdriver === true);
/** A lobby of one's own: `/random/NAME`. */
const lobbyName = roomFromPath(location.pathname);
const main = find("main");
const problems = new Problems();
const { title } = header();
setText(title, "Meet someone");

/** @type {PageStage} */
let stage = "prejoin";
let name = params.name || getSetting("name") || "Guest";
const local = new LocalMedia();
const room = new Room({ relayOnly: params.relayOnly });
const watch = new Watch(room);
const transfers = new Transfers(room);
const files = new FilesPanel(transfers, { forced: params.files });
/** @type {CallView | null} */
let view = null;
/** @type {Prejoin | null} */
let prejoin = null;

const waitingWords = h("p", { class: "invite-words" }, "Waiting for someone…");
const waitingCard = h("div", { class: "invite lobby-waiting", testid: "lobby-waiting", role: "status" }, logo(), waitingWords, h("p", { class: "lead" }, "The next one who comes is yours."));

expose({ page: "random", stage: () => stage, room, watch, transfers: () => transfers.snapshots });
local.on("problem", (one) => problems.add(one));
local.on("solved", (device) => {
  problems.remove("no-devices", "permission-denied", "device-busy", device === "mic" ? "no-microphone" : "no-camera");
});

/** @param {{ name: string, password?: string }} entry */
function start(entry) {
  ({ name } = entry);
  stage = "joining";
  prejoin?.setBusy(true);
  room.tracks = local.tracks;
  room.join({ room: lobbyName || undefined, name, kind: "lobby", invitation: params.invitation || undefined });
}

function open() {
  if (view) return;
  prejoin?.close();
  prejoin = null;
  view = new CallView({ room, watch, local, problems, files, name: () => name, alone: () => waitingCard, onLeave: leave, onNext: next });
  main.append(view.element);
  view.focus();
}

room.on("waiting", (people) => {
  stage = "waiting";
  setText(waitingWords, people > 1 ? `${people} people are waiting. Someone comes in a moment…` : "Waiting for someone…");
  open();
  view?.update();
});
room.on("joined", (joined) => {
  stage = "joined";
  open();
  const [partner] = joined.peers;
  if (partner && !joined.resumed) view?.chat.clear();
});
room.on("peer-removed", () => {
  if (stage !== "joined" || room.left) return;
  next();
});
room.on("refused", ({ code, message }) => {
  if (!view) stage = "refused";
  prejoin?.setBusy(false);
  problems.add(problem(code, message));
});
room.on("change", () => problems.toggle(problem("server-gone"), stage !== "left" && room.unreachable));
room.on("taken-over", () => problems.add(problem("taken-over")));

function next() {
  if (stage !== "joined") return;
  stage = "waiting";
  setText(waitingWords, "Looking for someone else…");
  room.next();
  view?.chat.clear();
  view?.update();
}

function leave() {
  stage = "left";
  room.leave();
  local.close();
  view?.close();
  problems.clear();
  main.replaceChildren(
    h(
      "section",
      { class: "farewell" },
      h("h1", {}, "Until next time"),
      h(
        "div",
        { class: "row" },
        h("a", { class: "button primary", href: location.pathname }, "Meet someone else"),
        h("a", { class: "button", href: "/" }, "To the start page"),
      ),
    ),
  );
}

async function begin() {
  main.append(problems.element);
  if (!("RTCPeerConnection" in window)) {
    problems.add(problem("unsupported-browser"));
    return;
  }
  if (!params.join) {
    prejoin = new Prejoin({
      local,
      params,
      title: "Meet someone",
      lead: "You are put together with whoever waits. They see your address on the network, as in any direct call. Leave or go on whenever you like.",
      action: "Find someone",
      actionTestid: "lobby-start",
      password: false,
      onJoin: start,
    });
    prejoin.element.dataset.testid = "lobby";
    main.append(prejoin.element);
  }
  if (!mediaAvailable()) problems.add(problem("insecure-context"));
  else await local.start({ mic: params.mic, camera: params.camera });
  if (params.join) start({ name });
}

void begin();
