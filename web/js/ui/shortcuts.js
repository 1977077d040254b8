/**
 * Single-letter shortcuts that stay out of the way of typing and of the browser's own, and can be switched off: who speaks
 * to their computer would set them off with every word (WCAG 2.1.4).
 */
import { getSetting, setSetting } from "../settings.js";

export function shortcutsOn() {
  return getSetting("shortcuts") !== "off";
}

/** @param {boolean} on */
export function switchShortcuts(on) {
  setSetting("shortcuts", on ? "" : "off");
}

/**
 * @param {Record<string, () => void>} keys by `KeyboardEvent.key`, lower case
 * @returns {() => void} stops listening
 */
export function shortcuts(keys) {
  /** @param {KeyboardEvent} event */
  const listener = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
    const target = event.target;
    if (event.key !== "Escape" && target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]")) return;
    const run = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!run || (event.key.length === 1 && !shortcutsOn())) return;
    event.preventDefault();
    run();
  };
  addEventListener("keydown", listener);
  return () => removeEventListener("keydown", listener);
}
