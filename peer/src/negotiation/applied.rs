//! Descriptions in force or proposed, which are kept as long as their connection is.

use std::sync::Arc;

use sdp::{Description, Origin};

use super::folded::Folded;
use crate::description::SdpType;

/// A description, with what it was sent or received as.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub(crate) kind: SdpType,
    text: Folded,
    /// Taken apart it takes several times as much, and most connections never need it again.
    read: Option<Arc<Description>>,
}

impl Applied {
    /// `text` is what the description was read from, or was written as.
    pub(super) fn new(kind: SdpType, text: &str, description: Arc<Description>) -> Self {
        Self { kind, text: Folded::new(text), read: Some(description) }
    }

    pub(crate) fn description(&self) -> Arc<Description> {
        match &self.read {
            Some(description) => Arc::clone(description),
            // It was read as what it was.
            None => Arc::new(self.text().parse().unwrap_or_else(|_| Description::new(Origin::new(0)))),
        }
    }

    pub(crate) fn text(&self) -> String {
        self.text.text()
    }

    /// It will hardly be needed soon.
    pub(super) fn fold(&mut self) {
        self.read = None;
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
        self.current.iter_mut().for_each(|one| one.read = Some(one.description()));
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
        let mut applied = Applied::new(SdpType::Offer, text, Arc::clone(&description));
        applied.fold();
        applied.fold();
        assert!(applied.read.is_none());
        assert_eq!((applied.text().as_str(), applied.description()), (text, description));
        let mut side = Side { current: Some(applied), pending: None };
        side.unfold();
        assert!(side.latest().unwrap().read.is_some());
    }
}
