/** What the banner says about the server and the others. */

/** @typedef {import("./shell.js").Banner} Banner */
/** @typedef {import("../room.js").Room} Room */

/** Keeps a banner up to date with a room, and says once when all is well again. */
export class RoomBanner {
  #banner;
  #room;
  #wasAway = false;

  /**
   * @param {Banner} banner
   * @param {Room} room
   */
  constructor(banner, room) {
    this.#banner = banner;
    this.#room = room;
  }

  /** @param {(id: string) => boolean} met whether someone has been connected before */
  update(met) {
    const links = [...this.#room.peers.values()];
    const connected = links.filter((link) => link.state === "connected");
    const troubled = links.filter((link) => met(link.id) && !connected.includes(link));
    const { state, text, away } = bannerFor({
      signaling: this.#room.signaling.state,
      joinedOnce: this.#room.joined !== null,
      connected: connected.map((link) => link.name),
      troubled: troubled.map((link) => link.name),
    });
    if (this.#wasAway && state === "none") this.#banner.set("reconnected", "Reconnected.", 3_000);
    else if (state !== "none" || this.#banner.state !== "reconnected") this.#banner.set(state, text);
    this.#wasAway = away;
  }
}

/**
 * Pure.
 *
 * @param {object} now
 * @param {import("../signaling.js").SignalingState} now.signaling
 * @param {boolean} now.joinedOnce
 * @param {string[]} now.connected names of people whose connection stands
 * @param {string[]} now.troubled names of people whose connection was there and is not now
 * @returns {{ state: "none" | "server-gone" | "reconnecting" | "peer-trouble", text: string, away: boolean }} `away`:
 *   something that was there is gone
 */
export function bannerFor({ signaling, joinedOnce, connected, troubled }) {
  if (signaling === "reconnecting" || (signaling === "connecting" && joinedOnce)) {
    return connected.length > 0
      ? { state: "server-gone", text: "The server is away. What is connected goes on; nobody new can come in until it is back.", away: true }
      : { state: "reconnecting", text: "The connection is gone. Reconnecting…", away: true };
  }
  if (signaling === "connecting") return { state: "reconnecting", text: "Reaching the server…", away: false };
  if (troubled.length > 0) return { state: "peer-trouble", text: `Reconnecting to ${list(troubled)}…`, away: false };
  return { state: "none", text: "", away: false };
}

/** @param {string[]} names */
export function list(names) {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}
