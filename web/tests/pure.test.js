import assert from "node:assert/strict";
import { test } from "node:test";
import { problem, deviceProblem, pathProblem } from "../js/errors.js";
import { formatBitrate, formatBytes, formatDuration, formatPercent } from "../js/format.js";
import { afterChange, speakerFor } from "../js/media/choice.js";
import { perceived } from "../js/media/level.js";
import { isRoomName, randomRoomName, roomNameFrom } from "../js/names.js";
import { readParams, roomFromPath } from "../js/params.js";
import { videoBudget } from "../js/peer/budget.js";
import { isSignalData, parseControl } from "../js/peer/control.js";
import { arrange, onStage } from "../js/ui/layout.js";
import { bannerFor, list } from "../js/ui/roombanner.js";

test("sizes and times as people read them", () => {
  assert.equal(formatBytes(0), "0 B");
  assert.equal(formatBytes(999), "999 B");
  assert.equal(formatBytes(1_500), "1.50 kB");
  assert.equal(formatBytes(2_000_000_000), "2.00 GB");
  assert.equal(formatBytes(123_456_789), "123 MB");
  assert.equal(formatBitrate(1_250_000), "1.3 Mbit/s");
  assert.equal(formatBitrate(null), "–");
  assert.equal(formatPercent(0), "0 %");
  assert.equal(formatPercent(0.015), "1.5 %");
  assert.equal(formatDuration(59.4), "59 s");
  assert.equal(formatDuration(61), "1 min 1 s");
  assert.equal(formatDuration(3_700), "1 h 1 min");
  assert.equal(formatDuration(Infinity), "unknown");
});

test("whatever is typed becomes a name that the server takes, or nothing", () => {
  assert.equal(roomNameFrom("  Tea with Zoë! "), "Tea-with-Zoe");
  assert.equal(roomNameFrom("<b>"), "b");
  assert.equal(roomNameFrom("日本"), "");
  assert.equal(roomNameFrom("x".repeat(80)).length, 64);
  for (let seed = 0; seed < 200; seed += 1) assert.ok(isRoomName(randomRoomName((bound) => seed % bound)));
});

test("a link alone never switches devices on", () => {
  const link = readParams("?join=1&camera=1&mic=1&name=Eve", false);
  assert.deepEqual([link.join, link.mic, link.camera], [true, false, false]);
  const automated = readParams("?join=1&camera=0", true);
  assert.deepEqual([automated.mic, automated.camera], [true, false]);
  assert.equal(readParams("?files=disk", true).files, null);
  assert.equal(roomFromPath("/r/%E0%A4%A"), "");
  assert.equal(roomFromPath("/r/tea"), "tea");
});

test("control messages are known shapes or nothing", () => {
  assert.deepEqual(parseControl('{"type":"state","mic":1,"camera":true}'), { type: "state", mic: false, camera: true, screen: false, hand: false });
  assert.deepEqual(parseControl('{"type":"chat","text":"<b>","extra":1}'), { type: "chat", text: "<b>" });
  for (const bad of ["", "{", "null", "[]", "7", '{"type":7}', '{"type":"chat","text":5}', '{"type":"chat","text":"  "}', '{"type":"other"}', '{"type":"signal","data":null}']) {
    assert.equal(parseControl(bad), null, bad);
  }
  assert.equal(parseControl(JSON.stringify({ type: "chat", text: "x".repeat(9_000) })).text.length, 4_000);
  assert.equal(parseControl(new ArrayBuffer(3)), null);
});

test("every problem has its words, and every server error is known", () => {
  const codes = ["bad_room", "bad_name", "wrong_kind", "role_taken", "room_full", "server_full", "wrong_password", "bad_invitation", "invitation_required"];
  for (const code of codes) assert.notEqual(problem(code).code, "unexpected", code);
  assert.equal(problem("made_up").code, "unexpected");
  const named = (name) => Object.assign(new Error("x"), { name });
  assert.equal(deviceProblem(named("NotFoundError"), "camera").code, "no-camera");
  assert.equal(deviceProblem(named("NotAllowedError"), "camera").code, "permission-denied");
  assert.equal(deviceProblem(named("NotReadableError"), "microphone").code, "device-busy");
  assert.equal(pathProblem({ relay: false, relayOffered: true }).code, "relay-unreachable");
  assert.equal(pathProblem({ relay: false, relayOffered: false }).code, "no-relay");
  assert.equal(pathProblem({ relay: true, relayOffered: true }).code, "no-path");
});

test("signals of another machine have the known shape, or are nothing", () => {
  const connection = "k3j2";
  for (const good of [
    { connection, candidate: null },
    { connection, to: "x", restart: true },
    { connection, description: { type: "offer", sdp: "v=0" } },
    { connection, description: { type: "rollback" } },
    { connection, candidate: { candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ host", sdpMid: "0" } },
  ]) {
    assert.ok(isSignalData(good), JSON.stringify(good));
  }
  for (const bad of [
    null,
    "offer",
    {},
    { connection: 5 },
    { connection: "x".repeat(1_000) },
    { connection, to: {} },
    { connection, description: null },
    { connection, description: { type: "offer", sdp: { match: 1 } } },
    { connection, candidate: "candidate:1" },
    { connection, candidate: { candidate: 7 } },
  ]) {
    assert.ok(!isSignalData(bad), JSON.stringify(bad));
  }
});

test("a device that has gone is missed, and the chosen one is taken up again", () => {
  const devices = [{ id: "built-in", label: "" }, { id: "usb", label: "" }];
  assert.equal(afterChange({ devices, current: "usb", wanted: "usb" }), "keep");
  assert.equal(afterChange({ devices, current: "built-in", wanted: "" }), "keep");
  assert.equal(afterChange({ devices: devices.slice(0, 1), current: "usb", wanted: "usb" }), "lost");
  assert.equal(afterChange({ devices: [], current: "usb", wanted: "" }), "lost");
  assert.equal(afterChange({ devices, current: "built-in", wanted: "usb" }), "return");
  assert.equal(afterChange({ devices: devices.slice(0, 1), current: "built-in", wanted: "usb" }), "keep");
  assert.equal(afterChange({ devices: [{ id: "", label: "" }], current: "usb", wanted: "" }), "keep", "no permission, no ids");
  assert.equal(afterChange({ devices, current: undefined, wanted: "usb" }), "keep");
  assert.equal(speakerFor(devices, "usb"), "usb");
  assert.equal(speakerFor(devices, "gone"), "");
  assert.equal(speakerFor(devices, ""), "");
});

test("tiles stay on the stage and apart, for any stage and company", () => {
  for (const [width, height] of [[1280, 640], [344, 560], [360, 200], [700, 700]]) {
    for (let cameras = 0; cameras <= 6; cameras += 1) {
      for (let screens = 0; screens <= 2; screens += 1) {
        const boxes = Object.values(arrange({ width, height, cameras, screens })).flat();
        assert.equal(boxes.length, cameras + screens);
        for (const box of boxes) {
          assert.ok(box.x >= 0 && box.y >= 0 && box.width > 20 && box.height > 20, JSON.stringify({ width, height, cameras, screens, box }));
          assert.ok(box.x + box.width <= width + 1 && box.y + box.height <= height + 1, JSON.stringify({ width, height, box }));
        }
        boxes.forEach((one, index) => {
          for (const two of boxes.slice(index + 1)) {
            const apart = one.x + one.width <= two.x || two.x + two.width <= one.x || one.y + one.height <= two.y || two.y + two.height <= one.y;
            assert.ok(apart, JSON.stringify({ width, height, cameras, screens, one, two }));
          }
        });
      }
    }
  }
});

test("the banner tells a lost server from a lost call", () => {
  const now = { signaling: "reconnecting", joinedOnce: true, connected: ["Bob"], troubled: [] };
  assert.equal(bannerFor(now).state, "server-gone");
  assert.equal(bannerFor({ ...now, connected: [] }).state, "reconnecting");
  assert.equal(bannerFor({ ...now, signaling: "joined", troubled: ["Bob", "Cleo"] }).text, "Reconnecting to Bob and Cleo…");
  assert.equal(bannerFor({ ...now, signaling: "joined" }).state, "none");
  assert.equal(list(["a", "b", "c"]), "a, b and c");
});

test("loudness is even in decibels", () => {
  assert.equal(perceived(0), 0);
  assert.equal(perceived(1), 1);
  assert.ok(Math.abs(perceived(0.0316) - 0.5) < 0.01);
});

test("the more people, the less for each, within what is worth having", () => {
  assert.equal(videoBudget(0).camera, 2_500_000);
  assert.equal(videoBudget(3).camera, 1_000_000);
  assert.equal(videoBudget(31).camera, 250_000);
  for (let people = 1; people < 32; people += 1) assert.ok(videoBudget(people).screen >= videoBudget(people + 1).screen);
});

test("of many people those have a place who had one, but for those who speak", () => {
  const all = ["self", "ada", "bob", "cleo", "dan"];
  const stage = (before, spoke) => [...onStage(all, { most: 3, before: new Set(before), spoke: new Map(Object.entries(spoke)) })].sort();
  assert.deepEqual(onStage(all, { most: 5, before: new Set(), spoke: new Map() }), new Set(all));
  assert.deepEqual(stage([], {}), ["ada", "bob", "self"]);
  assert.deepEqual(stage(["self", "bob", "cleo"], {}), ["bob", "cleo", "self"]);
  assert.deepEqual(stage(["self", "ada", "bob"], { dan: 5 }), ["ada", "bob", "dan"]);
  assert.deepEqual(stage(["self", "ada", "bob"], { self: 9, ada: 7, bob: 8, dan: 5 }), ["ada", "bob", "self"]);
  assert.deepEqual(stage(["self", "ada", "bob"], { self: 9, ada: 7, bob: 8, dan: 10 }), ["bob", "dan", "self"]);
});
