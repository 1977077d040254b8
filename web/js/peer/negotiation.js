/**
 * Perfect negotiation (W3C webrtc-pc §10.7) around one RTCPeerConnection.
 *
 * Incoming signals are handled strictly one after the other. The side that waits for the first offer stays silent
 * until then: it has nothing to ask for that the offer would not bring.
 */

import { answeredRole, opposite, withRole } from "./roles.js";

/** @typedef {import("../types.js").SignalData} SignalData */

export class Negotiation {
  #makingOffer = false;
  #ignoringOffer = false;
  #settingAnswer = false;
  /** The other side's DTLS role, once negotiated. @type {import("./roles.js").Role | null} */
  #remoteRole = null;
  /** @type {Promise<void>} */
  #queue = Promise.resolve();

  /**
   * @param {object} options
   * @param {RTCPeerConnection} options.connection
   * @param {boolean} options.polite gives way when both offer at once
   * @param {boolean} options.initiator makes the first offer
   * @param {(data: Pick<SignalData, "description" | "candidate">) => void} options.send
   * @param {() => void} options.onOffer an offer has been set and is about to be answered
   * @param {(error: unknown) => void} options.onError
   * @param {() => boolean} [options.ready] whether the other side can be told of an offer yet
   */
  constructor({ connection, polite, initiator, send, onOffer, onError, ready = () => true }) {
    this.connection = connection;
    this.polite = polite;
    this.initiator = initiator;
    this.send = send;
    this.onOffer = onOffer;
    this.onError = onError;
    this.ready = ready;
    /** Finished offer/answer exchanges. */
    this.negotiations = 0;

    connection.onnegotiationneeded = () => this.#offer();
    connection.onicecandidate = ({ candidate }) => this.send({ candidate: candidate ? candidate.toJSON() : null });
  }

  async #offer() {
    const { connection } = this;
    if (!this.ready() || (!this.initiator && !connection.remoteDescription)) return;
    try {
      this.#makingOffer = true;
      await connection.setLocalDescription();
      if (connection.localDescription) this.send({ description: connection.localDescription.toJSON() });
    } catch (error) {
      this.onError(error);
    } finally {
      this.#makingOffer = false;
    }
  }

  /** The other side can be told now: makes the first offer, or repeats it. */
  begin() {
    if (!this.initiator || this.connection.remoteDescription || this.#makingOffer) return;
    if (this.connection.signalingState === "have-local-offer") this.repeatOffer();
    else void this.#offer();
  }

  /** Signals may have been lost with the server: repeat an offer that still waits for its answer. */
  repeatOffer() {
    const { connection } = this;
    if (connection.signalingState === "have-local-offer" && connection.localDescription) {
      this.send({ description: connection.localDescription.toJSON() });
    }
  }

  /** @param {SignalData} data */
  handle(data) {
    this.#queue = this.#queue.then(async () => {
      if (this.connection.signalingState === "closed") return;
      try {
        if (data.description) await this.#handleDescription(data.description);
        else if (data.candidate !== undefined) await this.#handleCandidate(data.candidate);
      } catch (error) {
        this.onError(error);
      }
    });
  }

  /** @param {RTCSessionDescriptionInit} description */
  async #handleDescription(description) {
    const { connection } = this;
    const readyForOffer =
      !this.#makingOffer && (connection.signalingState === "stable" || this.#settingAnswer);
    const collision = description.type === "offer" && !readyForOffer;
    this.#ignoringOffer = !this.polite && collision;
    if (this.#ignoringOffer) return;
    if (description.type === "answer" && connection.signalingState !== "have-local-offer") return;

    this.#settingAnswer = description.type === "answer";
    try {
      await connection.setRemoteDescription(withRole(description, this.#remoteRole));
    } finally {
      this.#settingAnswer = false;
    }
    if (description.type === "answer") this.#remoteRole = answeredRole(description.sdp);
    if (description.type === "offer") {
      this.onOffer();
      await connection.setLocalDescription();
      this.#remoteRole = opposite(answeredRole(connection.localDescription?.sdp));
      if (connection.localDescription) this.send({ description: connection.localDescription.toJSON() });
    }
    this.negotiations += 1;
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  async #handleCandidate(candidate) {
    if (!this.connection.remoteDescription) return;
    try {
      await this.connection.addIceCandidate(candidate ?? undefined);
    } catch (error) {
      if (!this.#ignoringOffer) throw error;
    }
  }
}
