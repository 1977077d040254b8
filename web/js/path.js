/**
 * Which way the media goes: the selected candidate pair out of `getStats()`, in parts and in plain words. Pure.
 *
 * @typedef {import("./types.js").Path} Path
 * @typedef {{ get(id: string): any, forEach(callback: (stats: any) => void): void }} StatsReport
 */

/**
 * @param {StatsReport} report
 * @param {ReadonlyMap<string, string>} [told] types of the candidates that the other side told us of, by
 *   `protocol address port`: a check that overtook them makes a browser call such an address `prflx`
 * @returns {Path | null} null before a pair is selected
 */
export function selectedPath(report, told = new Map()) {
  const pair = selectedPair(report);
  if (!pair) return null;
  const local = report.get(pair.localCandidateId);
  const remote = report.get(pair.remoteCandidateId);
  if (!local || !remote) return null;
  const remoteType =
    (remote.candidateType === "prflx" ? told.get(candidateKey(remote)) : undefined) ?? remote.candidateType;
  const path = {
    kind: `${local.candidateType}-${remoteType}`,
    relayed: local.candidateType === "relay" || remoteType === "relay",
    protocol: local.protocol ?? "udp",
    relayProtocol: local.candidateType === "relay" ? (local.relayProtocol ?? null) : null,
    local: endpoint(local),
    remote: endpoint(remote),
  };
  return { ...path, words: pathInWords(path) };
}

/** @param {StatsReport} report */
export function selectedPair(report) {
  /** @type {any} */
  let found = null;
  report.forEach((stats) => {
    if (stats.type === "transport" && stats.selectedCandidatePairId) {
      found = report.get(stats.selectedCandidatePairId) ?? found;
    }
  });
  if (found) return found;
  // Firefox marks the pair itself.
  report.forEach((stats) => {
    if (stats.type !== "candidate-pair") return;
    if (stats.selected === true || (!found && stats.nominated && stats.state === "succeeded")) found = stats;
  });
  return found;
}

/** @param {{ protocol?: string | null, address?: string | null, ip?: string, port?: number | null }} candidate */
function candidateKey({ protocol, address, ip, port }) {
  return `${protocol} ${(address ?? ip ?? "").replace(/^\[|\]$/g, "").toLowerCase()} ${port}`;
}

/**
 * One line of signaling (RFC 8839 §5.1), for `told` above.
 *
 * @param {string} line `candidate:…`, with or without `a=`
 * @returns {[key: string, type: string] | null}
 */
export function parseCandidate(line) {
  const match = /candidate:\S+ \d+ (\S+) \d+ (\S+) (\d+) typ (\w+)/i.exec(line);
  if (!match) return null;
  const [, protocol, address, port, type] = match;
  return [candidateKey({ protocol: protocol.toLowerCase(), address, port: Number(port) }), type];
}

/** @param {any} candidate */
function endpoint(candidate) {
  const address = candidate.address ?? candidate.ip;
  if (!address) return null;
  return `${address.includes(":") && !address.startsWith("[") ? `[${address}]` : address}:${candidate.port}`;
}

/**
 * @param {Omit<Path, "words">} path
 * @returns {string}
 */
export function pathInWords({ kind, relayed, protocol, relayProtocol }) {
  if (relayed) {
    const over = relayProtocol ? `, over ${relayProtocol.toUpperCase()}` : "";
    return `Through the relay${over}`;
  }
  const tcp = protocol === "tcp" ? ", over TCP" : "";
  if (kind === "host-host") return `Directly, on the same network${tcp}`;
  if (kind.startsWith("host-")) return `Directly, through their router${tcp}`;
  if (kind.endsWith("-host")) return `Directly, through your router${tcp}`;
  return `Directly, through your routers${tcp}`;
}

/**
 * The same way, of media that the server forwards: the other end of the connection is the server.
 *
 * @param {Path} path
 * @returns {Path}
 */
export function throughServer(path) {
  const over = path.relayed && path.relayProtocol ? `, over ${path.relayProtocol.toUpperCase()}` : path.protocol === "tcp" ? ", over TCP" : "";
  return { ...path, server: true, words: `Through the server${over}` };
}

/**
 * The stops of a path, for a picture: who or what is between us and them.
 *
 * @param {Omit<Path, "words">} path
 * @returns {("router" | "relay" | "server")[]}
 */
export function stops({ kind, relayed, server }) {
  if (server) return ["server"];
  if (relayed) return ["relay"];
  const [local, remote] = kind.split("-");
  /** @type {("router" | "relay")[]} */
  const between = [];
  if (local !== "host") between.push("router");
  if (remote !== "host") between.push("router");
  return between;
}
