/** `/r/NAME`: pre-join, then the call. */
import { setText } from "../dom.js";
import { problem } from "../errors.js";
import { roomFromPath } from "../params.js";
import { CallPage } from "../ui/callpage.js";
import { copyRoomLink, inviteCard, roomLink } from "../ui/invite.js";
import { canSeal, readSeal, sealField, sealMark } from "../ui/sealed.js";
import { header, iconButton } from "../ui/shell.js";

const roomName = roomFromPath(location.pathname);
const { keys, wrong } = await readSeal();
const link = `${roomLink(`/r/${roomName}`)}${keys ? `#${keys.code}` : ""}`;
const page = new CallPage({ page: "call", room: { keys }, farewell: () => ({ title: "You have left the call", again: "Come back" }) });
const { params, problems, room } = page;
const { title } = header(
  keys && sealMark(),
  iconButton({ icon: "copy", label: "Copy the link to this room", class: "quiet", onclick: () => void copyRoomLink(room, link) }),
);
setText(title, roomName);
document.title = `${roomName} – twocan`;

const SEALING =
  "A code in the link encrypts all that is said from end to end: the server cannot follow, even where it forwards. Send others the link afterwards.";

/** @type {HTMLElement | null} */
let invitation = null;

function alone() {
  invitation ??= inviteCard(room, link, "Nobody else is here yet. Send someone the link:");
  return invitation;
}

/** @param {{ name?: string, password: string }} entry */
function join(entry) {
  page.join({ ...entry, room: keys?.room ?? roomName, kind: "call" });
}

function showPrejoin() {
  page.showPrejoin({
    title: roomName,
    action: "Join",
    lead: keys ? "Sealed: only who has this link sees and hears what is said here." : "Look into the mirror first. Nobody sees or hears you yet.",
    password: keys === null,
    seal: keys === null && canSeal() ? sealField("Seal this call", SEALING) : null,
    onJoin: join,
  });
}

room.on("joined", () => {
  page.stage = "joined";
  problems.remove("room-full", "wrong-password");
  // Whoever waits for a picture waits for our offer: what is seen meanwhile comes after it.
  void room.forwarding.offered.then(() => page.open({ alone }));
});
room.on("refused", (refusal) => page.refuse(refusal, { ask: showPrejoin }));

async function begin() {
  if (!page.named(roomName) || !page.possible) return;
  if (wrong) return problems.add(problem(wrong));
  if (!params.join) showPrejoin();
  const devices = page.startDevices();
  // Meanwhile.
  page.prepare({ alone });
  await devices;
  if (params.join) join({ password: params.password });
}

void begin();
