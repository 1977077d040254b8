/** The details panel: for each person the path in words and picture, and a minute of plots. */
import { h, setText } from "../dom.js";
import { formatBitrate, formatMilliseconds, formatPercent } from "../format.js";
import { PathPicture } from "./pathpicture.js";
import { Plot } from "./plot.js";
import { Way, layerInWords } from "./way.js";

/** @typedef {import("../peer.js").PeerLink} PeerLink */
/** @typedef {import("../stats.js").Monitor} Monitor */

export class Details {
  #empty = h("p", { class: "panel-empty" }, "Nobody else is here yet. As soon as someone is, this shows how the connection to them is doing.");
  #list = h("div", { class: "details-list" }, this.#empty);
  #way;
  #room;
  element;
  /** @type {Map<string, Person>} */
  #people = new Map();

  /** @param {import("../room.js").Room} room */
  constructor(room) {
    this.#room = room;
    this.#way = new Way(room);
    this.element = h("div", { class: "panel-body", testid: "details-panel" }, this.#way.element, this.#list);
  }

  /** @param {Iterable<{ link: PeerLink, monitor: Monitor }>} entries */
  update(entries) {
    this.#way.update();
    const seen = new Set();
    for (const { link, monitor } of entries) {
      seen.add(link.id);
      let person = this.#people.get(link.id);
      if (!person) {
        person = new Person(link);
        this.#people.set(link.id, person);
        this.#list.append(person.element);
      }
      person.update(link, monitor, layerInWords(this.#room.forwarding.layerOf(link), this.#room.forwarding.estimate));
    }
    for (const [id, person] of this.#people) {
      if (seen.has(id)) continue;
      person.element.remove();
      this.#people.delete(id);
    }
    this.#empty.hidden = this.#people.size > 0;
  }
}

class Person {
  #path = new PathPicture();
  #bitrate = new Plot({ label: "Received, sent", format: formatBitrate, least: 100_000 });
  #roundTrip = new Plot({ label: "Round trip", format: formatMilliseconds, least: 0.05 });
  #loss = new Plot({ label: "Loss", format: formatPercent, least: 0.05 });
  #frames = new Plot({ label: "Frames per second", format: (value) => (value === null ? "–" : String(Math.round(value))), least: 30 });
  #facts = h("p", { class: "details-facts" });
  element;

  /** @param {PeerLink} link */
  constructor(link) {
    this.element = h(
      "section",
      { class: "person-details", testid: "person-details", data: { peer: link.id } },
      h("h3", {}, link.name),
      this.#path.element,
      h("div", { class: "plots" }, this.#bitrate.element, this.#roundTrip.element, this.#loss.element, this.#frames.element),
      this.#facts,
    );
  }

  /**
   * @param {PeerLink} link
   * @param {Monitor} monitor
   * @param {string} layer what of their picture the server gives us, and why
   */
  update(link, monitor, layer) {
    const { history, sample, path } = monitor;
    this.#path.show(path, "you", link.name);
    this.#bitrate.draw([history.map((one) => one.receivedBitrate), history.map((one) => one.sentBitrate)]);
    this.#roundTrip.draw([history.map((one) => one.roundTrip)]);
    this.#loss.draw([history.map((one) => one.loss)]);
    this.#frames.draw([history.map((one) => one.framesPerSecond)]);
    const size = sample?.width ? `${sample.width} × ${sample.height}` : null;
    const facts = [
      stateInWords(link.state),
      size,
      sample?.codec,
      layer,
      path?.local && path.remote ? `${path.local} ↔ ${path.remote}` : null,
      link.restarts > 0 ? `path renewed ${link.restarts} ×` : null,
    ];
    setText(this.#facts, facts.filter(Boolean).join(" · "));
  }
}

/** @param {RTCPeerConnectionState} state */
function stateInWords(state) {
  switch (state) {
    case "connected":
      return "connected";
    case "new":
    case "connecting":
      return "connecting";
    case "disconnected":
      return "interrupted";
    case "failed":
      return "cut off, trying again";
    case "closed":
      return "ended";
  }
}
