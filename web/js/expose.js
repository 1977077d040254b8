/** `window.twocan`: the page's state, read-only, for automated tests and curious people (docs/web.md). */

/** @typedef {import("./room.js").Room} Room */
/** @typedef {import("./room/watch.js").Watch} Watch */
/** @typedef {"prejoin" | "joining" | "joined" | "waiting" | "left" | "refused"} PageStage */

/**
 * @param {object} sources
 * @param {string} sources.page
 * @param {() => PageStage} [sources.stage]
 * @param {Room} [sources.room]
 * @param {Watch} [sources.watch]
 * @param {() => object[]} [sources.transfers]
 * @param {() => object[]} [sources.batches]
 * @param {() => object} [sources.check]
 */
export function expose({ page, stage = () => "prejoin", room, watch, transfers = () => [], batches = () => [], check = () => ({}) }) {
  const twocan = Object.freeze({
    page,
    get stage() {
      return stage();
    },
    get signaling() {
      if (!room) return null;
      const { state, reconnects, resumed, lastError } = room.signaling;
      return { state, peer: room.self, reconnects, resumed, error: lastError };
    },
    get room() {
      const joined = room?.joined;
      if (!room || !joined) return null;
      const { room: name, kind, role, capacity, locked } = joined;
      return { name, kind, role: role ?? null, capacity, locked: Boolean(locked), audience: room.audience };
    },
    get topology() {
      const { topology, forwarder, speaker } = room?.forwarding ?? {};
      if (!topology) return null;
      return {
        ...topology,
        connection: forwarder?.state ?? null,
        generation: forwarder?.generation ?? 0,
        restarts: forwarder?.restarts ?? 0,
        negotiations: forwarder?.negotiations ?? 0,
        wanted: { ...forwarder?.wanted },
        speaker: speaker ?? null,
      };
    },
    get peers() {
      return [...(room?.peers.values() ?? [])].map((link) => ({
        id: link.id,
        name: link.name,
        connection: link.state,
        via: link.via,
        direct: link.directState,
        layer: copy(room?.forwarding.layerOf(link)),
        ice: link.connection?.iceConnectionState ?? "new",
        signaling: link.connection?.signalingState ?? "stable",
        channel: link.channelState,
        listed: link.listed,
        restarts: link.restarts,
        generation: link.generation,
        remote: { ...link.remote },
        path: copy(watch?.monitors.get(link.id)?.path),
        sample: copy(watch?.monitors.get(link.id)?.sample),
      }));
    },
    get transfers() {
      return transfers();
    },
    get batches() {
      return batches();
    },
    get counters() {
      return room ? room.totals() : null;
    },
    get local() {
      return room ? room.state : null;
    },
    get check() {
      return check();
    },
  });
  Object.defineProperty(window, "twocan", { value: twocan, enumerable: true });
}

/** @template {object} T @param {T | null | undefined} value @returns {T | null} */
function copy(value) {
  return value ? { ...value } : null;
}
