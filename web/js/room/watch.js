/** Watches a room's connections: a sample each second for the details panel and the tests, levels for who speaks. */
import { Monitor } from "../stats.js";
import { selectedPath, throughServer } from "../path.js";
import { receivedLevel } from "../media/level.js";

/** @typedef {import("../room.js").Room} Room */
/** @typedef {import("../peer.js").PeerLink} PeerLink */

const SAMPLE_INTERVAL = 1_000;
/** A voice louder than this speaks; and it goes on speaking for a while, so that marks do not flicker. */
const SPEAKING_LEVEL = 0.35;
const SPEAKING_HOLD = 600;

export class Watch {
  /** @type {Map<string, Monitor>} */
  monitors = new Map();
  /** @type {Map<string, number>} when each person was last heard, ms */
  #heard = new Map();
  #room;
  /** Called after each round of samples. */
  onSample = () => {};
  /** @type {ReturnType<typeof setInterval>} */
  #timer;

  /** @param {Room} room */
  constructor(room) {
    this.#room = room;
    room.on("peer-added", (link) => this.#watch(link));
    room.on("peer-removed", (link) => {
      this.monitors.delete(link.id);
      this.#heard.delete(link.id);
    });
    this.#timer = setInterval(() => void this.#sample(), SAMPLE_INTERVAL);
  }

  /** @returns {{ link: PeerLink, monitor: Monitor }[]} */
  get entries() {
    return [...this.#room.peers.values()].flatMap((link) => {
      const monitor = this.monitors.get(link.id);
      return monitor ? [{ link, monitor }] : [];
    });
  }

  /** @param {PeerLink} link */
  isSpeaking(link) {
    if (receivedLevel(link.receiver("mic") ?? undefined) > SPEAKING_LEVEL) this.#heard.set(link.id, performance.now());
    return this.heardRecently(link.id);
  }

  /** Ourselves, from our own meter. @param {number} level */
  selfSpeaking(level) {
    if (level > SPEAKING_LEVEL) this.#heard.set("self", performance.now());
    return this.heardRecently("self");
  }

  /** @param {string} id */
  heardRecently(id) {
    return performance.now() - (this.#heard.get(id) ?? -Infinity) < SPEAKING_HOLD;
  }

  stop() {
    clearInterval(this.#timer);
  }

  /** @param {PeerLink} link */
  #watch(link) {
    const monitor = new Monitor();
    this.monitors.set(link.id, monitor);
    let { via } = link;
    link.on("renewed", () => monitor.forget());
    link.on("change", () => {
      // Other counters, of another connection.
      if (link.via !== via) monitor.forget();
      via = link.via;
    });
  }

  async #sample() {
    await Promise.all(
      this.entries.map(async ({ link, monitor }) => {
        try {
          const forwarded = link.via === "server";
          const report = forwarded ? await forwardedReport(link) : await link.connection?.getStats();
          if (!report) return;
          let path = monitor.path;
          if (link.state === "connected") {
            path = selectedPath(report, forwarded ? undefined : link.toldCandidates);
            if (path && forwarded) path = throughServer(path);
          }
          monitor.note(report, performance.now(), path, { shared: forwarded });
        } catch {
          // Closed while it was being asked.
        }
      }),
    );
    this.onSample();
  }
}

/** What is known of one person's media on a connection that carries many people's. @param {PeerLink} link */
async function forwardedReport(link) {
  const receivers = Object.values(link.forwarded?.receivers ?? {});
  const reports = await Promise.all(receivers.map((receiver) => receiver.getStats()));
  return new Map(reports.flatMap((report) => [.../** @type {Map<string, any>} */ (/** @type {unknown} */ (report)).entries()]));
}
