/** What the browser remembers for a person: name, devices, theme. Storage may be blocked; then nothing is kept. */

/** @typedef {"name" | "theme" | "mic" | "camera" | "speaker" | "shortcuts" | "quality"} Setting */

/** @param {Setting} name @returns {string} empty if unset */
export function getSetting(name) {
  try {
    return localStorage.getItem(`twocan.${name}`) ?? "";
  } catch {
    return "";
  }
}

/**
 * @param {Setting} name
 * @param {string} value
 */
export function setSetting(name, value) {
  try {
    localStorage.setItem(`twocan.${name}`, value);
  } catch {
    // Not remembered, then.
  }
}
