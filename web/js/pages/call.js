/** `/r/NAME`: pre-join, then the call. */
import { Keys, newCode, parseCode } from "../code.js";
import { h, setText } from "../dom.js";
import { problem } from "../errors.js";
import { roomFromPath } from "../params.js";
import { Ends } from "../sframe/ends.js";
import { CallPage } from "../ui/callpage.js";
import { icon } from "../ui/icons.js";
import { copyRoomLink, inviteCard, roomLink } from "../ui/invite.js";
import { header, iconButton } from "../ui/shell.js";

const roomName = roomFromPath(location.pathname);
/** Behind the `#`, so that it never reaches the server (docs/security.md). */
const typedCode = location.hash === "" ? null : parseCode(location.hash);
const keys = typedCode && canSeal() ? await Keys.of(typedCode) : null;
const link = `${roomLink(`/r/${roomName}`)}${keys ? `#${keys.code}` : ""}`;
// Another code in the address is another call.
addEventListener("hashchange", () => location.reload());
const page = new CallPage({ page: "call", room: { keys }, farewell: () => ({ title: "You have left the call", again: "Come back" }) });
const { params, problems, room } = page;
const { title } = header(
  keys && h("span", { class: "sealed-mark", testid: "sealed", title: "Encrypted from end to end by the code in the link" }, icon("lock"), h("span", {}, "sealed")),
  iconButton({ icon: "copy", label: "Copy the link to this room", class: "quiet", onclick: () => void copyRoomLink(room, link) }),
);
setText(title, roomName);
document.title = `${roomName} – twocan`;

/** Whether this browser can encrypt what a server forwards, and may. */
function canSeal() {
  return window.crypto?.subtle !== undefined && Ends.possible;
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
    seal: keys === null && canSeal() ? sealing() : null,
    onJoin: join,
  });
}

function sealing() {
  const seal = () => {
    location.hash = newCode();
  };
  return h(
    "div",
    { class: "field" },
    h("button", { type: "button", class: "button", testid: "seal", onclick: seal }, icon("lock"), "Seal this call"),
    h("p", { class: "field-help" }, "A code in the link encrypts all that is said from end to end: the server cannot follow, even where it forwards. Send others the link afterwards."),
  );
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
  // Nobody is to believe that a call is sealed which is not.
  if (location.hash !== "" && !typedCode) return problems.add(problem("bad-code"));
  if (typedCode && !keys) return problems.add(problem(isSecureContext ? "unsupported-seal" : "insecure-seal"));
  if (!params.join) showPrejoin();
  await page.startDevices();
  if (params.join) join({ password: params.password });
}

void begin();
