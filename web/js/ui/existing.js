/** The one question before anything is replaced that was there. */
import { h } from "../dom.js";

/** @typedef {import("../files/places.js").Decision} Decision */

/**
 * Once for all of a batch. Closed without an answer: both are kept, and nothing is lost.
 *
 * @param {string[]} path the first file whose name is taken
 * @param {import("../files/batch.js").Batch} batch
 * @returns {Promise<Decision>}
 */
export function askExisting(path, { name, peerName }) {
  /** @type {Decision} */
  let decision = "keep-both";
  /** @param {Decision} what @param {string} words @param {string} [extra] */
  const button = (what, words, extra = "") =>
    h("button", { type: "button", class: `button ${extra}`, testid: `existing-${what}`, onclick: () => choose(what) }, words);
  const dialog = h(
    "dialog",
    { class: "question", testid: "existing", "aria-labelledby": "existing-title" },
    h("h2", { id: "existing-title" }, "Some of these files are there already"),
    h("p", {}, "The first is ", h("b", {}, path.join("/")), ". What should become of all that ", h("b", {}, name), ` from ${peerName} has in common with this folder?`),
    h("div", { class: "question-answers" }, button("keep-both", "Keep both", "primary"), button("replace", "Replace"), button("skip", "Skip")),
    h("p", { class: "field-help" }, "Keep both: the new ones get a number. Skip: what is there stays, and the new ones are not taken."),
  );
  /** @param {Decision} what */
  const choose = (what) => {
    decision = what;
    dialog.close();
  };
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(decision);
    });
  });
}
