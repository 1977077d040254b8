/** `/r/NAME`: pre-join, then the call. */
import { expose } from "../expose.js";
import { find, h, setText } from "../dom.js";
import { problem } from "../errors.js";
import { LocalMedia } from "../media/local.js";
import { mediaAvailable } from "../media/devices.js";
import { isRoomName } from "../names.js";
import { readParams, roomFromPath } from "../params.js";
import { Transfers } from "../files/transfers.js";
import { Room } from "../room.js";
import { Watch } from "../room/watch.js";
import { getSetting } from "../settings.js";
import { CallView } from "../ui/callview.js";
import { FilesPanel } from "../ui/files.js";
import { copyRoomLink, inviteCard, roomLink } from "../ui/invite.js";
import { Prejoin } from "../ui/prejoin.js";
import { Problems, header, iconButton } from "../ui/shell.js";

/** @typedef {import("../expose.js").PageStage} PageStage */

const params = readParams(location.search, navigator.webdriver === true);
const roomName = roomFromPath(location.pathname);
const link = roomLink(`/r/${roomName}`);
const main = find("main");
const problems = new Problems();
const { title } = header(
  iconButton({ icon: "copy", label: "Copy the link to this room", class: "quiet", onclick: () => void copyRoomLink(room, link) }),
);
setText(title, roomName);
document.title = `${roomName} – twocan`;

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

expose({ page: "call", stage: () => stage, room, watch, transfers: () => transfers.snapshots });

local.on("problem", (one) => problems.add(one));
local.on("solved", (device) => {
  problems.remove("no-devices", "permission-denied", "device-busy", device === "mic" ? "no-microphone" : "no-camera");
});

/** @param {{ name: string, password: string }} entry */
function join(entry) {
  ({ name } = entry);
  stage = "joining";
  prejoin?.setBusy(true);
  room.tracks = local.tracks;
  room.join({
    room: roomName,
    name,
    kind: "call",
    password: entry.password || undefined,
    invitation: params.invitation || undefined,
  });
}

room.on("joined", () => {
  stage = "joined";
  problems.remove("room-full", "wrong-password", "server-gone", "server-full");
  if (view) return;
  prejoin?.close();
  const invitation = inviteCard(room, link, "Nobody else is here yet. Send someone the link:");
  view = new CallView({ room, watch, local, problems, files, name: () => name, alone: () => invitation, onLeave: leave });
  main.append(view.element);
  view.focus();
});
room.on("refused", ({ code, message }) => {
  if (view) {
    problems.add(problem(code, message));
    return;
  }
  stage = "refused";
  prejoin?.setBusy(false);
  if (!prejoin) showPrejoin();
  problems.add(problem(code, message));
  if (code === "wrong_password") prejoin?.askPassword();
});
room.on("taken-over", () => problems.add(problem("taken-over")));
room.on("change", () => {
  problems.toggle(problem("server-gone"), room.unreachable);
});

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
      h("h1", {}, "You have left the call"),
      h("div", { class: "row" },
        h("a", { class: "button primary", href: location.pathname }, "Come back"),
        h("a", { class: "button", href: "/" }, "To the start page"),
      ),
    ),
  );
}

function showPrejoin() {
  prejoin = new Prejoin({ local, params, title: roomName, action: "Join", lead: "Look into the mirror first. Nobody sees or hears you yet.", onJoin: join });
  main.append(prejoin.element);
}

async function start() {
  main.append(problems.element);
  if (!isRoomName(roomName)) {
    problems.add(problem("bad-room"));
    return;
  }
  if (!("RTCPeerConnection" in window)) {
    problems.add(problem("unsupported-browser"));
    return;
  }
  if (!params.join) showPrejoin();
  if (!mediaAvailable()) problems.add(problem("insecure-context"));
  else await local.start({ mic: params.mic, camera: params.camera });
  if (params.join) join({ name, password: params.password });
}

void start();
