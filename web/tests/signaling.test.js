import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../js/backoff.js";
import { Signaling } from "../js/signaling.js";
import { Pacer } from "../js/signaling/pacer.js";
import { SessionCounters } from "../js/signaling/counters.js";

/** A WebSocket that the test plays the server of. */
class FakeSocket {
  readyState = 0;
  sent = [];
  open() {
    this.readyState = 1;
    this.onopen();
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  receive(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }
  close() {
    this.readyState = 3;
  }
  drop(code = 1006) {
    this.readyState = 3;
    this.onclose({ code });
  }
  ofType(type) {
    return this.sent.filter((message) => message.type === type);
  }
}

const JOINED = { type: "joined", peer: "p1", room: "tea", kind: "call", peers: [], capacity: 4, token: "secret", grace: 30, resumed: false, received: 0, ice_servers: [] };

function start(context) {
  context.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const sockets = [];
  const signaling = new Signaling({
    url: "ws://x/api/signaling",
    open: (_url, protocol) => {
      assert.equal(protocol, "twocan.v1");
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
  });
  signaling.join({ room: "tea", name: "Ada" });
  return { signaling, sockets, clock: context.mock.timers };
}

test("counts leave out what the protocol leaves out", () => {
  const counters = new SessionCounters();
  for (const type of ["joined", "pong", "error", "welcome", "left", "going_away"]) counters.noteReceived({ type });
  assert.equal(counters.received, 0);
  for (const type of ["peer_joined", "signal", "chat", "waiting", "audience"]) counters.noteReceived({ type });
  assert.equal(counters.received, 5);
  for (const type of ["join", "ping"]) counters.noteSent({ type });
  assert.equal(counters.sent, 0);
});

test("only what the server has not processed is repeated", () => {
  const counters = new SessionCounters();
  for (let index = 0; index < 5; index += 1) counters.noteSent({ type: "chat", index });
  counters.confirm(3);
  assert.deepEqual(counters.unconfirmed.map(({ index }) => index), [3, 4]);
  counters.confirm(2);
  assert.deepEqual(counters.unconfirmed.map(({ index }) => index), [3, 4], "an older confirmation brings nothing back");
  counters.confirm(99);
  assert.equal(counters.unconfirmed.length, 0);
});

test("a join names the room and carries no token at first", (context) => {
  const { sockets } = start(context);
  sockets[0].open();
  const [join] = sockets[0].ofType("join");
  assert.equal(join.room, "tea");
  assert.equal(join.token, undefined);
});

test("a dropped connection resumes with its token and repeats what was missed", (context) => {
  const { signaling, sockets, clock } = start(context);
  sockets[0].open();
  sockets[0].receive(JOINED);
  sockets[0].receive({ type: "chat", from: "p2", text: "hello" });
  signaling.send({ type: "chat", text: "first" });
  signaling.send({ type: "chat", text: "second" });
  sockets[0].drop();
  assert.equal(signaling.state, "reconnecting");
  signaling.send({ type: "chat", text: "third, while away" });
  clock.tick(10_000);
  sockets[1].open();
  const [join] = sockets[1].ofType("join");
  assert.equal(join.token, "secret");
  assert.equal(join.received, 1);
  sockets[1].receive({ ...JOINED, resumed: true, received: 1 });
  assert.deepEqual(sockets[1].ofType("chat").map(({ text }) => text), ["second", "third, while away"]);
  assert.equal(signaling.reconnects, 1);
  assert.equal(signaling.resumed, true);
});

test("a server that forgot the session starts both counts at zero", (context) => {
  const { signaling, sockets, clock } = start(context);
  sockets[0].open();
  sockets[0].receive(JOINED);
  sockets[0].receive({ type: "chat", from: "p2", text: "hello" });
  signaling.send({ type: "chat", text: "lost" });
  sockets[0].drop(1012);
  clock.tick(10_000);
  sockets[1].open();
  sockets[1].receive(JOINED);
  assert.equal(sockets[1].ofType("chat").length, 0);
  clock.tick(20_000);
  assert.equal(sockets[1].ofType("ping")[0].received, 0);
});

test("a server that is full is not taken for one that is gone, and is asked again", (context) => {
  const { signaling, sockets, clock } = start(context);
  sockets[0].open();
  // Before anything was read, as when there are too many connections.
  sockets[0].receive({ type: "error", code: "server_full", message: "full", retry: 5_000 });
  assert.deepEqual([signaling.failures, signaling.full], [1, true]);
  clock.tick(10_000);
  sockets[1].open();
  assert.deepEqual([signaling.failures, signaling.full], [1, true], "the words stay until there is an answer");
  sockets[1].receive({ type: "error", id: 2, code: "server_full", message: "full", retry: 1_000 });
  assert.deepEqual([signaling.failures, signaling.full], [2, true]);
  clock.tick(20_000);
  sockets[2].drop(1006);
  assert.deepEqual([signaling.failures, signaling.full], [3, false]);
  clock.tick(20_000);
  sockets[3].open();
  sockets[3].receive(JOINED);
  assert.deepEqual([signaling.failures, signaling.full], [0, false]);
});

test("no pong within its time means a new connection", (context) => {
  const { signaling, sockets, clock } = start(context);
  sockets[0].open();
  sockets[0].receive(JOINED);
  clock.tick(20_000);
  assert.equal(sockets[0].ofType("ping").length, 1);
  clock.tick(10_000);
  assert.equal(signaling.state, "reconnecting");
  clock.tick(10_000);
  assert.equal(sockets.length, 2);
});

test("a refusal keeps the connection, and the next join goes over it", (context) => {
  const { signaling, sockets } = start(context);
  const refusals = [];
  signaling.on("refused", ({ code }) => refusals.push(code));
  sockets[0].open();
  const [first] = sockets[0].ofType("join");
  sockets[0].receive({ type: "error", id: first.id, code: "wrong_password", message: "…" });
  assert.deepEqual(refusals, ["wrong_password"]);
  signaling.join({ room: "tea", name: "Ada", password: "sesame" });
  assert.equal(sockets.length, 1);
  assert.equal(sockets[0].ofType("join")[1].password, "sesame");
});

test("a draining server is tried again, after the wait that it asks for", (context) => {
  const { sockets, clock } = start(context);
  sockets[0].open();
  const [join] = sockets[0].ofType("join");
  sockets[0].receive({ type: "error", id: join.id, code: "draining", message: "…", retry: 5_000 });
  clock.tick(4_900);
  assert.equal(sockets.length, 1);
  clock.tick(200);
  assert.equal(sockets.length, 2);
});

test("another tab's takeover and our own leave are final", (context) => {
  const { signaling, sockets, clock } = start(context);
  let taken = 0;
  signaling.on("taken_over", () => (taken += 1));
  sockets[0].open();
  sockets[0].receive(JOINED);
  sockets[0].drop(4000);
  clock.tick(60_000);
  assert.equal(taken, 1);
  assert.equal(sockets.length, 1);
  assert.equal(signaling.state, "closed");
});

test("waits double, stay bounded, and differ", () => {
  const longest = new Backoff({ first: 100, most: 1_000, random: () => 1 });
  assert.deepEqual([1, 2, 3, 4, 5, 6].map(() => longest.next()), [100, 200, 400, 800, 1000, 1000]);
  const shortest = new Backoff({ first: 100, most: 1_000, random: () => 0 });
  assert.equal(shortest.next(), 50);
  longest.reset();
  assert.equal(longest.next(), 100);
});

test("a lobby's matches neither repeat messages nor start the counts anew", (context) => {
  const { signaling, sockets, clock } = start(context);
  sockets[0].open();
  sockets[0].receive({ type: "waiting", people: 1 });
  assert.equal(signaling.state, "waiting");
  sockets[0].receive({ ...JOINED, kind: "lobby" });
  sockets[0].receive({ type: "peer_left", peer: "p2", reason: "left" });
  signaling.send({ type: "next" });
  sockets[0].receive({ type: "waiting", people: 1 });
  sockets[0].receive({ ...JOINED, kind: "lobby", resumed: true, received: 0 });
  assert.equal(sockets[0].ofType("next").length, 1);
  clock.tick(20_000);
  assert.equal(sockets[0].ofType("ping")[0].received, 2, "peer_left and the second waiting");
});

test("a burst goes at once, more than that at the server's pace, in order", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  const sent = [];
  const pacer = new Pacer((text) => sent.push(Number(text)), () => now);
  pacer.restart(50);
  for (let index = 0; index < 400; index += 1) pacer.push(String(index));
  assert.equal(sent.length, 160);
  for (let step = 0; step < 40; step += 1) {
    now += 25;
    context.mock.timers.tick(25);
  }
  assert.ok(sent.length >= 195 && sent.length <= 201, `${sent.length} after a second`);
  for (let step = 0; step < 400; step += 1) {
    now += 25;
    context.mock.timers.tick(25);
  }
  assert.deepEqual(sent, Array.from({ length: 400 }, (_, index) => index));
});

test("a new connection forgets what the old one had not sent: the session repeats it", () => {
  const sent = [];
  const pacer = new Pacer((text) => sent.push(text), () => 0);
  pacer.restart(1);
  for (let index = 0; index < 10; index += 1) pacer.push("old");
  const before = sent.length;
  pacer.restart(50);
  pacer.push("new");
  assert.deepEqual(sent.slice(before), ["new"]);
});
