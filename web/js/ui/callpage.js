/**
 * What the pages with a call have in common: devices, the room, its problems, the pre-join, and the words at the end. What
 * they join, and what happens when people come and go, is each page's own.
 */
import { find, h } from "../dom.js";
import { expose } from "../expose.js";
import { problem, refusalProblem } from "../errors.js";
import { Transfers } from "../files/transfers.js";
import { LocalMedia } from "../media/local.js";
import { mediaAvailable } from "../media/devices.js";
import { isRoomName } from "../names.js";
import { readParams } from "../params.js";
import { Room } from "../room.js";
import { Watch } from "../room/watch.js";
import { getSetting } from "../settings.js";
import { CallView } from "./callview.js";
import { FilesPanel } from "./files.js";
import { Prejoin } from "./prejoin.js";
import { Problems, toast, watchRoomProblems, wayOut } from "./shell.js";

/** @typedef {import("../expose.js").PageStage} PageStage */
/** @typedef {import("../types.js").JoinRequest} JoinRequest */
/** @typedef {import("./prejoin.js").PrejoinOptions} PrejoinOptions */
/** @typedef {import("./callview.js").CallOptions} CallOptions */
/** @typedef {Pick<CallOptions, "alone"> & Partial<CallOptions>} OpenOptions */

export class CallPage {
  params = readParams(location.search, navigator.webdriver === true);
  main = find("main");
  problems = new Problems();
  local = new LocalMedia();
  name = this.params.name || getSetting("name") || "Guest";
  /** @type {PageStage} */
  stage = "prejoin";
  /** @type {CallView | null} */
  view = null;
  /** @type {Prejoin | null} */
  prejoin = null;
  /** A view that waits for the call. @type {CallView | null} */
  #prepared = null;
  #farewell;

  /**
   * @param {object} options
   * @param {string} options.page for `window.twocan`
   * @param {ConstructorParameters<typeof Room>[0]} [options.room]
   * @param {boolean} [options.files] whether files can be sent here
   * @param {() => { title: string, again: string }} options.farewell the words once one has left, and of the way back
   */
  constructor({ page, room, files = true, farewell }) {
    const { params, local, problems } = this;
    this.#farewell = farewell;
    this.room = new Room({ relayOnly: params.relayOnly, codec: params.codec, ...room });
    this.watch = new Watch(this.room);
    const transfers = files ? new Transfers(this.room) : null;
    this.files = transfers ? new FilesPanel(transfers, { forced: params.files }) : undefined;
    const { room: shared } = this;
    if (shared.keys) {
      shared.on("tampered", () => {
        problems.add(problem("tampered"), { action: { label: "Begin a new call", run: () => location.assign(location.pathname) } });
        this.leave();
      });
    }
    expose({ page, stage: () => this.stage, room: this.room, watch: this.watch, transfers: () => transfers?.snapshots ?? [], batches: () => transfers?.batchSnapshots ?? [] });
    watchRoomProblems(problems, this.room);
    local.on("news", toast);
    local.on("problem", (one) => {
      const again = { action: { label: "Try again", run: () => void this.startDevices() } };
      problems.add(one, this.prejoin && one.code !== "insecure-context" ? again : {});
    });
    local.on("solved", (device) => {
      problems.remove("no-devices", "permission-denied", "device-busy", device === "mic" ? "no-microphone" : "no-camera");
    });
    this.main.append(problems.element);
  }

  /** Whether this browser can do it; says so if not. */
  get possible() {
    const possible = "RTCPeerConnection" in window;
    if (!possible) this.problems.add(problem("unsupported-browser"));
    return possible;
  }

  /** Whether a room can have this name; says so if not, and offers one that can. @param {string} name */
  named(name) {
    if (isRoomName(name)) return true;
    this.problems.add(problem("bad-room"), { action: wayOut(name) });
    return false;
  }

  async startDevices() {
    if (!mediaAvailable()) this.problems.add(problem("insecure-context"));
    else await this.local.start({ mic: this.params.mic, camera: this.params.camera });
  }

  /** @param {Omit<PrejoinOptions, "local" | "params">} options */
  showPrejoin(options) {
    this.prejoin?.close();
    this.prejoin = new Prejoin({ local: this.local, params: this.params, ...options });
    this.main.append(this.prejoin.element);
    return this.prejoin;
  }

  /**
   * @param {Omit<JoinRequest, "name" | "password"> & { name?: string, password?: string }} request `name`: as typed in the
   *   pre-join
   * @param {{ sends?: boolean }} [options]
   */
  join({ name = this.name, password, ...request }, { sends = true } = {}) {
    this.name = name;
    this.stage = "joining";
    this.prejoin?.setBusy(true);
    this.room.tracks = sends ? this.local.tracks : {};
    this.room.join({ ...request, name, password: password || undefined, invitation: this.params.invitation || undefined });
  }

  /** Makes what the call needs while there is time for it. @param {OpenOptions} options as for `open` */
  prepare(options) {
    this.#prepared ??= this.#make(options);
    this.room.forwarding.prepare();
  }

  /** The pre-join makes way for the call. Later calls change nothing. @param {OpenOptions} options */
  open(options) {
    if (this.view || this.stage === "left") return;
    this.prejoin?.close();
    this.prejoin = null;
    this.view = this.#prepared ?? this.#make(options);
    this.main.append(this.view.element);
    this.view.begin();
    // Not before it is laid out anyway.
    requestAnimationFrame(() => this.view?.focus());
  }

  /** @param {OpenOptions} options */
  #make(options) {
    const { room, watch, local, problems, files } = this;
    return new CallView({ room, watch, local, problems, files, name: () => this.name, onLeave: () => this.leave(), ...options });
  }

  /**
   * The server does not let us in.
   *
   * @param {{ code: string, message: string }} refusal
   * @param {object} options
   * @param {() => void} options.ask shows the pre-join if there is none
   * @param {Parameters<Problems["add"]>[1]} [options.more]
   */
  refuse(refusal, { ask, more }) {
    const one = refusalProblem(refusal);
    if (this.view) {
      this.problems.add(one);
      return;
    }
    this.stage = "refused";
    if (!this.prejoin) ask();
    this.prejoin?.setBusy(false);
    this.problems.add(one, more);
    if (one.code === "wrong-password") this.prejoin?.askPassword();
  }

  leave() {
    this.stage = "left";
    this.room.leave();
    this.watch.stop();
    this.local.close();
    this.view?.close();
    this.problems.clear();
    const { title, again } = this.#farewell();
    this.main.replaceChildren(
      h(
        "section",
        { class: "farewell" },
        h("h1", { tabIndex: -1 }, title),
        h(
          "div",
          { class: "row" },
          h("a", { class: "button primary", href: location.pathname }, again),
          h("a", { class: "button", href: "/" }, "To the start page"),
        ),
      ),
    );
    this.main.querySelector("h1")?.focus();
  }
}
