//! One receiver's part of a publication: which layer it is given, and the stream that is made of it (RFC 7667 §3.7).

use std::cmp::Ordering;
use std::time::Instant;

use crate::encoding::Encoding;
use crate::event::{Layer, Why};
use crate::id::{ParticipantId, SubscriptionId};
use crate::rewrite::{Forward, Label, Rewriter};
use crate::seen::{Origin, Seen};
use crate::select::Selector;

/// What a receiver would like to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// How large it shows pictures, width and height in pixels; none: as large as they come.
    pub size: Option<(u16, u16)>,
    /// Higher ones come first where there is not room for all.
    pub priority: u8,
    /// It wants nothing for now.
    pub paused: bool,
}

/// Those of a publication lie one behind the other, and each is looked at for each packet of it: what is needed to see that
/// it is not given the packet comes first, and then what it is given the packet with.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Subscription {
    pub(crate) id: SubscriptionId,
    /// What it gets.
    current: Option<(Origin, Selector)>,
    /// What it is to get: none, nothing.
    pub(crate) granted: Option<Layer>,
    pub(crate) why: Why,
    /// It gets something else than it was told, perhaps.
    has_news: bool,
    /// What came last was left out for all: as after a pause of the sender's it begins again with what comes next.
    is_interrupted: bool,
    pub(crate) label: Label,
    rewriter: Rewriter,
    pub(crate) participant: ParticipantId,
    pub(crate) wish: Wish,
    /// What it would get if all encodings came.
    pub(crate) ideal: Option<Layer>,
    /// It has not been given anything yet, or wishes for something else.
    pub(crate) is_new: bool,
    /// When it began, or began again.
    pub(crate) began: Option<Instant>,
    /// Since when the estimate is enough for more.
    pub(crate) better_since: Option<Instant>,
    /// What its receiver was told.
    told: Option<(Option<Layer>, Why)>,
}

impl Subscription {
    pub(crate) fn new(id: SubscriptionId, participant: ParticipantId, wish: Wish) -> Self {
        Self {
            id,
            participant,
            wish,
            granted: None,
            why: Why::Source,
            ideal: None,
            is_new: true,
            began: None,
            better_since: None,
            current: None,
            label: Label::default(),
            rewriter: Rewriter::new(),
            told: None,
            has_news: false,
            is_interrupted: false,
        }
    }

    /// It is of another publication from now on, or of none: what its receiver gets goes on where it stops.
    pub(crate) fn leave_publication(&mut self) {
        (self.granted, self.ideal, self.better_since, self.began) = (None, None, None, None);
        (self.why, self.is_new, self.current) = (Why::Source, true, None);
        (self.told, self.has_news) = (None, false);
        self.rewriter.leave_source();
    }

    /// Says what it would get if all encodings came: its sender may have to begin with one, or may leave one off.
    pub(crate) fn set_ideal(&mut self, layer: Option<Layer>) {
        self.has_news |= self.ideal != layer;
        self.ideal = layer;
    }

    /// Says what it is to get from now on.
    pub(crate) fn grant(&mut self, layer: Option<Layer>, why: Why) {
        self.has_news |= (layer, why) != (self.granted, self.why) || self.told.is_none();
        (self.granted, self.why) = (layer, why);
        if layer.is_none() {
            self.current = None;
        }
    }

    /// What comes from now on is left out for all, until something is given again.
    pub(crate) fn interrupt(&mut self) {
        self.is_interrupted = true;
    }

    /// What becomes of a packet of its publication.
    pub(crate) fn take(&mut self, seen: &Seen<'_>) -> Option<Forward> {
        let granted = self.granted?;
        if seen.is_empty() {
            if self.current.is_some_and(|(origin, _)| origin == seen.origin) {
                self.rewriter.leave_out(seen.number);
            }
            return None;
        }
        let is_first = self.is_interrupted || !self.current.is_some_and(|(origin, _)| origin == seen.origin);
        if is_first {
            if !self.begins_with(seen, granted) {
                return None;
            }
            self.rewriter.begin(seen);
            self.current = Some((seen.origin, Selector::default()));
            self.is_interrupted = false;
        }
        let (_, selector) = self.current.as_mut()?;
        let before = *selector;
        let (spatial, temporal) = match granted.encoding.cmp(&seen.origin.encoding.into()) {
            Ordering::Equal => (granted.spatial, granted.temporal),
            // What there is no room for goes on as slowly as it can, until what there is room for comes.
            Ordering::Less if self.why == Why::Bandwidth => (0, 0),
            _ => (u8::MAX, u8::MAX),
        };
        let admitted = selector.admit(seen, spatial, temporal);
        self.has_news |= is_first || before != *selector;
        let Some(is_last) = admitted else {
            self.rewriter.leave_out(seen.number);
            self.leave_out_picture(seen);
            return None;
        };
        // For sound, it is what follows silence.
        let marker = if seen.codec.is_audio() { seen.marker || is_first } else { is_last };
        self.rewriter.rewrite(seen, self.label, marker)
    }

    /// Whether the stream goes on with this packet, which is not of the source that it was made of until now.
    fn begins_with(&self, seen: &Seen<'_>, granted: Layer) -> bool {
        if seen.is_late || !seen.begins {
            return false;
        }
        let encoding = usize::from(seen.origin.encoding);
        // As long as there is nothing, less than what it is to get is better.
        let has_nothing = self.current.is_none_or(|(origin, _)| usize::from(origin.encoding) == encoding);
        encoding == granted.encoding || has_nothing && encoding < granted.encoding
    }

    /// Pictures that VP8 counts must have no gaps (RFC 7741 §4.2); of VP9 they are counted from by those that depend on
    /// them.
    fn leave_out_picture(&mut self, seen: &Seen<'_>) {
        if seen.codec == rtp::codec::Codec::Vp8
            && let Some(picture) = seen.picture
        {
            self.rewriter.leave_out_picture(picture);
        }
    }

    /// The encoding of which it needs a key frame. To receive fewer layers mostly takes none: only who `has_waited` needs
    /// one for that.
    pub(crate) fn waits_for(&self, encodings: &[Encoding], has_waited: bool) -> Option<usize> {
        let granted = self.granted?;
        let encoding = encodings.get(granted.encoding)?;
        let origin = Origin { encoding: granted.encoding as u8, generation: encoding.generation() };
        let has = |(now, selector): (Origin, Selector)| {
            let spatial = |layer: u8| layer.min(encoding.spatial);
            let (has, is_to) = (spatial(selector.spatial), spatial(granted.spatial));
            now == origin && (has == is_to || has > is_to && !has_waited)
        };
        (!self.current.is_some_and(has)).then_some(granted.encoding)
    }

    /// The encoding that is forwarded now: none, nothing is.
    pub(crate) fn encoding(&self) -> Option<usize> {
        self.current.map(|(origin, _)| origin.encoding.into())
    }

    /// The encoding that is forwarded now, and what is added to its timestamps.
    pub(crate) fn source(&self) -> Option<(usize, u32)> {
        Some((self.encoding()?, self.rewriter.timestamp_shift()))
    }

    pub(crate) fn has_news(&self) -> bool {
        self.has_news
    }

    /// What to tell of it, once; `highest` are the layers that its encoding has.
    pub(crate) fn take_news(&mut self, highest: (u8, u8)) -> Option<(Option<Layer>, Why)> {
        self.has_news = false;
        let layer = self.current.map(|(origin, selector)| Layer {
            encoding: origin.encoding.into(),
            spatial: selector.spatial.min(highest.0),
            temporal: selector.temporal.min(highest.1),
        });
        let news = Some((layer, self.why));
        // What has not begun is told when it has, unless it is not to.
        let is_silent = self.told.is_none() && layer.is_none() && self.granted.is_some();
        (!is_silent && self.told != news).then(|| self.told = news).and(news)
    }
}
