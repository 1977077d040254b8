/**
 * Whether one TURN address works, shown by use: two peer connections in this page, each allowed nothing but relayed
 * candidates from this one address, and a message across and back.
 */

/** ms */
const PATIENCE = 10_000;

/**
 * @typedef {object} TurnResult
 * @property {boolean} works data went through
 * @property {boolean} allocated a relayed candidate was gathered
 * @property {number | null} roundTrip ms, of the message through the relay and back
 * @property {string} error the browser's words, if any
 */

/**
 * @param {RTCIceServer} server with exactly one URL
 * @returns {Promise<TurnResult>}
 */
export async function tryTurn(server) {
  /** @type {RTCConfiguration} */
  const configuration = { iceServers: [server], iceTransportPolicy: "relay" };
  const one = new RTCPeerConnection(configuration);
  const two = new RTCPeerConnection(configuration);
  /** @type {TurnResult} */
  const result = { works: false, allocated: false, roundTrip: null, error: "" };
  try {
    for (const [from, to] of [[one, two], [two, one]]) {
      from.onicecandidate = ({ candidate }) => {
        if (!candidate) return;
        if (candidate.candidate.includes(" typ relay")) result.allocated = true;
        void to.addIceCandidate(candidate).catch(() => {});
      };
      from.onicecandidateerror = ({ errorCode, errorText }) => {
        result.error ||= `${errorCode} ${errorText}`.trim();
      };
    }
    const channel = one.createDataChannel("check");
    two.ondatachannel = ({ channel: other }) => {
      other.onmessage = ({ data }) => other.send(data);
    };
    const answered = new Promise((resolve) => {
      channel.onopen = () => {
        const sent = performance.now();
        channel.onmessage = () => {
          result.works = true;
          result.roundTrip = performance.now() - sent;
          resolve(undefined);
        };
        channel.send("there and back");
      };
      setTimeout(resolve, PATIENCE);
    });
    const over = new Promise((resolve) => {
      one.onconnectionstatechange = () => {
        if (one.connectionState === "failed") resolve(undefined);
      };
      one.onicegatheringstatechange = () => {
        if (one.iceGatheringState !== "complete") return;
        // Without any relayed candidate nothing can come of it.
        setTimeout(resolve, result.allocated ? PATIENCE : 500);
      };
    });
    // Candidates follow their description, so the other side must know it before they come.
    await one.setLocalDescription();
    if (one.localDescription) await two.setRemoteDescription(one.localDescription);
    await two.setLocalDescription();
    if (two.localDescription) await one.setRemoteDescription(two.localDescription);
    await Promise.race([answered, over]);
  } finally {
    one.close();
    two.close();
  }
  return result;
}
