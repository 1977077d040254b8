/**
 * The fixed layout of a connection's media: four transceivers, always in this order and always negotiated, so that
 * switching something on later is a `replaceTrack` and needs no signaling at all.
 */

/** @typedef {"mic" | "camera" | "screen" | "sound"} Slot  `sound` is what a shared screen plays */

/** @type {readonly { slot: Slot, kind: "audio" | "video" }[]} */
export const SLOTS = [
  { slot: "mic", kind: "audio" },
  { slot: "camera", kind: "video" },
  { slot: "screen", kind: "video" },
  { slot: "sound", kind: "audio" },
];

/** @typedef {"both" | "send" | "receive" | "none"} MediaDirection */

/** @param {MediaDirection} media @returns {RTCRtpTransceiverDirection} */
export function transceiverDirection(media) {
  switch (media) {
    case "both":
      return "sendrecv";
    case "send":
      return "sendonly";
    case "receive":
      return "recvonly";
    case "none":
      return "inactive";
  }
}

/**
 * The transceivers of our slots, in order. They are found by their place in the description, which is the order of
 * `getTransceivers()` on both sides, since only one side creates them.
 *
 * @param {RTCPeerConnection} connection
 * @returns {Partial<Record<Slot, RTCRtpTransceiver>>}
 */
export function transceiversBySlot(connection) {
  /** @type {Partial<Record<Slot, RTCRtpTransceiver>>} */
  const found = {};
  connection.getTransceivers().forEach((transceiver, index) => {
    const slot = SLOTS[index];
    if (slot && transceiver.receiver.track.kind === slot.kind) found[slot.slot] = transceiver;
  });
  return found;
}
