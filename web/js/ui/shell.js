/** What every page has around its content: the header with its theme switch, the banner, problems and toasts. */
import { append, find, h } from "../dom.js";
import { problem } from "../errors.js";
import { roomNameFrom } from "../names.js";
import { getSetting, setSetting } from "../settings.js";
import { icon, logo } from "./icons.js";

/** @typedef {import("../errors.js").Problem} Problem */
/** @typedef {"none" | "server-gone" | "reconnecting" | "reconnected" | "peer-trouble"} BannerState */

/**
 * Fills the page's `<header id="header">`.
 *
 * @param {...(Node | null)} actions further controls on its right
 * @returns {{ title: HTMLElement }} the place for the room's name
 */
export function header(...actions) {
  const place = find("#header");
  const title = h("div", { class: "bar-title" });
  place.className = "bar";
  append(place, [
    h("a", { class: "brand", href: "/", "aria-label": "twocan, to the start page" }, logo(), h("span", { class: "brand-name" }, "twocan")),
    title,
    h("div", { class: "bar-actions" }, ...actions, themeToggle()),
  ]);
  // A live region has to be there before its first words.
  document.body.append(toasts);
  return { title };
}

function themeToggle() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const button = iconButton({ icon: "theme", label: "Dark colours", testid: "theme-toggle", class: "quiet" });
  const paint = () => button.setAttribute("aria-pressed", String(isDark()));
  button.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    setSetting("theme", theme);
    paint();
  });
  dark.addEventListener("change", () => {
    if (!getSetting("theme")) paint();
  });
  paint();
  return button;
}

/**
 * @param {{ icon: string, label: string, testid?: string, class?: string, shortcut?: string, onclick?: () => void, words?: string }} options
 *   `words`: shown beside the icon
 */
export function iconButton({ icon: name, label, testid, class: extra = "", shortcut, onclick, words }) {
  return h(
    "button",
    {
      type: "button",
      class: `button icon-button ${extra}`,
      testid,
      "aria-label": label,
      "aria-keyshortcuts": shortcut,
      title: shortcut ? `${label} (${shortcut.toUpperCase()})` : label,
      onclick,
    },
    icon(name),
    words ? h("span", { class: "button-words" }, words) : null,
  );
}

/** A live region above the stage that overlays it, so that nothing moves when it comes and goes. */
export class Banner {
  #text = h("span", {});
  element = h("div", { class: "banner", testid: "banner", role: "status", data: { state: "none" } }, this.#text);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {BannerState} state
   * @param {string} text
   * @param {number} [vanish] ms
   */
  set(state, text, vanish) {
    if (this.element.dataset.state === state && this.#text.textContent === text) return;
    clearTimeout(this.#timer);
    this.element.dataset.state = state;
    this.#text.textContent = text;
    if (vanish) this.#timer = setTimeout(() => this.set("none", ""), vanish);
  }

  get state() {
    return this.element.dataset.state;
  }
}

/** Problems with their next step, one card each, until solved or closed. */
export class Problems {
  element = h("div", { class: "problems", role: "alert" });

  /**
   * @param {Problem & { detail?: string }} problem
   * @param {{ action?: { label: string, run: () => void } }} [options] `action`: a way out; the card goes when it is taken
   */
  add({ code, title, text, next, detail }, { action } = {}) {
    this.remove(code);
    const run = () => {
      this.remove(code);
      action?.run();
    };
    const card = h(
      "section",
      { class: "problem", testid: "problem", data: { code } },
      icon("warn"),
      h(
        "div",
        { class: "problem-words" },
        h("h2", {}, title),
        h("p", {}, text),
        h("p", { class: "problem-next" }, next),
        detail ? h("p", { class: "problem-detail" }, detail) : null,
        action ? h("button", { type: "button", class: "button small", onclick: run }, action.label) : null,
      ),
      iconButton({ icon: "close", label: "Close this message", class: "quiet", onclick: () => this.remove(code) }),
    );
    this.element.append(card);
  }

  /**
   * Shows it once while it lasts.
   *
   * @param {Problem & { detail?: string }} problem
   * @param {boolean} there
   */
  toggle(problem, there) {
    const shown = [...this.element.children].some((card) => /** @type {HTMLElement} */ (card).dataset.code === problem.code);
    if (there && !shown) this.add(problem);
    else if (!there && shown) this.remove(problem.code);
  }

  /** @param {...string} codes */
  remove(...codes) {
    for (const card of [...this.element.children]) {
      if (codes.includes(/** @type {HTMLElement} */ (card).dataset.code ?? "")) card.remove();
    }
  }

  clear() {
    this.element.replaceChildren();
  }
}

/**
 * What a room meets on its own, shown while it lasts.
 *
 * @param {Problems} problems
 * @param {import("../room.js").Room} room
 */
export function watchRoomProblems(problems, room) {
  room.on("change", () => {
    const { trouble, forwarding } = room;
    for (const code of /** @type {const} */ (["server-gone", "server-full"])) problems.toggle(problem(code), code === trouble);
    const refused = forwarding.refusal && (forwarding.refusal.code === "server_full" ? "media-full" : "media-refused");
    for (const code of /** @type {const} */ (["media-full", "media-refused"])) {
      problems.toggle(problem(code, forwarding.refusal?.message), code === refused);
    }
  });
  room.on("taken-over", () => problems.add(problem("taken-over")));
}

/**
 * What to do instead of opening a room whose name cannot be one.
 *
 * @param {string} name
 */
export function wayOut(name) {
  const better = roomNameFrom(name);
  const [, kind] = location.pathname.split("/");
  return better === ""
    ? { label: "To the start page", run: () => location.assign("/") }
    : { label: `Open “${better}” instead`, run: () => location.assign(`/${kind}/${better}${location.search}`) };
}

/** Short news at the screen's edge. */
const toasts = h("div", { class: "toasts", role: "status" });

/** @param {string} text */
export function toast(text) {
  const note = h("div", { class: "toast" }, text);
  toasts.append(note);
  setTimeout(() => note.remove(), 4_000);
}

/**
 * Copies, and says so.
 *
 * @param {string} text
 * @param {string} what e.g. "Link"
 */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied`);
  } catch {
    toast(`Copying was refused. The ${what.toLowerCase()}: ${text}`);
  }
}

/**
 * @param {string} url
 * @param {string} title
 */
export async function share(url, title) {
  if (!navigator.share) return copy(url, "Link");
  try {
    await navigator.share({ url, title });
  } catch {
    // Changed their mind.
  }
}

/**
 * @param {HTMLButtonElement} button
 * @param {boolean} on
 * @param {"mic" | "camera"} name
 */
export function press(button, on, name) {
  if (button.getAttribute("aria-pressed") === String(on)) return;
  button.setAttribute("aria-pressed", String(on));
  button.classList.toggle("off", !on);
  button.querySelector("svg")?.replaceWith(icon(on ? name : `${name}-off`));
}
