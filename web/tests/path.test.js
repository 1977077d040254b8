import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCandidate, pathInWords, selectedPath, stops } from "../js/path.js";
import { sampleFrom } from "../js/stats.js";

const report = (...stats) => new Map(stats.map((one) => [one.id, one]));
const candidate = (id, candidateType, more = {}) => ({ id, type: `${id}-candidate`, candidateType, protocol: "udp", address: "192.0.2.1", port: 5000, ...more });

test("Chromium names the pair in the transport, Firefox on the pair itself", () => {
  const pair = { id: "pair", type: "candidate-pair", localCandidateId: "local", remoteCandidateId: "remote", state: "succeeded", nominated: true };
  const ends = [candidate("local", "srflx"), candidate("remote", "prflx", { address: "2001:db8::1" })];
  const other = { ...pair, id: "other", localCandidateId: "elsewhere" };
  const chromium = selectedPath(report(other, pair, ...ends, { id: "t", type: "transport", selectedCandidatePairId: "pair" }));
  const firefox = selectedPath(report({ ...other, nominated: false }, { ...pair, selected: true }, ...ends));
  for (const path of [chromium, firefox]) {
    assert.equal(path.kind, "srflx-prflx");
    assert.equal(path.relayed, false);
    assert.equal(path.remote, "[2001:db8::1]:5000");
  }
});

test("a relay is told with its protocol, on whichever side it is", () => {
  const pair = { id: "pair", type: "candidate-pair", localCandidateId: "local", remoteCandidateId: "remote", selected: true };
  const ours = selectedPath(report(pair, candidate("local", "relay", { relayProtocol: "tls" }), candidate("remote", "host")));
  assert.deepEqual([ours.kind, ours.relayed, ours.relayProtocol], ["relay-host", true, "tls"]);
  assert.equal(ours.words, "Through the relay, over TLS");
  const theirs = selectedPath(report(pair, candidate("local", "host"), candidate("remote", "relay")));
  assert.deepEqual([theirs.relayed, theirs.relayProtocol], [true, null]);
});

test("no selected pair, no path", () => {
  assert.equal(selectedPath(report({ id: "pair", type: "candidate-pair", state: "in-progress" })), null);
});

test("paths in words and stops", () => {
  const path = (kind, protocol = "udp") => ({ kind, relayed: false, protocol, relayProtocol: null, local: null, remote: null });
  assert.equal(pathInWords(path("host-host")), "Directly, on the same network");
  assert.equal(pathInWords(path("prflx-host", "tcp")), "Directly, through your router, over TCP");
  assert.deepEqual(stops(path("host-host")), []);
  assert.deepEqual(stops(path("srflx-prflx")), ["router", "router"]);
  assert.deepEqual(stops({ ...path("host-relay"), relayed: true }), ["relay"]);
});

test("a sample is the difference of two reports", () => {
  const at = (seconds, received, lost, frames) =>
    report(
      { id: "t", type: "transport", bytesSent: 1_000 * seconds, bytesReceived: 2_000 * seconds },
      { id: "v", type: "inbound-rtp", kind: "video", packetsReceived: received, packetsLost: lost, framesDecoded: frames, frameWidth: 640, frameHeight: 360, codecId: "c" },
      { id: "c", type: "codec", mimeType: "video/VP8" },
    );
  const first = sampleFrom(at(1, 100, 0, 30), 1_000, null);
  assert.equal(first.sample.sentBitrate, null);
  const { sample } = sampleFrom(at(3, 190, 10, 90), 3_000, first.totals);
  assert.equal(sample.sentBitrate, 8_000);
  assert.equal(sample.receivedBitrate, 16_000);
  assert.equal(sample.loss, 0.1);
  assert.equal(sample.framesPerSecond, 30);
  assert.equal(sample.codec, "VP8");
});

test("a relay that was first met by a check is still told as a relay", () => {
  const pair = { id: "pair", type: "candidate-pair", localCandidateId: "local", remoteCandidateId: "remote", selected: true };
  const stats = report(pair, candidate("local", "host"), candidate("remote", "prflx", { address: "198.51.100.2", port: 60_001 }));
  assert.equal(selectedPath(stats).kind, "host-prflx");
  const told = new Map([parseCandidate("candidate:1 1 UDP 41885439 198.51.100.2 60001 typ relay raddr 0.0.0.0 rport 0")]);
  assert.equal(selectedPath(stats, told).kind, "host-relay");
  assert.equal(selectedPath(stats, told).relayed, true);
  const other = new Map([parseCandidate("a=candidate:1 1 udp 1 198.51.100.2 60002 typ srflx raddr 0.0.0.0 rport 0")]);
  assert.equal(selectedPath(stats, other).kind, "host-prflx", "another port is another mapping");
  assert.equal(parseCandidate(""), null);
});

test("where the transport counts no bytes, the selected pair does", () => {
  const at = (bytes) => report({ id: "t", type: "transport" }, { id: "pair", type: "candidate-pair", selected: true, bytesSent: bytes, bytesReceived: 2 * bytes, currentRoundTripTime: 0.02 });
  const first = sampleFrom(at(1_000), 1_000, null);
  const { sample } = sampleFrom(at(2_000), 2_000, first.totals);
  assert.deepEqual([sample.sentBitrate, sample.receivedBitrate, sample.roundTrip], [8_000, 16_000, 0.02]);
});
