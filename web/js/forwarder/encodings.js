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
 * What is asked for in a seat: one profile of each codec that is sent in calls, as a description with all of them is twice as
 * long, and there are as many seats as people.
 *
 * @template {{ mimeType: string, sdpFmtpLine?: string }} Codec
 * @param {Codec[]} all that this browser has
 * @returns {Codec[]}
 */
export function seatCodecs(all) {
  const wanted = /** @type {Record<string, (line: string) => boolean>} */ ({
    "audio/opus": () => true,
    "video/rtx": () => true,
    "video/vp8": () => true,
    "video/vp9": (line) => !/profile-id=[1-9]/.test(line),
    "video/av1": (line) => !/profile=[1-9]/.test(line),
    "video/h264": (line) => /packetization-mode=1/.test(line) && /profile-level-id=42/i.test(line),
  });
  return all.filter(({ mimeType, sdpFmtpLine }) => wanted[mimeType.toLowerCase()]?.(sdpFmtpLine ?? "") ?? false);
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
