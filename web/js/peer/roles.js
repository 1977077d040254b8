/**
 * Keeping the DTLS roles of a connection through ICE restarts (RFC 8842 §5.5: while the DTLS association stays, so do
 * the roles). Pure.
 *
 * Firefox, once it is the DTLS server, answers an ICE restart that is offered with `a=setup:actpass` as `active` all the
 * same, and Chromium rightly refuses to swap the roles ("Failed to set SSL role"). An offer that names the role which its
 * sender has anyway leaves no choice, so the receiver writes that into the offer before it applies it.
 */

/** @typedef {"active" | "passive"} Role */

/**
 * The role that an answer chose for its sender.
 *
 * @param {string | undefined} sdp
 * @returns {Role | null}
 */
export function answeredRole(sdp) {
  const role = /^a=setup:(active|passive)\s*$/m.exec(sdp ?? "")?.[1];
  return role === "active" || role === "passive" ? role : null;
}

/** @param {Role | null} role @returns {Role | null} the other side's */
export function opposite(role) {
  if (role === null) return null;
  return role === "active" ? "passive" : "active";
}

/**
 * @param {RTCSessionDescriptionInit} description
 * @param {Role | null} senders the role that its sender has, null before the first exchange
 * @returns {RTCSessionDescriptionInit}
 */
export function withRole(description, senders) {
  if (description.type !== "offer" || senders === null || !description.sdp) return description;
  return { type: "offer", sdp: description.sdp.replace(/^a=setup:actpass(\s*)$/gm, `a=setup:${senders}$1`) };
}
