import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "../js/admin/history.js";

const report = (uptime, cpu, sent) => ({
  version: "",
  uptime,
  signaling: { connections: 0, sessions: 3, rooms: 1, waiting: 0 },
  relay: { allocations: 0, relayed_bytes: uptime * 1_000 },
  workers: [{ cpu, connections: 1, rooms: 1, received_datagrams: 0, sent_datagrams: 0, forwarded: sent }],
  rooms: [{ name: "tea", kind: "call", tracks: [], people: [{ peer: "p1", state: "connected", round_trip: null, estimate: null, sent, received: 0, loss: null }] }],
});

test("totals become rates, and a server that was started again begins anew", () => {
  const history = new History();
  history.note(report(10, 1, 1_000), 0);
  history.note(report(12, 1.5, 3_000), 2_000);
  assert.deepEqual(history.cpu, [null, 0.25]);
  assert.deepEqual(history.forwarded, [null, 1_000]);
  assert.deepEqual(history.relayed, [null, 8_000]);
  assert.deepEqual(history.rooms.get("call/tea").sent, [null, 8_000]);
  history.note(report(1, 0.1, 10), 4_000);
  assert.equal(history.cpu.at(-1), null);
  history.note({ ...report(2, 0.2, 20), rooms: [] }, 5_000);
  assert.equal(history.rooms.size, 0);
});

test("a minute is kept", () => {
  const history = new History();
  for (let second = 0; second < 100; second += 1) history.note(report(second, second, second), second * 1_000);
  assert.equal(history.cpu.length, 60);
});
