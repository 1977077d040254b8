/** The files panel. */
import { h } from "../dom.js";

export class FilesPanel {
  element = h("div", { class: "panel-body", testid: "files-panel" });
  /** @param {File[]} _files @param {string} [_peer] */
  send(_files, _peer) {}
  /** @param {() => void} _callback */
  onNews(_callback) {}
  /** @param {() => void} _callback */
  onOffer(_callback) {}
  /** @param {HTMLElement} _element */
  acceptDrops(_element) {}
}
