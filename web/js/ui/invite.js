/** The card that asks a lonely person to send the link on. */
import { h } from "../dom.js";
import { icon, logo } from "./icons.js";
import { copy, share } from "./shell.js";

/** @typedef {import("../room.js").Room} Room */

/** The link to a room, without what was only for us. @param {string} path e.g. /r/tea */
export function roomLink(path) {
  return `${location.origin}${path}`;
}

/**
 * Copies the link to a room; for a locked one with an invitation, so that nobody has to be told the password.
 *
 * @param {Room} room
 * @param {string} link
 */
export async function copyRoomLink(room, link) {
  if (!room.joined?.locked) return copy(link, "Link");
  const invitation = await room.invite();
  if (!invitation) return copy(link, "Link");
  return copy(`${link}?invitation=${encodeURIComponent(invitation)}`, "Invitation, good for a day,");
}

/**
 * @param {Room} room
 * @param {string} link
 * @param {string} words
 */
export function inviteCard(room, link, words) {
  return h(
    "div",
    { class: "invite", testid: "invite" },
    logo(),
    h("p", { class: "invite-words" }, words),
    h("input", { class: "invite-link", readOnly: true, value: link, "aria-label": "Link to this room", onfocus: (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).select() }),
    h(
      "div",
      { class: "row" },
      h("button", { type: "button", class: "button primary", testid: "copy-link", onclick: () => void copyRoomLink(room, link) }, icon("copy"), "Copy link"),
      "share" in navigator ? h("button", { type: "button", class: "button", onclick: () => void share(link, "Join me on twocan") }, icon("share"), "Share") : null,
    ),
  );
}
