//! WebRTC data channels over an association (RFC 8831, RFC 8832).

mod data_channels;
mod incoming;
mod open_message;

pub use data_channels::{
    Channel, ChannelCounts, ChannelError, ChannelEvent, ChannelId, ChannelMessage, ChannelOptions,
    ChannelState, ChannelStats, DataChannels, Kind, Role,
};

/// Payload protocol identifiers (RFC 8831 §8).
mod ppid {
    pub(super) const DCEP: u32 = 50;
    pub(super) const STRING: u32 = 51;
    /// Deprecated, still understood.
    pub(super) const BINARY_PARTIAL: u32 = 52;
    pub(super) const BINARY: u32 = 53;
    /// Deprecated, still understood.
    pub(super) const STRING_PARTIAL: u32 = 54;
    pub(super) const STRING_EMPTY: u32 = 56;
    pub(super) const BINARY_EMPTY: u32 = 57;
}
