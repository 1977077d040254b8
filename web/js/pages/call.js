/** `/r/NAME`: pre-join, then the call. */
import { setText } from "../dom.js";
import { roomFromPath } from "../params.js";
import { CallPage } from "../ui/callpage.js";
import { copyRoomLink, inviteCard, roomLink } from "../ui/invite.js";
import { header, iconButton } from "../ui/shell.js";

const roomName = roomFromPath(location.pathname);
const link = roomLink(`/r/${roomName}`);
const page = new CallPage({ page: "call", farewell: () => ({ title: "You have left the call", again: "Come back" }) });
const { params, problems, room } = page;
const { title } = header(
  iconButton({ icon: "copy", label: "Copy the link to this room", class: "quiet", onclick: () => void copyRoomLink(room, link) }),
);
setText(title, roomName);
document.title = `${roomName} – twocan`;

/** @param {{ name?: string, password: string }} entry */
function join(entry) {
  page.join({ ...entry, room: roomName, kind: "call" });
}

function showPrejoin() {
  page.showPrejoin({ title: roomName, action: "Join", lead: "Look into the mirror first. Nobody sees or hears you yet.", onJoin: join });
}

room.on("joined", () => {
  page.stage = "joined";
  problems.remove("room-full", "wrong-password");
  if (page.view) return;
  const invitation = inviteCard(room, link, "Nobody else is here yet. Send someone the link:");
  page.open({ alone: () => invitation });
});
room.on("refused", (refusal) => page.refuse(refusal, { ask: showPrejoin }));

async function begin() {
  if (!page.named(roomName) || !page.possible) return;
  if (!params.join) showPrejoin();
  await page.startDevices();
  if (params.join) join({ password: params.password });
}

void begin();
