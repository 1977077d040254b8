/** Cameras, microphones, speakers and screens of this machine. */

/** @typedef {{ id: string, label: string }} Device */
/** @typedef {{ microphones: Device[], cameras: Device[], speakers: Device[] }} Devices */

/** @returns {boolean} false on plain HTTP away from localhost, and in very old browsers */
export function mediaAvailable() {
  return Boolean(navigator.mediaDevices?.getUserMedia);
}

export function screenAvailable() {
  return Boolean(navigator.mediaDevices && "getDisplayMedia" in navigator.mediaDevices);
}

export function speakerChoiceAvailable() {
  return "setSinkId" in HTMLMediaElement.prototype;
}

/** Some browsers show a list of speakers of their own instead of telling the page. */
export function chooseSpeakerAvailable() {
  return mediaAvailable() && "selectAudioOutput" in navigator.mediaDevices;
}

/** Must be called from a click. @returns {Promise<string | null>} its id; null if the person changed their mind */
export async function chooseSpeaker() {
  try {
    return (await /** @type {any} */ (navigator.mediaDevices).selectAudioOutput()).deviceId;
  } catch {
    return null;
  }
}

/** Labels are empty until a permission was given. @returns {Promise<Devices>} */
export async function listDevices() {
  /** @type {Devices} */
  const devices = { microphones: [], cameras: [], speakers: [] };
  if (!mediaAvailable()) return devices;
  const lists = { audioinput: devices.microphones, videoinput: devices.cameras, audiooutput: devices.speakers };
  const words = { audioinput: "Microphone", videoinput: "Camera", audiooutput: "Speaker" };
  for (const { kind, deviceId, label } of await navigator.mediaDevices.enumerateDevices()) {
    const list = lists[kind];
    list.push({ id: deviceId, label: label || `${words[kind]} ${list.length + 1}` });
  }
  return devices;
}

/**
 * @param {string} id empty: whichever
 * @param {{ exactly?: boolean }} [options] `exactly`: this one or none
 * @returns {Promise<MediaStreamTrack>}
 */
export async function openCamera(id, options) {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { ...wanted(id, options), width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
  });
  const [track] = stream.getVideoTracks();
  track.contentHint = "motion";
  return track;
}

/**
 * @param {string} id empty: whichever
 * @param {{ exactly?: boolean }} [options] `exactly`: this one or none
 * @returns {Promise<MediaStreamTrack>}
 */
export async function openMicrophone(id, options) {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { ...wanted(id, options), echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  });
  return stream.getAudioTracks()[0];
}

/** Must be called from a click. @returns {Promise<{ screen: MediaStreamTrack, sound: MediaStreamTrack | null }>} */
export async function openScreen() {
  const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 30 } }, audio: true });
  const [screen] = stream.getVideoTracks();
  screen.contentHint = "detail";
  return { screen, sound: stream.getAudioTracks()[0] ?? null };
}

/**
 * A remembered device may be gone: then another will do, unless it has just been asked for.
 *
 * @param {string} id
 * @param {{ exactly?: boolean }} [options]
 * @returns {MediaTrackConstraints}
 */
function wanted(id, { exactly = false } = {}) {
  if (!id) return {};
  return { deviceId: exactly ? { exact: id } : { ideal: id } };
}
