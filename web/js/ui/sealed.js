/** What the pages of rooms that can be sealed have in common: the code behind the `#`, which never reaches the server (docs/security.md). */
import { Keys, newCode, parseCode } from "../code.js";
import { h } from "../dom.js";
import { Ends } from "../sframe/ends.js";
import { icon } from "./icons.js";

/** @returns {boolean} whether this browser can encrypt what a server forwards, and may */
export function canSeal() {
  return window.crypto?.subtle !== undefined && Ends.possible;
}

/**
 * What this page's address says. Another code in it is another room: the page begins anew with it.
 *
 * @returns {Promise<{ keys: Keys | null, wrong: "bad-code" | "unsupported-seal" | "insecure-seal" | null }>} with `wrong`, why
 *   one must not go on: nobody is to believe that a room is sealed which is not
 */
export async function readSeal() {
  addEventListener("hashchange", () => location.reload());
  if (location.hash === "") return { keys: null, wrong: null };
  const code = parseCode(location.hash);
  if (!code) return { keys: null, wrong: "bad-code" };
  if (!canSeal()) return { keys: null, wrong: isSecureContext ? "unsupported-seal" : "insecure-seal" };
  return { keys: await Keys.of(code), wrong: null };
}

/** For the head of the page. */
export function sealMark() {
  return h(
    "span",
    { class: "sealed-mark", testid: "sealed", title: "Encrypted from end to end by the code in the link" },
    icon("lock"),
    h("span", {}, "sealed"),
  );
}

/**
 * A button that seals.
 *
 * @param {string} label
 * @param {string} help
 */
export function sealField(label, help) {
  const seal = () => {
    location.hash = newCode();
  };
  return h(
    "div",
    { class: "field" },
    h("button", { type: "button", class: "button", testid: "seal", onclick: seal }, icon("lock"), label),
    h("p", { class: "field-help" }, help),
  );
}
