/** `/random`: the lobby. Meet a stranger; `next` for another one. */
import { h, setText } from "../dom.js";
import { roomFromPath } from "../params.js";
import { CallPage } from "../ui/callpage.js";
import { logo } from "../ui/icons.js";
import { header } from "../ui/shell.js";

/** A lobby of one's own: `/random/NAME`. */
const lobbyName = roomFromPath(location.pathname);
const page = new CallPage({ page: "random", farewell: () => ({ title: "Until next time", again: "Meet someone else" }) });
const { params, room } = page;
const { title } = header();
setText(title, "Meet someone");

const waitingWords = h("p", { class: "invite-words" }, "Waiting for someone…");
const waitingCard = h("div", { class: "invite lobby-waiting", testid: "lobby-waiting", role: "status" }, logo(), waitingWords, h("p", { class: "lead" }, "Whoever comes next meets you."));

/** @param {{ name?: string }} [entry] */
function join({ name } = {}) {
  page.join({ name, room: lobbyName || undefined, kind: "lobby" });
}

function showPrejoin() {
  const prejoin = page.showPrejoin({
    title: "Meet someone",
    lead: "You are put together with whoever waits. They see your address on the network, as in any direct call. Leave or go on whenever you like.",
    action: "Find someone",
    actionTestid: "lobby-start",
    password: false,
    onJoin: join,
  });
  prejoin.element.dataset.testid = "lobby";
}

function open() {
  page.open({ alone: () => waitingCard, onNext: next });
}

room.on("waiting", (people) => {
  page.stage = "waiting";
  setText(waitingWords, people > 1 ? `${people} people are waiting. Someone comes in a moment…` : "Waiting for someone…");
  open();
  page.view?.update();
});
room.on("joined", (joined) => {
  page.stage = "joined";
  open();
  const [partner] = joined.peers;
  if (partner && !joined.resumed) page.view?.chat.clear();
});
room.on("peer-removed", next);
room.on("refused", (refusal) => page.refuse(refusal, { ask: showPrejoin }));

function next() {
  if (page.stage !== "joined" || room.left) return;
  page.stage = "waiting";
  setText(waitingWords, "Looking for someone else…");
  room.next();
  page.view?.chat.clear();
  page.view?.update();
}

async function begin() {
  if (!page.possible) return;
  if (!params.join) showPrejoin();
  await page.startDevices();
  if (params.join) join();
}

void begin();
