//! A chunk of any known type (RFC 9260 §3.2, and the extensions that WebRTC uses).

use super::{
    Abort, CookieAck, CookieEcho, Data, ErrorChunk, ForwardTsn, Heartbeat, HeartbeatAck, IData, IForwardTsn,
    Init, InitAck, Malformed, Pad, RawChunk, ReConfig, Sack, Shutdown, ShutdownAck, ShutdownComplete,
};

/// A chunk of any type, for whoever looks at packets as a whole: tests, traces, fuzzing. The association
/// itself reads chunks by their type.
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the chunk of that name")]
pub enum Chunk<'a> {
    Data(Data<'a>),
    IData(IData<'a>),
    Init(Init),
    InitAck(InitAck<'a>),
    Sack(Sack<'a>),
    Heartbeat(Heartbeat<'a>),
    HeartbeatAck(HeartbeatAck<'a>),
    Abort(Abort<'a>),
    Error(ErrorChunk<'a>),
    Shutdown(Shutdown),
    ShutdownAck(ShutdownAck),
    ShutdownComplete(ShutdownComplete),
    CookieEcho(CookieEcho<'a>),
    CookieAck(CookieAck),
    ForwardTsn(ForwardTsn<'a>),
    IForwardTsn(IForwardTsn<'a>),
    ReConfig(ReConfig<'a>),
    Pad(Pad),
    Unknown(RawChunk<'a>),
}

impl<'a> Chunk<'a> {
    /// Reads the chunk by its type.
    pub fn parse(raw: RawChunk<'a>) -> Result<Self, Malformed> {
        Ok(match raw.kind {
            Data::KIND => Self::Data(Data::parse(raw)?),
            IData::KIND => Self::IData(IData::parse(raw)?),
            Init::KIND => Self::Init(Init::parse(raw)?),
            InitAck::KIND => Self::InitAck(InitAck::parse(raw)?),
            Sack::KIND => Self::Sack(Sack::parse(raw)?),
            Heartbeat::KIND => Self::Heartbeat(Heartbeat::parse(raw)?),
            HeartbeatAck::KIND => Self::HeartbeatAck(HeartbeatAck::parse(raw)?),
            Abort::KIND => Self::Abort(Abort::parse(raw)?),
            ErrorChunk::KIND => Self::Error(ErrorChunk::parse(raw)?),
            Shutdown::KIND => Self::Shutdown(Shutdown::parse(raw)?),
            ShutdownAck::KIND => Self::ShutdownAck(ShutdownAck),
            ShutdownComplete::KIND => Self::ShutdownComplete(ShutdownComplete::parse(raw)?),
            CookieEcho::KIND => Self::CookieEcho(CookieEcho::parse(raw)?),
            CookieAck::KIND => Self::CookieAck(CookieAck),
            ForwardTsn::KIND => Self::ForwardTsn(ForwardTsn::parse(raw)?),
            IForwardTsn::KIND => Self::IForwardTsn(IForwardTsn::parse(raw)?),
            ReConfig::KIND => Self::ReConfig(ReConfig::parse(raw)?),
            Pad::KIND => {
                Self::Pad(Pad { length: u16::try_from(raw.value.len() + 4).map_err(|_| Malformed)? })
            }
            _ => Self::Unknown(raw),
        })
    }
}

impl std::fmt::Debug for Chunk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Data(data) => data.fmt(f),
            Self::IData(data) => data.fmt(f),
            Self::Sack(sack) => sack.fmt(f),
            Self::Abort(abort) => abort.fmt(f),
            Self::Error(error) => error.fmt(f),
            Self::ForwardTsn(forward) => forward.fmt(f),
            Self::IForwardTsn(forward) => forward.fmt(f),
            Self::Init(init) => write!(f, "INIT {:#x} tsn {}", init.initiate_tag, init.initial_tsn),
            Self::InitAck(InitAck { init, .. }) => {
                write!(f, "INIT-ACK {:#x} tsn {}", init.initiate_tag, init.initial_tsn)
            }
            Self::Heartbeat(_) => f.write_str("HEARTBEAT"),
            Self::HeartbeatAck(_) => f.write_str("HEARTBEAT-ACK"),
            Self::Shutdown(shutdown) => write!(f, "SHUTDOWN {}", shutdown.cumulative_tsn_ack),
            Self::ShutdownAck(_) => f.write_str("SHUTDOWN-ACK"),
            Self::ShutdownComplete(_) => f.write_str("SHUTDOWN-COMPLETE"),
            Self::CookieEcho(_) => f.write_str("COOKIE-ECHO"),
            Self::CookieAck(_) => f.write_str("COOKIE-ACK"),
            Self::ReConfig(reconfig) => {
                write!(f, "RE-CONFIG {:?}", reconfig.first)?;
                reconfig.second.iter().try_for_each(|second| write!(f, " {second:?}"))
            }
            Self::Pad(pad) => write!(f, "PAD {}", pad.length),
            Self::Unknown(raw) => write!(f, "chunk {} of {} bytes", raw.kind, raw.value.len()),
        }
    }
}
