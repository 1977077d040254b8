/** Gathering candidates with a throw-away peer connection. */

/**
 * @typedef {object} Gathered
 * @property {RTCIceCandidate[]} candidates
 * @property {{ url: string, code: number, text: string }[]} errors
 */

/** Gathering that takes longer is cut off, ms. */
const PATIENCE = 8_000;

/**
 * @param {RTCConfiguration} configuration
 * @param {(candidate: RTCIceCandidate) => boolean} [enough] ends it early
 * @returns {Promise<Gathered>}
 */
export async function gather(configuration, enough = () => false) {
  const connection = new RTCPeerConnection(configuration);
  /** @type {Gathered} */
  const gathered = { candidates: [], errors: [] };
  try {
    const done = new Promise((resolve) => {
      connection.onicecandidate = ({ candidate }) => {
        if (!candidate || candidate.candidate === "") {
          resolve(undefined);
          return;
        }
        gathered.candidates.push(candidate);
        if (enough(candidate)) resolve(undefined);
      };
      connection.onicecandidateerror = ({ url, errorCode, errorText }) => {
        gathered.errors.push({ url, code: errorCode, text: errorText });
      };
      setTimeout(resolve, PATIENCE);
    });
    connection.createDataChannel("check");
    await connection.setLocalDescription();
    await done;
  } finally {
    connection.close();
  }
  return gathered;
}
