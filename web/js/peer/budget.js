/**
 * How much video each of several people may be sent. Congestion control finds out what the path carries; this only
 * keeps a mesh, which sends everything once for each person, from filling a home's uplink and one's processor.
 */

/** All cameras together, bit/s. */
const CAMERA_UPLINK = 3_000_000;
const CAMERA_MOST = 2_500_000;
/** Below this a camera is not worth having. */
const CAMERA_LEAST = 250_000;
/** Text has to stay sharp: a screen gets more. */
const SCREEN_UPLINK = 5_000_000;
const SCREEN_MOST = 2_500_000;
const SCREEN_LEAST = 500_000;

/**
 * @param {number} people how many are sent to
 * @returns {{ camera: number, screen: number }} bit/s for each
 */
export function videoBudget(people) {
  const share = Math.max(1, people);
  return {
    camera: Math.round(Math.max(CAMERA_LEAST, Math.min(CAMERA_MOST, CAMERA_UPLINK / share))),
    screen: Math.round(Math.max(SCREEN_LEAST, Math.min(SCREEN_MOST, SCREEN_UPLINK / share))),
  };
}

/**
 * @param {RTCRtpSender | undefined} sender
 * @param {number} maxBitrate bit/s
 */
export async function limitSender(sender, maxBitrate) {
  const parameters = sender?.getParameters();
  const encoding = parameters?.encodings?.[0];
  if (!sender || !parameters || !encoding || encoding.maxBitrate === maxBitrate) return;
  encoding.maxBitrate = maxBitrate;
  // It may have been stopped, or renegotiated meanwhile; the next change tries again.
  await sender.setParameters(parameters).catch(() => {});
}
