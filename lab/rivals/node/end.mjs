// An end of a call in Node, whoever's RTCPeerConnection it is: see ../src/lib.rs for the lines it takes and gives.

import { createInterface } from 'node:readline';

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function pattern(length) {
  return Uint8Array.from({ length }, (_, byte) => (byte * 31) >> 3);
}

export function serve(peer) {
  let channel = null;
  let trickle = true;
  let isOpen = false;

  // The other's is open when it is announced (W3C webrtc-pc §6.1).
  function adopt(made, isTheirs) {
    channel = made;
    channel.binaryType = 'arraybuffer';
    const opened = () => {
      if (!isOpen) say({ open: channel.label });
      isOpen = true;
    };
    channel.onopen = opened;
    channel.onclose = () => say({ closed: 'channel' });
    channel.onmessage = ({ data }) => {
      if (typeof data === 'string') {
        say({ text: data });
        return;
      }
      const bytes = new Uint8Array(data.buffer ?? data, data.byteOffset ?? 0, data.byteLength);
      const wanted = pattern(bytes.length);
      say({ bytes: bytes.length, good: bytes.every((byte, index) => byte === wanted[index]) });
    };
    if (isTheirs || channel.readyState === 'open') opened();
  }

  async function describe(description) {
    await peer.setLocalDescription(description);
    if (!trickle) {
      while (peer.iceGatheringState !== 'complete') await new Promise((go) => setTimeout(go, 5));
    }
    const { type, sdp } = peer.localDescription;
    say({ description: { type, sdp } });
  }

  const operations = {
    begin: (begin) => {
      trickle = begin.trickle;
    },
    offer: async (label) => {
      adopt(peer.createDataChannel(label), false);
      await describe(await peer.createOffer());
    },
    description: async (description) => {
      await peer.setRemoteDescription(description);
      if (description.type === 'offer') await describe(await peer.createAnswer());
    },
    candidate: async (candidate) => {
      if (!candidate) return;
      // libdatachannel makes its ICE on another thread, which a quick answer's candidates may overtake.
      for (let tries = 0; tries < 250; tries += 1) {
        try {
          return await peer.addIceCandidate(candidate);
        } catch (error) {
          if (error.name !== 'NotFoundError') throw error;
          await new Promise((go) => setTimeout(go, 20));
        }
      }
      await peer.addIceCandidate(candidate);
    },
    text: (text) => channel.send(text),
    bytes: (length) => channel.send(pattern(length)),
    close: (what) => (what === 'channel' ? channel.close() : peer.close()),
  };

  peer.ondatachannel = ({ channel: theirs }) => adopt(theirs, true);
  peer.onicecandidate = ({ candidate }) => {
    if (!trickle) return;
    const { candidate: text, sdpMid, sdpMLineIndex } = candidate ?? {};
    say({ candidate: text ? { candidate: text, sdpMid, sdpMLineIndex } : null });
  };
  const told = () => {
    const state = peer.connectionState;
    say(['closed', 'failed', 'disconnected'].includes(state) ? { closed: 'connection' } : { note: state });
  };
  peer.onconnectionstatechange = told;

  const input = createInterface({ input: process.stdin });
  let last = Promise.resolve();
  input.on('line', (text) => {
    const [[what, value]] = Object.entries(JSON.parse(text));
    last = last.then(() => operations[what](value)).catch((error) => say({ error: String(error.stack ?? error) }));
  });
  input.on('close', () => process.exit(0));
}
