import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeAll, judgeHosts, judgeNat, judgeTurn, mappingOf } from "../js/check/judge.js";

const host = { type: "host", protocol: "udp", address: "192.168.1.5", port: 50_000 };
const srflx = (port, more = {}) => ({ type: "srflx", protocol: "udp", address: "203.0.113.9", port, relatedAddress: "192.168.1.5", relatedPort: 50_000, ...more });

test("the mapping is read from the ports that two servers saw", () => {
  assert.equal(mappingOf([host, srflx(61_000)]), "same");
  assert.equal(mappingOf([host, srflx(61_000), srflx(61_000)]), "same");
  assert.equal(mappingOf([host, srflx(61_000), srflx(61_001)]), "different");
  assert.equal(mappingOf([host, srflx(61_000), srflx(62_000, { relatedPort: 50_001 })]), "same", "two local ports may well differ");
  assert.equal(mappingOf([host, srflx(61_000), srflx(50_000, { address: "2001:db8::1" })]), "same", "each address family for itself");
  assert.equal(mappingOf([host, srflx(50_000, { address: "192.168.1.5" })]), "none");
  assert.equal(mappingOf([host]), "unknown");
});

test("routers in words", () => {
  const seen = { mapping: "same", answered: true, servers: 2, publicAddresses: ["203.0.113.9"] };
  assert.equal(judgeNat(seen).verdict, "ok");
  assert.match(judgeNat(seen).detail, /203\.0\.113\.9/);
  assert.equal(judgeNat({ ...seen, mapping: "different" }).verdict, "warn");
  assert.equal(judgeNat({ ...seen, answered: false }).verdict, "bad");
  assert.match(judgeNat({ ...seen, servers: 1 }).detail, /cannot be told/);
  assert.equal(judgeNat({ ...seen, servers: 0 }).verdict, "warn");
});

test("addresses that the browser hides are told apart from none", () => {
  assert.match(judgeHosts([{ ...host, address: "0a1b.local" }]).summary, /hidden/);
  assert.equal(judgeHosts([]).verdict, "bad");
  assert.match(judgeHosts([host]).detail, /192\.168\.1\.5/);
});

test("a relay that answers but passes nothing on is another fault than one out of reach", () => {
  const result = { works: false, allocated: true, roundTrip: null, error: "" };
  assert.match(judgeTurn("udp", result).summary, /passes nothing on/);
  assert.equal(judgeTurn("udp", { ...result, allocated: false, error: "701 timeout" }).summary, "Not reachable");
  assert.match(judgeTurn("udp", { ...result, allocated: false, error: "701 timeout" }).detail, /701/);
  assert.equal(judgeTurn("tls", { ...result, works: true, roundTrip: 3.2 }).verdict, "ok");
  assert.equal(judgeTurn("udp", result, true).summary, "Answers", "on localhost it cannot do more");
  assert.equal(judgeTurn("tcp", null).summary, "Not offered by this server");
});

test("the sentence at the top", () => {
  const ok = { nat: "ok", "turn-udp": "ok" };
  assert.equal(judgeAll(ok).verdict, "ok");
  assert.match(judgeAll({ ...ok, "turn-udp": "bad" }).summary, /relay does not/);
  assert.match(judgeAll({ nat: "bad", "turn-tls": "ok" }).summary, /through the relay/);
  assert.equal(judgeAll({ nat: "bad", "turn-udp": "bad" }).verdict, "bad");
  assert.match(judgeAll({ nat: "warn", "turn-udp": "warn", "turn-tcp": "warn", "turn-tls": "warn" }).summary, /own network/);
});
