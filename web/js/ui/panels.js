/** The panel beside the stage (over it, on a phone): chat, files or details, one at a time. */
import { h, setText, show } from "../dom.js";
import { iconButton } from "./shell.js";

/**
 * @typedef {object} Panel
 * @property {string} title
 * @property {HTMLElement} element
 * @property {HTMLButtonElement} button its switch in the controls
 * @property {() => void} [onOpen]
 */

export class Panels {
  #title = h("h2", {});
  #body = h("div", { class: "side-body" });
  element = h(
    "aside",
    { class: "side", hidden: true },
    h("header", { class: "side-head" }, this.#title, iconButton({ icon: "close", label: "Close panel", class: "quiet", onclick: () => this.open(null) })),
    this.#body,
  );
  /** @type {Map<string, Panel & { badge: HTMLElement, news: number }>} */
  #panels = new Map();
  /** @type {string | null} */
  current = null;

  /**
   * @param {string} name
   * @param {Panel} panel
   */
  add(name, panel) {
    const badge = h("span", { class: "badge", hidden: true });
    panel.button.append(badge);
    panel.button.setAttribute("aria-expanded", "false");
    panel.button.addEventListener("click", () => this.toggle(name));
    panel.element.hidden = true;
    this.#body.append(panel.element);
    this.#panels.set(name, { ...panel, badge, news: 0 });
  }

  /** @param {string} name */
  toggle(name) {
    this.open(this.current === name ? null : name);
  }

  /** @param {string | null} name */
  open(name) {
    const before = this.current;
    this.current = name;
    for (const [key, panel] of this.#panels) {
      const open = key === name;
      show(panel.element, open);
      panel.button.setAttribute("aria-expanded", String(open));
      if (!open) continue;
      setText(this.#title, panel.title);
      this.element.setAttribute("aria-label", panel.title);
      panel.news = 0;
      show(panel.badge, false);
    }
    show(this.element, name !== null);
    if (name) this.#panels.get(name)?.onOpen?.();
    else if (before) this.#panels.get(before)?.button.focus();
  }

  /** Something happened in a panel: count it on its button unless it is open. @param {string} name */
  note(name) {
    const panel = this.#panels.get(name);
    if (!panel || this.current === name) return;
    panel.news += 1;
    setText(panel.badge, panel.news > 9 ? "9+" : String(panel.news));
    panel.badge.setAttribute("aria-label", `${panel.news} new`);
    show(panel.badge, true);
  }
}
