//! Retransmissions (RFC 4588 §4): which packets are sent again, what repeats one, and what is empty and only fills the path.
//!
//! A peer asks again and again for what has not come. Where the way has become narrow an answer takes ten times as long as
//! it did, and who gave one each time would fill the way with the same few packets. So one is not given while another waits or
//! is under way, nor where it would wait for long: it is asked for again if it is still of use then.
//!
//! What a peer asks for of a picture and cannot get any more, as after two seconds in which nothing got through, leaves it
//! without all pictures behind until a key frame comes. Chromium waits for three seconds before it says so (RFC 4585
//! §6.3.1); who sends knows at once. What is older than that key frame is not worth the time that it would take then.

use std::time::{Duration, Instant};

use bwe::{DataSize, Priority};
use rtp::extension::{ExtensionMap, Kind, Mid, RepairedRtpStreamId};
use rtp::{Fields, Header, HeaderWriter, SequenceNumber, Ssrc, Timestamp};
use sdp::attribute::Feedback;

use super::asked::Answer;
use super::{BELOW, COUNTED_LATER, Sending, Stream, Waiting};

/// One is not sent again so soon, however often it is asked for, where the round trip is not known.
const AGAIN: Duration = Duration::from_millis(20);

/// What waits to be sent again takes so long to leave, or a round trip, at the most.
const PATIENCE: Duration = Duration::from_millis(100);

impl Sending {
    /// The peer asks for packets of a source again. An answer takes it `round_trip`, queues on the way included. Whether it needs
    /// a key frame instead.
    pub(crate) fn repair(
        &mut self,
        now: Instant,
        ssrc: Ssrc,
        numbers: impl Iterator<Item = SequenceNumber>,
        round_trip: Duration,
    ) -> bool {
        let moment = self.moment(now);
        let place = self.names.iter().position(|name| name.ssrc == ssrc);
        let Some(stream) = place.and_then(|place| self.streams.get_mut(place)) else { return false };
        stream.nacks += 1;
        if !stream.repairs {
            return false;
        }
        let again = AGAIN.max(round_trip);
        for number in numbers {
            let number = stream.cache.expand(number);
            match stream.asked.ask(number, stream.has_forgotten(number), stream.cache.end()) {
                Answer::Packet => {}
                Answer::KeyFrame => return true,
                Answer::Nothing => continue,
            }
            let Some(kept) = stream.cache.get_mut(number).filter(|kept| kept.may_leave_again(moment, again))
            else {
                continue;
            };
            if self.pacer.wait(now, Priority::Retransmission) >= PATIENCE.max(round_trip) {
                return false;
            }
            let size = DataSize::from_bytes((kept.len() + 2 + BELOW) as u64);
            let waiting = Waiting { ssrc, number, is_repair: true };
            // Where there is no room for more, it is asked for again.
            if self.pacer.push(now, u64::from(ssrc.0), Priority::Retransmission, size, waiting).is_ok() {
                kept.wait_again();
            }
        }
        false
    }
}

/// Whether packets of a codec are sent again where the peer asks for them.
pub(super) fn can_repair(codec: &crate::AgreedCodec) -> bool {
    codec.send_retransmission.is_some() && codec.has(&Feedback::Nack)
}

/// Appends the header of a retransmission; `more` writes further extensions.
fn begin_repair<'a>(
    stream: &mut Stream,
    fields: Fields,
    buffer: &'a mut Vec<u8>,
    more: impl FnOnce(&mut HeaderWriter<'_>, &ExtensionMap),
) -> rtp::Body<'a> {
    let fields = Fields { sequence_number: stream.next_repair, ssrc: stream.retransmission, ..fields };
    stream.next_repair = stream.next_repair.plus(1);
    let map = &stream.extensions;
    let mut writer = HeaderWriter::new(buffer, &fields);
    writer.extension(map, &COUNTED_LATER);
    writer.extension(map, &Mid(stream.mid.as_bytes()));
    if let Some(rid) = &stream.rid {
        writer.extension(map, &RepairedRtpStreamId(rid.as_bytes()));
    }
    more(&mut writer, map);
    writer.finish()
}

/// Appends a packet of padding only, as a retransmission of nothing: receivers count it and look no further.
pub(super) fn padding(stream: &mut Stream, buffer: &mut Vec<u8>) -> Option<()> {
    let fields = Fields {
        marker: false,
        payload_type: stream.agreement.preferred()?.send_retransmission?,
        sequence_number: stream.next_repair,
        timestamp: stream.last.map_or(Timestamp(0), |(_, timestamp, _)| timestamp),
        ssrc: stream.retransmission,
    };
    // As much as there can be.
    begin_repair(stream, fields, buffer, |_, _| ()).pad(u8::MAX);
    Some(())
}

/// Appends a packet that repeats another (RFC 4588 §4).
pub(super) fn repeat(
    stream: &mut Stream,
    number: u64,
    head: &mut Vec<u8>,
    buffer: &mut Vec<u8>,
) -> Option<()> {
    head.clear();
    let kept = stream.cache.read(number, head)?.clone();
    let mut codecs = stream.agreement.codecs.iter();
    let codec = codecs.find(|codec| codec.send == kept.payload_type)?;
    let fields = Fields {
        marker: kept.marker,
        payload_type: codec.send_retransmission?,
        sequence_number: SequenceNumber(0),
        timestamp: kept.timestamp,
        ssrc: stream.retransmission,
    };
    let mut body = begin_repair(stream, fields, buffer, |writer, map| {
        if let Ok(header) = Header::parse(head) {
            writer.copy_extensions(header, (map, map), Kind::is_of_media);
        }
    });
    body.buffer().extend_from_slice(&(number as u16).to_be_bytes());
    body.buffer().extend_from_slice(&kept.prefix);
    body.buffer().extend_from_slice(&kept.payload);
    Some(())
}
