//! Everything that can be wrong with what comes in and only drops it (RFC 3711 §3.3).

wire::faults! {
    /// Why a packet was dropped. The caller counts them.
    pub enum Fault {
        /// Not a packet of RTP.
        NotRtp => "srtp_not_rtp",
        /// Not a packet of RTCP.
        NotRtcp => "srtp_not_rtcp",
        /// A packet that has no room for what protection appends.
        Truncated => "srtp_truncated",
        /// A packet that was not sealed with the peer's key, or was changed; or one of a source that wrapped around
        /// more often than could be guessed.
        Forged => "srtp_forged",
        /// A packet that came before, or is too old to tell.
        Replayed => "srtp_replayed",
        /// A packet of a new source, where there are as many as are kept.
        TooManySources => "srtp_too_many_sources",
    }
}
