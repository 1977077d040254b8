//! Datagrams on a byte stream: STUN and ChannelData as TURN puts them there (RFC 8656 §12.5), or each behind its length
//! (RFC 4571 §2, which RFC 6544 §3 uses).

/// How a connection's bytes are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Turn,
    Rfc4571,
}

/// The bytes are none that belong on such a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unframed;

/// A frame at the front of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Where its datagram begins.
    pub(crate) start: usize,
    /// Where that ends.
    pub(crate) end: usize,
    /// Where the next frame begins.
    pub(crate) next: usize,
}

impl Framing {
    /// As many bytes as tell a frame's length; none is shorter.
    fn head(self) -> usize {
        match self {
            Self::Turn => 4,
            Self::Rfc4571 => 2,
        }
    }

    /// The frame that `bytes` begin with; none while they are too few to tell.
    pub(crate) fn frame(self, bytes: &[u8]) -> Result<Option<Frame>, Unframed> {
        match self {
            Self::Turn => {
                let frame = stun::framing::frame(bytes).map_err(|_| Unframed)?;
                Ok(frame.map(|frame| Frame { start: 0, end: frame.length, next: frame.padded }))
            }
            Self::Rfc4571 => Ok(bytes.first_chunk::<2>().map(|length| {
                let end = 2 + usize::from(u16::from_be_bytes(*length));
                Frame { start: 2, end, next: end }
            })),
        }
    }

    /// Takes from `bytes` what completes the frame that `partial` begins with, or all; whether it is whole now.
    pub(crate) fn complete<'b>(
        self,
        partial: &mut Vec<u8>,
        mut bytes: &'b mut [u8],
    ) -> Result<(Option<Frame>, &'b mut [u8]), Unframed> {
        loop {
            let frame = self.frame(partial)?;
            if let Some(frame) = frame
                && partial.len() >= frame.next
            {
                return Ok((Some(frame), bytes));
            }
            if bytes.is_empty() {
                return Ok((None, bytes));
            }
            let wanted = frame.map_or(self.head(), |frame| frame.next).saturating_sub(partial.len());
            let (taken, rest) = bytes.split_at_mut(wanted.clamp(1, bytes.len()));
            partial.extend_from_slice(taken);
            bytes = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(framing: Framing, stream: &[u8], size: usize) -> Result<Vec<Vec<u8>>, Unframed> {
        let (mut partial, mut frames) = (Vec::new(), Vec::new());
        for piece in stream.to_vec().chunks_mut(size) {
            let mut rest = piece;
            loop {
                let (frame, after) = framing.complete(&mut partial, rest)?;
                rest = after;
                let Some(frame) = frame else { break };
                frames.push(partial[frame.start..frame.end].to_vec());
                assert_eq!(partial.len(), frame.next);
                partial.clear();
            }
        }
        assert!(partial.is_empty());
        Ok(frames)
    }

    #[test]
    fn frames_come_out_whole_however_the_bytes_arrive() {
        let channel = [&[0x40, 1, 0, 5][..], b"hello"].concat();
        let stream = [&channel[..], &[0; 3], &channel, &[0; 3]].concat();
        let lengths = [&[0, 5][..], b"hello", &[0, 0, 0, 1, 7]].concat();
        for size in 1..=stream.len() {
            assert_eq!(cut(Framing::Turn, &stream, size).unwrap(), [channel.clone(), channel.clone()]);
            assert_eq!(
                cut(Framing::Rfc4571, &lengths, size).unwrap(),
                [b"hello".to_vec(), Vec::new(), vec![7]]
            );
        }
        assert_eq!(cut(Framing::Turn, b"POST / HTTP/1.1", 4), Err(Unframed));
    }
}
