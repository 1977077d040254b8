/** What to do when devices come and go during a call. Pure. */

/** @typedef {import("./devices.js").Device} Device */

/**
 * About one kind of device, after the list has changed: `lost`, if the one in use is gone; `return`, if the one that the
 * person chose is there again while another stands in for it; otherwise `keep`.
 *
 * @param {object} now
 * @param {Device[]} now.devices all of the kind
 * @param {string | undefined} now.current id of the one in use
 * @param {string} now.wanted id of the chosen one, empty if none was chosen
 * @returns {"keep" | "lost" | "return"}
 */
export function afterChange({ devices, current, wanted }) {
  // Without a permission browsers list devices without their ids: that says nothing about ours.
  if (!current || devices.some(({ id }) => id === "")) return "keep";
  if (!devices.some(({ id }) => id === current)) return "lost";
  return wanted !== "" && wanted !== current && devices.some(({ id }) => id === wanted) ? "return" : "keep";
}

/**
 * Where sound goes: the chosen speaker while it is there, the system's own (an empty id) otherwise.
 *
 * @param {Device[]} speakers
 * @param {string} wanted
 */
export function speakerFor(speakers, wanted) {
  return speakers.some(({ id }) => id === wanted) ? wanted : "";
}
