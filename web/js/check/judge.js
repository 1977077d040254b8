/**
 * What was measured, in plain words with advice. Pure.
 *
 * @typedef {"ok" | "warn" | "bad"} Verdict
 *
 * @typedef {object} Judgement
 * @property {Verdict} verdict
 * @property {string} summary
 * @property {string} detail
 *
 * @typedef {{ type: string, protocol: string, address: string | null, port: number | null, relatedAddress?: string | null, relatedPort?: number | null, url?: string | null }} Candidate
 *
 * @typedef {"none" | "same" | "different" | "unknown" | "blocked"} Mapping  what the NAT does: `same`: one public port for
 *   every destination, `different`: one for each
 */

/** @param {Candidate[]} candidates @returns {Judgement} */
export function judgeHosts(candidates) {
  const hosts = candidates.filter(({ type }) => type === "host");
  const hidden = hosts.some(({ address }) => address?.endsWith(".local"));
  const six = hosts.some(({ address }) => address?.includes(":"));
  const addresses = [...new Set(hosts.map(({ address }) => address).filter(Boolean))];
  if (hosts.length === 0) {
    return {
      verdict: "bad",
      summary: "The browser offers no local address",
      detail: "WebRTC may be limited by an extension, a policy or a VPN. Calls then work through the relay at best.",
    };
  }
  return {
    verdict: "ok",
    summary: hidden ? "Found, hidden by the browser" : six ? "Found, IPv6 among them" : "Found",
    detail: hidden
      ? "The browser shows pages a random name instead of your address until you allow camera or microphone. People on your own network can still connect directly."
      : addresses.join(", "),
  };
}

/**
 * Compares the public ports that two STUN servers saw for the same local port.
 *
 * @param {Candidate[]} candidates
 * @returns {Mapping}
 */
export function mappingOf(candidates) {
  const udp = candidates.filter(({ protocol }) => protocol === "udp");
  const reflexive = udp.filter(({ type }) => type === "srflx");
  const hosts = udp.filter(({ type }) => type === "host");
  if (reflexive.length === 0) {
    // A browser leaves out a reflexive candidate that equals its host candidate: no NAT, or no answer.
    return "unknown";
  }
  if (reflexive.some(({ address, port }) => hosts.some((host) => host.address === address && host.port === port))) return "none";
  /** @type {Map<string, Set<string>>} by local port and address family */
  const seen = new Map();
  for (const { address, port, relatedPort } of reflexive) {
    const key = `${relatedPort} ${address?.includes(":") ? 6 : 4}`;
    seen.set(key, (seen.get(key) ?? new Set()).add(`${address} ${port}`));
  }
  return [...seen.values()].some((mappings) => mappings.size > 1) ? "different" : "same";
}

/**
 * @param {object} seen
 * @param {Mapping} seen.mapping
 * @param {boolean} seen.answered whether any STUN server answered over UDP
 * @param {number} seen.servers how many were asked
 * @param {string[]} seen.publicAddresses
 * @returns {Judgement}
 */
export function judgeNat({ mapping, answered, servers, publicAddresses }) {
  const address = publicAddresses.length > 0 ? ` You are seen as ${publicAddresses.join(", ")}.` : "";
  if (servers === 0) {
    return { verdict: "warn", summary: "Not tested", detail: "This server offers no STUN, so people behind routers will not find each other directly." };
  }
  if (!answered) {
    return {
      verdict: "bad",
      summary: "UDP to the server is blocked",
      detail: "Your network lets no UDP out, as in some offices, hotels and schools. Calls go through the relay over TCP or TLS, with more delay.",
    };
  }
  switch (mapping) {
    case "none":
    case "unknown":
      return { verdict: "ok", summary: "No address translation in the way", detail: `The server sees you under your own address.${address} Direct connections are easy.` };
    case "different":
      return {
        verdict: "warn",
        summary: "A strict router: another port for every destination",
        detail: `This is called symmetric NAT, common in mobile networks.${address} Direct connections work to people with easy routers; to other strict ones calls take the relay.`,
      };
    case "same":
    case "blocked":
      return servers > 1
        ? { verdict: "ok", summary: "A friendly router: one port for everyone", detail: `Direct connections work with most people.${address}` }
        : { verdict: "ok", summary: "A router, and the way out works", detail: `The server has one STUN address only, so its kind cannot be told.${address}` };
  }
}

/**
 * @param {"udp" | "tcp" | "tls"} protocol
 * @param {import("./turn.js").TurnResult | null} result null: the server does not offer it
 * @param {boolean} [loopback] whether the page was opened under this computer's own loopback address
 * @returns {Judgement}
 */
export function judgeTurn(protocol, result, loopback = false) {
  const name = protocol.toUpperCase();
  if (result === null) {
    return { verdict: "warn", summary: "Not offered by this server", detail: `Its operator has not set up TURN over ${name}.` };
  }
  if (result.works) {
    const time = result.roundTrip === null ? "" : ` There and back in ${Math.round(result.roundTrip)} ms.`;
    return { verdict: "ok", summary: "Works", detail: `Data went through the relay and back.${time}` };
  }
  const words = result.error ? ` (The browser says: ${result.error})` : "";
  if (result.allocated && loopback) {
    return {
      verdict: "ok",
      summary: "Answers",
      detail: "Whether it passes data on cannot be told on localhost, whose addresses are nobody else's. Open this page under the server's network address to see.",
    };
  }
  if (result.allocated) {
    return {
      verdict: "bad",
      summary: "The relay answers, but passes nothing on",
      detail: `Tell whoever runs this server: its public address may be set wrongly, or a firewall drops the relayed ports.${words}`,
    };
  }
  const advice = {
    udp: "Your network may block UDP; then TCP or TLS below has to work.",
    tcp: "Your network may allow only web traffic; then TLS below has to work.",
    tls: "Without it people in the strictest networks cannot call. Its certificate may not be trusted, or the port may be blocked.",
  };
  return { verdict: protocol === "tls" ? "warn" : "bad", summary: "Not reachable", detail: `${advice[protocol]}${words}` };
}

/**
 * The one sentence at the top.
 *
 * @param {Record<string, Verdict>} verdicts by check id: hosts, nat, turn-udp, turn-tcp, turn-tls
 * @returns {Judgement}
 */
export function judgeAll(verdicts) {
  const relay = ["turn-udp", "turn-tcp", "turn-tls"].some((id) => verdicts[id] === "ok");
  const direct = verdicts.nat;
  if (direct === "ok" && relay) return { verdict: "ok", summary: "All well", detail: "Your calls are direct with most people, and the relay catches the rest." };
  if (direct === "ok") return { verdict: "warn", summary: "Direct calls work, the relay does not", detail: "With people in strict networks you may not get through." };
  if (direct === "warn" && !relay && !["turn-udp", "turn-tcp", "turn-tls"].some((id) => verdicts[id] === "bad")) {
    return { verdict: "warn", summary: "Calls on your own network work", detail: "This server offers little help beyond it: its operator can switch STUN and TURN on." };
  }
  if (relay) return { verdict: "warn", summary: "Calls work, often through the relay", detail: "Sound and picture are still encrypted from end to end; they may take a little longer." };
  return { verdict: "bad", summary: "Calls will hardly work from here", detail: "Neither a direct way nor the relay is open. Try another network, such as a phone's." };
}
