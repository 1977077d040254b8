/** `/`: name a room, get its link. */
import { find, h, svg } from "../dom.js";
import { randomRoomName, roomNameFrom } from "../names.js";
import { icon } from "../ui/icons.js";
import { copy, header, share } from "../ui/shell.js";

header();
const name = h("input", {
  testid: "room-name",
  id: "room-name",
  maxLength: 64,
  placeholder: "tea-with-ada",
  autocomplete: "off",
  spellcheck: false,
  value: randomRoomName(),
  oninput: () => showLink(),
});
name.setAttribute("autocapitalize", "none");
const link = h("a", { testid: "room-link", class: "room-link" });
const open = h("button", { class: "button primary large", testid: "room-open", type: "submit" }, "Open the room", icon("arrow"));

function currentPath() {
  const room = roomNameFrom(name.value);
  return room === "" ? null : `/r/${encodeURIComponent(room)}`;
}

function showLink() {
  const path = currentPath();
  open.disabled = path === null;
  link.textContent = path ? `${location.host}${path}` : "Type a name first";
  if (path) link.href = path;
  else link.removeAttribute("href");
}

/** @param {(url: string) => void} use */
function withLink(use) {
  const path = currentPath();
  if (path) use(location.origin + path);
}

const form = h(
  "form",
  {
    class: "card start-form",
    onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      const path = currentPath();
      if (path) location.assign(path);
    },
  },
  h("label", { class: "field-title", htmlFor: "room-name" }, "Name your room"),
  h(
    "div",
    { class: "name-row" },
    name,
    h(
      "button",
      {
        type: "button",
        class: "button icon-button",
        testid: "room-random",
        title: "Another random name",
        "aria-label": "Another random name",
        onclick: () => {
          name.value = randomRoomName();
          showLink();
        },
      },
      icon("dice"),
    ),
  ),
  link,
  h(
    "div",
    { class: "row" },
    h("button", { type: "button", class: "button small", testid: "room-copy", onclick: () => withLink((url) => void copy(url, "Link")) }, icon("copy"), "Copy link"),
    h("button", { type: "button", class: "button small", testid: "room-share", onclick: () => withLink((url) => void share(url, "Join me on twocan")) }, icon("share"), "Share"),
  ),
  open,
);

/**
 * @param {string} testid
 * @param {string} href
 * @param {string} picture
 * @param {string} title
 * @param {string} text
 */
function way(testid, href, picture, title, text) {
  return h("a", { class: "way", href, testid }, icon(picture), h("span", { class: "way-title" }, title), h("span", { class: "way-text" }, text));
}

function openLive() {
  return `/live/${randomRoomName()}`;
}

/** The two cans, large; the string trembles a little. */
function picture() {
  /** @param {number} x @param {number} tilt */
  const can = (x, tilt) =>
    svg(
      "g",
      { transform: `translate(${x} 26) rotate(${tilt})` },
      svg("path", { class: "can-body", d: "M-44-34v78c0 10 20 18 44 18s44-8 44-18v-78" }),
      svg("path", { class: "can-ridge", d: "M-44 44c0 10 20 18 44 18s44-8 44-18M-44-20c0 10 20 18 44 18s44-8 44-18" }),
      svg("path", { class: "can-label", d: "M-44-12c0 10 20 18 44 18s44-8 44-18v46c0 10-20 18-44 18s-44-8-44-18z" }),
      svg("path", { class: "can-print", d: "M-28 22c18 7 38 7 56 0M-18 33c12 4 24 4 36 0" }),
      svg("ellipse", { class: "can-top", cx: 0, cy: -34, rx: 44, ry: 17 }),
      svg("ellipse", { class: "can-hole", cx: 0, cy: -34, rx: 34, ry: 12 }),
    );
  return svg(
    "svg",
    { viewBox: "0 -40 520 190", class: "start-picture", "aria-hidden": "true", focusable: "false" },
    svg("path", { class: "string big", d: "M92 88C170 168 350 168 428 88" }),
    svg("g", { transform: "translate(0 24)" }, can(66, -12), can(454, 12)),
  );
}

find("main").append(
  h(
    "div",
    { class: "start" },
    h(
      "div",
      { class: "start-words" },
      h("h1", {}, "Two cans and a string, for the whole internet"),
      h("p", { class: "lead" }, "Name a room and send its link. You see and hear each other, share screens, chat and drop files onto the page."),
      h(
        "ul",
        { class: "start-points" },
        h("li", {}, icon("check"), h("span", {}, "Straight between your browsers, encrypted; through a relay only where no direct way exists.")),
        h("li", {}, icon("check"), h("span", {}, "No account, nothing to install, nothing stored.")),
        h("li", {}, icon("check"), h("span", {}, "Once you are connected, the server may vanish: the call goes on.")),
      ),
    ),
    h("div", { class: "start-side" }, picture(), form),
    h(
      "nav",
      { class: "ways", "aria-label": "More" },
      way("link-send", "/send", "files", "Send files", "Any size, disk to disk"),
      way("link-live", openLive(), "live", "Go live", "One shows, many watch"),
      way("link-random", "/random", "dice", "Meet someone", "Talk to a stranger"),
      way("link-check", "/check", "details", "Check your network", "What it lets you do"),
    ),
  ),
);
showLink();
