//! Descriptions in force or proposed, which are kept as long as their connection is.

use std::sync::Arc;

use sdp::{Description, Origin};

use crate::description::SdpType;

/// A description, with what it was sent or received as.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub(crate) kind: SdpType,
    kept: Kept,
}

#[derive(Clone, Debug)]
enum Kept {
    Read(Arc<Description>),
    /// Its text takes a fraction of what it takes taken apart, and most connections never need it again.
    Text(Box<str>),
}

impl Applied {
    pub(super) fn new(kind: SdpType, description: Arc<Description>) -> Self {
        Self { kind, kept: Kept::Read(description) }
    }

    pub(crate) fn description(&self) -> Arc<Description> {
        match &self.kept {
            Kept::Read(description) => Arc::clone(description),
            // What was written here is read as what it was.
            Kept::Text(text) => Arc::new(text.parse().unwrap_or_else(|_| Description::new(Origin::new(0)))),
        }
    }

    pub(crate) fn text(&self) -> String {
        match &self.kept {
            Kept::Read(description) => description.to_string(),
            Kept::Text(text) => text.to_string(),
        }
    }

    /// It will hardly be needed soon.
    pub(super) fn fold(&mut self) {
        if let Kept::Read(description) = &self.kept {
            self.kept = Kept::Text(description.to_string().into());
        }
    }
}

/// One side's descriptions.
#[derive(Debug, Default)]
pub(crate) struct Side {
    pub(crate) current: Option<Applied>,
    pub(crate) pending: Option<Applied>,
}

impl Side {
    /// The one that counts: pending before current.
    pub(crate) fn latest(&self) -> Option<&Applied> {
        self.pending.as_ref().or(self.current.as_ref())
    }

    /// Whatever is in force is kept as text.
    pub(super) fn fold(&mut self) {
        self.current.iter_mut().for_each(Applied::fold);
    }

    /// It will be needed more than once now.
    pub(super) fn unfold(&mut self) {
        self.current.iter_mut().for_each(|one| one.kept = Kept::Read(one.description()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_folded_says_the_same() {
        let text = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
            m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtpmap:96 VP8/90000\r\n\
            a=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=something:else\r\n";
        let description: Arc<Description> = Arc::new(text.parse().unwrap());
        let mut applied = Applied::new(SdpType::Offer, Arc::clone(&description));
        let before = applied.text();
        applied.fold();
        applied.fold();
        assert!(matches!(applied.kept, Kept::Text(_)));
        assert_eq!((applied.text(), applied.description()), (before, description));
        let mut side = Side { current: Some(applied), pending: None };
        side.unfold();
        assert!(matches!(side.latest().unwrap().kept, Kept::Read(_)));
    }
}
