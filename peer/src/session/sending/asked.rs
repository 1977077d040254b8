//! Which packets are asked for again that cannot be had any more (RFC 4585 §6.2.1), so that only a key frame helps.

/// What was asked for of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Behind the highest number that was.
    end: u64,
    /// What came before this number is not needed any more: by the key frame that it is, or by one that was asked for because
    /// of it.
    superseded: u64,
}

/// What to do about a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The packet.
    Packet,
    /// A key frame: the packet is there no more.
    KeyFrame,
    /// Nothing: what depends on it is not needed.
    Nothing,
}

impl Asked {
    /// A number is asked for; `is_gone` where it is kept no more, `next` comes behind all that there are.
    ///
    /// Some ask again and again for what they have long got: they do not look at what comes as a retransmission. So only what
    /// was never asked for while it was there counts.
    pub(super) fn ask(&mut self, number: u64, is_gone: bool, next: u64) -> Answer {
        if number < self.superseded {
            return Answer::Nothing;
        }
        let is_first = number >= self.end;
        self.end = self.end.max(next.min(number + 1));
        if is_first && is_gone {
            self.begin_anew(next);
            return Answer::KeyFrame;
        }
        Answer::Packet
    }

    /// What comes from this number on needs nothing that came before it.
    pub(super) fn begin_anew(&mut self, number: u64) {
        (self.end, self.superseded) = (self.end.max(number), number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_before_it_is_asked_for_asks_for_a_key_frame() {
        let mut asked = Asked::default();
        assert_eq!(asked.ask(100, false, 200), Answer::Packet);
        assert_eq!(asked.ask(150, true, 300), Answer::KeyFrame);
        // All that came before that does not help.
        assert_eq!([151, 299].map(|number| asked.ask(number, false, 300)), [Answer::Nothing; 2]);
        assert_eq!(asked.ask(150, true, 310), Answer::Nothing);
        assert_eq!(asked.ask(305, false, 310), Answer::Packet);
    }

    #[test]
    fn who_asks_again_for_what_has_come_gets_the_rest() {
        let mut asked = Asked::default();
        for next in 110..1_000 {
            assert_eq!(asked.ask(100, next > 400, next), Answer::Packet);
            assert_eq!(asked.ask(next - 5, false, next), Answer::Packet);
        }
    }

    #[test]
    fn what_came_before_a_new_beginning_is_not_needed() {
        let mut asked = Asked::default();
        asked.begin_anew(500);
        assert_eq!(asked.ask(499, true, 510), Answer::Nothing);
        assert_eq!(asked.ask(505, false, 510), Answer::Packet);
    }
}
