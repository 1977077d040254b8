/**
 * From two `getStats()` reports to one second's sample. Pure: reports and the time come in.
 *
 * @typedef {import("./types.js").Sample} Sample
 * @typedef {import("./path.js").StatsReport} StatsReport
 */
import { selectedPair } from "./path.js";

/**
 * The running totals that a sample is the difference of.
 *
 * @typedef {object} Totals
 * @property {number} time ms
 * @property {number} sentBytes
 * @property {number} receivedBytes
 * @property {number} packetsReceived
 * @property {number} packetsLost
 * @property {number} framesDecoded
 * @property {number} bufferDelay
 * @property {number} bufferCount
 */

/**
 * @param {StatsReport} report
 * @param {number} time ms
 * @param {Totals | null} before
 * @param {{ shared?: boolean }} [options] `shared`: the connection carries others' media, too, so that only streams count
 * @returns {{ totals: Totals, sample: Sample }}
 */
export function sampleFrom(report, time, before, { shared = false } = {}) {
  /** @type {Totals} */
  const totals = {
    time,
    sentBytes: 0,
    receivedBytes: 0,
    packetsReceived: 0,
    packetsLost: 0,
    framesDecoded: 0,
    bufferDelay: 0,
    bufferCount: 0,
  };
  /** @type {any} the received video with the most pixels */
  let video = null;
  let framesReceived = 0;
  let freezes = 0;
  let videos = 0;
  const pair = selectedPair(report);
  let transportSeen = false;
  report.forEach((stats) => {
    // Firefox's transport does not count bytes; its candidate pair does.
    if (!shared && stats.type === "transport" && typeof stats.bytesSent === "number") {
      transportSeen = true;
      totals.sentBytes += stats.bytesSent ?? 0;
      totals.receivedBytes += stats.bytesReceived ?? 0;
    }
    if (stats.type !== "inbound-rtp") return;
    if (shared) totals.receivedBytes += (stats.bytesReceived ?? 0) + (stats.headerBytesReceived ?? 0);
    totals.packetsReceived += stats.packetsReceived ?? 0;
    totals.packetsLost += stats.packetsLost ?? 0;
    totals.bufferDelay += stats.jitterBufferDelay ?? 0;
    totals.bufferCount += stats.jitterBufferEmittedCount ?? 0;
    if (stats.kind !== "video") return;
    videos += 1;
    totals.framesDecoded += stats.framesDecoded ?? 0;
    framesReceived += stats.framesReceived ?? 0;
    freezes += stats.freezeCount ?? 0;
    if (!video || pixels(stats) > pixels(video)) video = stats;
  });
  if (!shared && !transportSeen && pair) {
    totals.sentBytes = pair.bytesSent ?? 0;
    totals.receivedBytes = pair.bytesReceived ?? 0;
  }

  const seconds = before ? (time - before.time) / 1000 : 0;
  /** @param {keyof Totals} name */
  const rate = (name) => (before && seconds > 0 ? Math.max(0, totals[name] - before[name]) / seconds : null);
  const lost = before ? totals.packetsLost - before.packetsLost : 0;
  const got = before ? totals.packetsReceived - before.packetsReceived : 0;
  const sentRate = rate("sentBytes");
  const receivedRate = rate("receivedBytes");
  const emitted = before ? totals.bufferCount - before.bufferCount : 0;
  return {
    totals,
    sample: {
      sentBitrate: sentRate === null || shared ? null : sentRate * 8,
      receivedBitrate: receivedRate === null ? null : receivedRate * 8,
      roundTrip: pair?.currentRoundTripTime ?? remoteRoundTrip(report),
      loss: lost + got > 0 ? Math.min(1, Math.max(0, lost) / (Math.max(0, lost) + got)) : null,
      framesPerSecond: videos > 0 ? rate("framesDecoded") : null,
      width: video?.frameWidth ?? null,
      height: video?.frameHeight ?? null,
      framesDecoded: videos > 0 ? totals.framesDecoded : null,
      framesReceived: videos > 0 ? framesReceived : null,
      freezes: videos > 0 ? freezes : null,
      bufferDelay: before && emitted > 0 ? (totals.bufferDelay - before.bufferDelay) / emitted : null,
      codec: video?.codecId ? (report.get(video.codecId)?.mimeType?.replace("video/", "") ?? null) : null,
    },
  };
}

/** @param {any} stats */
function pixels(stats) {
  return (stats.frameWidth ?? 0) * (stats.frameHeight ?? 0);
}

/** @param {StatsReport} report */
function remoteRoundTrip(report) {
  /** @type {number | null} */
  let found = null;
  report.forEach((stats) => {
    if (stats.type === "remote-inbound-rtp" && typeof stats.roundTripTime === "number") found = stats.roundTripTime;
  });
  return found;
}

/** The last minute of samples of one connection. */
export class Monitor {
  /** @type {Sample[]} oldest first */
  history = [];
  /** @type {Sample | null} */
  sample = null;
  /** @type {import("./types.js").Path | null} */
  path = null;
  /** @type {Totals | null} */
  #totals = null;

  /**
   * @param {StatsReport} report
   * @param {number} time
   * @param {import("./types.js").Path | null} path
   * @param {{ shared?: boolean }} [options]
   */
  note(report, time, path, options) {
    const { totals, sample } = sampleFrom(report, time, this.#totals, options);
    this.#totals = totals;
    this.sample = sample;
    this.path = path;
    this.history.push(sample);
    if (this.history.length > 60) this.history.shift();
  }

  /** A fresh connection counts from zero. */
  forget() {
    this.#totals = null;
    this.path = null;
  }
}
