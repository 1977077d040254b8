/** Single-letter shortcuts that stay out of the way of typing and of the browser's own. */

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
    if (!run) return;
    event.preventDefault();
    run();
  };
  addEventListener("keydown", listener);
  return () => removeEventListener("keydown", listener);
}
