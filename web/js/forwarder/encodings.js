/**
 * In which qualities a camera goes to the server, which forwards to each person the one that fits them: three sizes of the
 * picture (simulcast), or one stream with three layers in it (SVC) where the codec has such. What nobody watches is not sent.
 */

/** The codecs of pictures that can be asked for, and how the camera's layers are made. */
const LAYERED = new Set(["vp9", "av1"]);

/** bit/s */
const SIZES = Object.freeze([
  { rid: "l", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "m", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: "h", scaleResolutionDownBy: 1, maxBitrate: 1_700_000 },
]);
/** Text has to stay sharp. */
const SCREEN = Object.freeze({ maxBitrate: 2_500_000 });

/** @param {string} codec as in `?codec=`: vp8, h264, vp9 or av1 @returns {RTCRtpEncodingParameters[]} */
export function cameraEncodings(codec) {
  if (!LAYERED.has(codec)) return SIZES.map((size) => ({ ...size }));
  const layered = { scalabilityMode: "L3T3_KEY", maxBitrate: 2_000_000 };
  return [/** @type {RTCRtpEncodingParameters} */ (layered)];
}

/** @returns {RTCRtpEncodingParameters[]} */
export function screenEncodings() {
  return [{ ...SCREEN }];
}

/**
 * The codecs in the order of our wish: one first, and what repairs it.
 *
 * @template {{ mimeType: string }} Codec
 * @param {Codec[]} all that this browser has
 * @param {string} wanted
 * @returns {Codec[]} empty if it has not that one
 */
export function onlyCodec(all, wanted) {
  const name = (/** @type {Codec} */ codec) => codec.mimeType.toLowerCase().replace(/^(video|audio)\//, "");
  if (!all.some((codec) => name(codec) === wanted)) return [];
  return all.filter((codec) => name(codec) === wanted || name(codec) === "rtx");
}

/**
 * Switches on what somebody watches and off what nobody does.
 *
 * @param {RTCRtpSender} sender
 * @param {readonly boolean[]} wanted lowest quality first
 * @returns {Promise<boolean>} false if the browser refused, as it does while something else changes
 */
export async function sendWanted(sender, wanted) {
  const parameters = sender.getParameters();
  const { encodings } = parameters;
  if (!encodings || encodings.length === 0) return true;
  const active = encodings.map((_, index) => wanted[index] ?? true);
  if (encodings.every((encoding, index) => (encoding.active ?? true) === active[index])) return true;
  encodings.forEach((encoding, index) => (encoding.active = active[index]));
  return sender.setParameters(parameters).then(
    () => true,
    () => false,
  );
}
