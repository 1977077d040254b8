/**
 * From the server's running totals to a minute of rates. Pure: reports and their times come in (docs/admin.md).
 *
 * @typedef {object} WorkerReport
 * @property {number} cpu seconds of processor time so far
 * @property {number} connections
 * @property {number} rooms
 * @property {number} received_datagrams
 * @property {number} sent_datagrams
 * @property {number} forwarded packets, once for each who got them
 *
 * @typedef {object} EncodingReport
 * @property {number} bitrate bit/s
 * @property {boolean} watched
 *
 * @typedef {object} TrackReport
 * @property {string} id
 * @property {string | null} peer
 * @property {string} source
 * @property {string} codec
 * @property {EncodingReport[]} encodings smallest first
 * @property {number} watchers
 *
 * @typedef {object} PersonReport
 * @property {string | null} peer
 * @property {string} state of the connection
 * @property {number | null} round_trip seconds
 * @property {number | null} estimate bit/s that the way to them bears
 * @property {number} sent bytes so far
 * @property {number} received bytes so far
 * @property {number | null} loss of what is sent to them, 0 to 1
 *
 * @typedef {object} RoomReport
 * @property {string} name
 * @property {string} kind
 * @property {PersonReport[]} people
 * @property {TrackReport[]} tracks
 *
 * @typedef {object} Report
 * @property {string} version
 * @property {number} uptime seconds
 * @property {{ connections: number, sessions: number, rooms: number, waiting: number }} signaling
 * @property {{ allocations: number, relayed_bytes: number } | null} relay
 * @property {WorkerReport[]} workers
 * @property {RoomReport[]} rooms that are forwarded
 */

/** A minute. */
const KEPT = 60;

export class History {
  /** @type {(number | null)[]} cores that the workers fill, each second */
  cpu = [];
  /** @type {(number | null)[][]} the same, worker by worker */
  workers = [];
  /** @type {(number | null)[]} packets a second */
  forwarded = [];
  /** @type {(number | null)[]} people in rooms of all kinds */
  people = [];
  /** @type {(number | null)[]} bit/s through the relay */
  relayed = [];
  /** @type {Map<string, { sent: (number | null)[], received: (number | null)[] }>} bit/s, room by room */
  rooms = new Map();
  /** @type {{ time: number, report: Report } | null} */
  #before = null;

  /**
   * @param {Report} report
   * @param {number} time ms
   */
  note(report, time) {
    const before = this.#before;
    this.#before = { time, report };
    const seconds = before ? (time - before.time) / 1000 : 0;
    // A server that was started again counts from zero.
    const known = before !== null && seconds > 0 && report.uptime >= before.report.uptime;
    const rate = (/** @type {number} */ now, /** @type {number | undefined} */ then) =>
      known && then !== undefined ? Math.max(0, now - then) / seconds : null;
    const old = before?.report;
    report.workers.forEach((worker, index) => {
      keep((this.workers[index] ??= []), rate(worker.cpu, old?.workers[index]?.cpu));
    });
    keep(this.cpu, sum(report.workers.map((worker, index) => rate(worker.cpu, old?.workers[index]?.cpu))));
    keep(this.forwarded, sum(report.workers.map((worker, index) => rate(worker.forwarded, old?.workers[index]?.forwarded))));
    keep(this.people, report.signaling.sessions);
    const relayed = rate(report.relay?.relayed_bytes ?? 0, old?.relay?.relayed_bytes);
    keep(this.relayed, relayed === null ? null : relayed * 8);
    const present = new Set(report.rooms.map(keyOf));
    for (const key of this.rooms.keys()) if (!present.has(key)) this.rooms.delete(key);
    for (const room of report.rooms) {
      const then = old?.rooms.find((one) => keyOf(one) === keyOf(room));
      const lines = this.rooms.get(keyOf(room)) ?? { sent: [], received: [] };
      this.rooms.set(keyOf(room), lines);
      for (const name of /** @type {const} */ (["sent", "received"])) {
        const bytes = (/** @type {RoomReport | undefined} */ of) => of?.people.reduce((total, person) => total + person[name], 0);
        const bits = rate(bytes(room) ?? 0, bytes(then));
        keep(lines[name], bits === null ? null : bits * 8);
      }
    }
  }
}

/** @param {{ kind: string, name: string }} room */
export function keyOf({ kind, name }) {
  return `${kind}/${name}`;
}

/** @param {(number | null)[]} values @param {number | null} value */
function keep(values, value) {
  values.push(value);
  if (values.length > KEPT) values.shift();
}

/** @param {(number | null)[]} values */
function sum(values) {
  return values.includes(null) ? null : values.reduce((total, value) => (total ?? 0) + (value ?? 0), 0);
}
