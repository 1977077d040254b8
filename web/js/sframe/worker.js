/**
 * Encrypts and decrypts what goes through an `RTCRtpScriptTransform` (WebRTC Encoded Transform). A worker, because only
 * there transforms run. All senders of a page share one number and one counter (RFC 9605 §9.1), so one worker serves all
 * its transforms; their options are `{ direction: "send" | "receive", codec }`, the codec for browsers whose frames do not
 * say theirs.
 *
 * Until it was told a key, and whenever something is wrong, a frame is dropped: none passes in the clear.
 */

import { newKid, Receiver, Sender, SUITES } from "../sframe.js";
import { decryptFrame, encryptFrame } from "./frames.js";

/** @typedef {{ direction: "send" | "receive", codec?: string }} Options */
/** @typedef {{ action: "share", baseKey: Uint8Array<ArrayBuffer> }} Share a key that all in a room share */
/** @typedef {{ action: "count" }} Count asks for `{ sent, received, dropped }`: frames, and of each fault how many */

const SUITE = SUITES.AES_256_GCM_SHA512_128;

/** @type {Sender | null} */
let sender = null;
const receiver = new Receiver(SUITE);
/** @type {{ sent: number, received: number, dropped: Record<string, number> }} */
const counts = { sent: 0, received: 0, dropped: {} };

globalThis.onmessage = async (/** @type {MessageEvent<Share | Count>} */ { data }) => {
  switch (data.action) {
    case "share":
      receiver.setSharedKey(data.baseKey);
      sender = await Sender.of(SUITE, newKid(), data.baseKey);
      postMessage({ action: "shared" });
      break;
    case "count":
      postMessage({ action: "counted", ...counts });
      break;
  }
};

globalThis.onrtctransform = (/** @type {RTCTransformEvent} */ event) => {
  const { readable, writable } = event.transformer;
  const options = /** @type {Options} */ (event.transformer.options);
  const transform = options.direction === "send" ? send : receive;
  /** @type {Transformer<EncodedFrame, EncodedFrame>} */
  const transformer = {
    async transform(frame, controller) {
      const codec = frame.getMetadata().mimeType ?? options.codec ?? "";
      try {
        const data = await transform(codec, new Uint8Array(frame.data));
        if (!data) return drop("not-encrypted");
        frame.data = data.buffer;
        controller.enqueue(frame);
      } catch (error) {
        drop(error instanceof Error && "kind" in error ? String(error.kind) : String(error));
      }
    },
  };
  readable.pipeThrough(new TransformStream(transformer)).pipeTo(writable).catch(() => {
    // The track has ended, or its connection.
  });
};

/**
 * @param {string} codec
 * @param {Uint8Array<ArrayBuffer>} frame
 */
async function send(codec, frame) {
  const encrypted = sender && (await encryptFrame(sender, codec, frame));
  if (encrypted) counts.sent += 1;
  return encrypted;
}

/**
 * @param {string} codec
 * @param {Uint8Array<ArrayBuffer>} frame
 */
async function receive(codec, frame) {
  const plain = await decryptFrame(receiver, codec, frame);
  counts.received += 1;
  return plain;
}

/** @param {string} why */
function drop(why) {
  counts.dropped[why] = (counts.dropped[why] ?? 0) + 1;
}
