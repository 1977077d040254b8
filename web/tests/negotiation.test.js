import assert from "node:assert/strict";
import { test } from "node:test";
import { Negotiation } from "../js/peer/negotiation.js";
import { answeredRole, opposite, withRole } from "../js/peer/roles.js";

test("the DTLS roles of the first exchange are written into later offers", () => {
  const offer = { type: "offer", sdp: "v=0\r\na=setup:actpass\r\nm=audio\r\na=setup:actpass\r\n" };
  assert.equal(withRole(offer, null), offer);
  assert.equal(withRole(offer, "active").sdp, "v=0\r\na=setup:active\r\nm=audio\r\na=setup:active\r\n");
  const answer = { type: "answer", sdp: "a=setup:passive\r\n" };
  assert.equal(withRole(answer, "active"), answer);
  assert.equal(answeredRole(answer.sdp), "passive");
  assert.equal(answeredRole(offer.sdp), null);
  assert.equal(answeredRole(undefined), null);
  assert.equal(opposite("active"), "passive");
});

/** The part of RTCPeerConnection's signaling that negotiation rests on, with implicit rollback. */
class FakeConnection {
  signalingState = "stable";
  localDescription = null;
  remoteDescription = null;
  applied = [];
  constructor(name) {
    this.name = name;
  }
  async setLocalDescription() {
    await null;
    const type = this.signalingState === "have-remote-offer" ? "answer" : "offer";
    this.localDescription = describe(type, `from ${this.name}`);
    this.signalingState = type === "offer" ? "have-local-offer" : "stable";
  }
  async setRemoteDescription(description) {
    await null;
    if (description.type === "answer" && this.signalingState !== "have-local-offer") throw new Error("answer out of place");
    this.remoteDescription = description;
    this.applied.push(description.type);
    this.signalingState = description.type === "offer" ? "have-remote-offer" : "stable";
  }
  async addIceCandidate() {}
}

function describe(type, sdp) {
  return { type, sdp, toJSON: () => ({ type, sdp }) };
}

function pair() {
  const wire = { toB: [], toA: [] };
  const errors = [];
  const side = (name, polite, initiator, out) => {
    const connection = new FakeConnection(name);
    const negotiation = new Negotiation({ connection, polite, initiator, send: (data) => out.push(data), onOffer: () => {}, onError: (error) => errors.push(error) });
    return { connection, negotiation };
  };
  const a = side("A", true, false, wire.toB);
  const b = side("B", false, true, wire.toA);
  const settle = async () => {
    for (let round = 0; round < 20; round += 1) {
      for (const data of wire.toB.splice(0)) b.negotiation.handle(data);
      for (const data of wire.toA.splice(0)) a.negotiation.handle(data);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { a, b, wire, errors, settle };
}

test("only the initiator makes the first offer", async () => {
  const { a, b, wire, errors, settle } = pair();
  a.connection.onnegotiationneeded();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(wire.toB.length, 0, "the other side has nothing to ask for before it");
  b.connection.onnegotiationneeded();
  await settle();
  assert.deepEqual([a.connection.signalingState, b.connection.signalingState], ["stable", "stable"]);
  assert.deepEqual(a.connection.applied, ["offer"]);
  assert.deepEqual(errors, []);
});

test("when both offer at once the polite side gives way, and nobody is stuck", async () => {
  const { a, b, errors, settle } = pair();
  b.connection.onnegotiationneeded();
  await settle();
  a.connection.onnegotiationneeded();
  b.connection.onnegotiationneeded();
  await settle();
  assert.deepEqual([a.connection.signalingState, b.connection.signalingState], ["stable", "stable"]);
  assert.deepEqual(b.connection.applied, ["answer", "answer"], "the impolite one ignored the other's offer");
  assert.deepEqual(errors, []);
});

test("an offer that was lost with the server is repeated", async () => {
  const { a, b, wire, settle } = pair();
  b.connection.onnegotiationneeded();
  await new Promise((resolve) => setImmediate(resolve));
  wire.toA.length = 0;
  b.negotiation.repeatOffer();
  await settle();
  assert.deepEqual([a.connection.signalingState, b.connection.signalingState], ["stable", "stable"]);
});

test("an answer that comes twice does no harm", async () => {
  const { b, wire, errors, settle } = pair();
  b.connection.onnegotiationneeded();
  await settle();
  b.negotiation.handle({ description: { type: "answer", sdp: "again" } });
  await settle();
  assert.deepEqual(errors, []);
  assert.equal(wire.toA.length, 0);
});
