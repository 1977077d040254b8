/**
 * The shapes that several modules share. Types only: nothing here runs.
 *
 * @typedef {"call" | "live" | "send" | "lobby"} RoomKind
 *
 * @typedef {object} PeerInfo  a peer as the server describes it (docs/signaling.md)
 * @property {string} id
 * @property {string} name
 * @property {Record<string, unknown>} [presence]
 * @property {"streamer" | "viewer"} [role]
 *
 * @typedef {object} JoinRequest
 * @property {string} [room]
 * @property {string} name
 * @property {RoomKind} [kind]
 * @property {"streamer" | "viewer"} [role]
 * @property {string} [password]
 * @property {string} [invitation]
 *
 * @typedef {object} Joined
 * @property {"joined"} type
 * @property {string} peer
 * @property {string} room
 * @property {RoomKind} kind
 * @property {"streamer" | "viewer"} [role]
 * @property {PeerInfo[]} peers
 * @property {number} capacity
 * @property {string} token
 * @property {number} grace
 * @property {boolean} resumed
 * @property {number} received
 * @property {RTCIceServer[]} ice_servers
 * @property {number} [audience]
 * @property {boolean} [locked]
 * @property {{ mode: "p2p" | "sfu", policy: "auto" | "p2p" | "sfu" }} [topology]  absent: the server forwards no media
 *
 * @typedef {object} MediaState  what a person sends just now
 * @property {boolean} mic
 * @property {boolean} camera
 * @property {boolean} screen
 * @property {boolean} [hand]  raised
 *
 * @typedef {object} SignalData  what we put into `signal.data`
 * @property {string} connection  the sender's own peer connection: a random word
 * @property {string} [to]  the receiver's, as far as the sender knows it
 * @property {RTCSessionDescriptionInit} [description]
 * @property {RTCIceCandidateInit | null} [candidate]
 * @property {boolean} [restart]
 * @property {{ role: "send" | "receive" | "drop" }} [hello]  sealed rooms: who is there, before anything else
 *
 * @typedef {object} Path  the selected candidate pair, in words and in parts
 * @property {string} kind  LOCALTYPE-REMOTETYPE
 * @property {boolean} relayed
 * @property {string} protocol
 * @property {string | null} relayProtocol
 * @property {string | null} local
 * @property {string | null} remote
 * @property {string} words
 * @property {boolean} [server]  it ends at the server, which forwards
 *
 * @typedef {object} Sample  one second of a connection
 * @property {number | null} sentBitrate  bit/s
 * @property {number | null} receivedBitrate  bit/s
 * @property {number | null} roundTrip  seconds
 * @property {number | null} loss  0 to 1
 * @property {number | null} framesPerSecond
 * @property {number | null} width
 * @property {number | null} height
 * @property {number | null} framesDecoded
 * @property {number | null} framesReceived
 * @property {number | null} freezes
 * @property {number | null} bufferDelay  seconds that received media waits in the jitter buffer
 * @property {string | null} codec
 */

export {};
