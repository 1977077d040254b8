import assert from "node:assert/strict";
import { test } from "node:test";
import { cameraEncodings, onlyCodec, seatCodecs, sendWanted } from "../js/forwarder/encodings.js";
import { Seats } from "../js/forwarder/seats.js";

const publication = (peer, source) => ({
  id: `${peer}-${source}`,
  peer,
  source,
  kind: source === "mic" || source === "sound" ? "audio" : "video",
  codec: "",
});

test("a person's microphone and camera share a seat, and their screen has its own", () => {
  const seats = new Seats();
  assert.equal(seats.seat(["mic", "camera", "screen", "sound"].map((source) => publication("ada", source))), true);
  assert.equal(seats.count, 2);
  assert.deepEqual(seats.find("ada-mic"), { seat: 0, kind: "audio" });
  assert.deepEqual(seats.find("ada-camera"), { seat: 0, kind: "video" });
  assert.deepEqual(seats.find("ada-screen"), { seat: 1, kind: "video" });
  assert.deepEqual(seats.find("ada-sound"), { seat: 1, kind: "audio" });
  assert.equal(seats.find("bob-mic"), null);
});

test("whoever sits stays, and a seat that is free is taken before another is added", () => {
  const seats = new Seats();
  const of = (...people) => people.map((peer) => publication(peer, "mic"));
  seats.seat(of("ada", "bob", "cleo"));
  assert.equal(seats.seat(of("ada", "cleo")), false);
  assert.equal(seats.find("cleo-mic").seat, 2);
  assert.equal(seats.at(1, "audio"), null);
  assert.equal(seats.seat(of("ada", "cleo", "dan")), false);
  assert.equal(seats.find("dan-mic").seat, 1);
  assert.equal(seats.seat(of("ada", "cleo", "dan", "eve")), true);
  assert.equal(seats.count, 4);
  seats.seat([]);
  assert.equal(seats.count, 4);
  assert.equal(seats.at(0, "audio"), null);
});

test("a seat that was reserved is the first one's", () => {
  const seats = new Seats();
  seats.reserve(1);
  seats.reserve(1);
  assert.equal(seats.count, 1);
  assert.equal(seats.seat([publication("ada", "camera")]), false);
  assert.deepEqual(seats.find("ada-camera"), { seat: 0, kind: "video" });
});

test("a camera goes in three sizes, or in layers where the codec has them", () => {
  assert.deepEqual(cameraEncodings("vp8").map(({ rid }) => rid), ["l", "m", "h"]);
  assert.equal(cameraEncodings("h264").length, 3);
  assert.equal(cameraEncodings("vp9").length, 1);
  assert.equal(cameraEncodings("av1")[0].scalabilityMode, "L3T3_KEY");
});

test("one codec and its repairs are all that is offered", () => {
  const all = ["video/VP8", "video/rtx", "video/H264", "video/AV1"].map((mimeType) => ({ mimeType }));
  assert.deepEqual(onlyCodec(all, "h264").map(({ mimeType }) => mimeType), ["video/rtx", "video/H264"]);
  assert.deepEqual(onlyCodec(all, "vp9"), []);
});

test("a seat has one profile of each codec that is sent in calls", () => {
  const codec = (mimeType, sdpFmtpLine) => ({ mimeType, sdpFmtpLine });
  const kept = [
    codec("video/VP8"),
    codec("video/rtx"),
    codec("video/VP9", "profile-id=0"),
    codec("video/H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
    codec("video/AV1", "level-idx=5;profile=0;tier=0"),
    codec("audio/opus", "minptime=10;useinbandfec=1"),
  ];
  const left = [
    codec("video/VP9", "profile-id=2"),
    codec("video/H264", "packetization-mode=0;profile-level-id=42e01f"),
    codec("video/H264", "packetization-mode=1;profile-level-id=64001f"),
    codec("video/AV1", "level-idx=5;profile=1;tier=0"),
    codec("video/red"),
    codec("audio/PCMU"),
  ];
  assert.deepEqual(seatCodecs([...kept, ...left]), kept);
});

test("only a change of what is watched touches the sender", async () => {
  let set = 0;
  const encodings = [{}, {}, {}];
  const sender = { getParameters: () => ({ encodings }), setParameters: async () => (set += 1) };
  await sendWanted(sender, [true, true, true]);
  assert.equal(set, 0);
  await sendWanted(sender, [true, false, false]);
  assert.deepEqual(encodings.map(({ active }) => active), [true, false, false]);
  await sendWanted(sender, [true, false, false]);
  assert.equal(set, 1);
});
