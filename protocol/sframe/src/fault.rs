//! Everything that can be wrong with what comes in and only drops it (RFC 9605 §4.4.4).

wire::faults! {
    /// Why a frame was dropped. The caller counts them.
    pub enum Fault {
        /// Not an encrypted frame, or one that is cut.
        Truncated => "sframe_truncated",
        /// There is no key of this number, so far.
        UnknownKey => "sframe_unknown_key",
        /// A frame that was not encrypted with this key, or was changed, or has other metadata.
        Forged => "sframe_forged",
        /// A frame that came before, or is too old to tell.
        Replayed => "sframe_replayed",
        /// A frame with a new key, where there are as many as are kept.
        TooManyKeys => "sframe_too_many_keys",
    }
}
