//! What the association tells, as events of channels (RFC 8831 §6.6, §6.7; RFC 8832 §6).

use std::time::Instant;

use super::data_channels::{ChannelEvent, ChannelMessage, ChannelState, DataChannels, Kind, Reset};
use super::open_message::OpenMessage;
use super::ppid;
use crate::event::{Event, ReceivedMessage};
use crate::send::Options;

impl DataChannels {
    /// The next thing that happened. After it there may be something to transmit.
    pub fn poll_event(&mut self, now: Instant) -> Option<ChannelEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            match self.association.poll_event()? {
                Event::Message(message) => {
                    if let Some(event) = self.take_message(now, message) {
                        return Some(event);
                    }
                }
                Event::Established => self.established(),
                Event::BufferedAmountLow { stream } => {
                    if let Some(&index) = self.by_stream.get(stream) {
                        return Some(ChannelEvent::BufferedAmountLow(self.id(index)));
                    }
                }
                Event::Writable => return Some(ChannelEvent::Writable),
                Event::MessageAborted { stream, id } => {
                    if let Some(&index) = self.by_stream.get(stream) {
                        return Some(ChannelEvent::MessageAborted { channel: self.id(index), id });
                    }
                }
                Event::IncomingStreamsReset { streams } => {
                    streams.into_iter().for_each(|stream| self.incoming_reset(stream));
                }
                Event::StreamsReset { streams, performed } => {
                    streams.into_iter().for_each(|stream| self.outgoing_reset(stream, performed));
                }
                Event::Closed(reason) => {
                    let indices: Vec<u32> = self.channels.indices().collect();
                    indices.into_iter().for_each(|index| self.remove(index));
                    self.events.push_back(ChannelEvent::Ended(reason));
                }
            }
        }
    }

    fn established(&mut self) {
        self.events.push_back(ChannelEvent::Established);
        let limit = self.association.stream_limit();
        let indices: Vec<u32> = self.channels.indices().collect();
        for index in indices {
            let Some(channel) = self.channels.get_mut(index) else { continue };
            match channel.stream {
                // The peer takes fewer streams than hoped for.
                Some(stream) if stream >= limit => self.remove(index),
                Some(_) if channel.state == ChannelState::Connecting => {
                    channel.state = ChannelState::Open;
                    self.counts.opened += 1;
                    let id = self.id(index);
                    self.events.push_back(ChannelEvent::Opened(id));
                }
                _ => {}
            }
        }
    }

    #[inline]
    fn take_message(&mut self, now: Instant, message: ReceivedMessage) -> Option<ChannelEvent> {
        let ReceivedMessage { stream, ppid, id, first, last, mut data, .. } = message;
        if ppid == ppid::DCEP {
            let event = if first && last { self.take_dcep(now, stream, &data) } else { None };
            self.recycle(data);
            return event;
        }
        let kind = match ppid {
            ppid::STRING | ppid::STRING_PARTIAL | ppid::STRING_EMPTY => Some(Kind::String),
            ppid::BINARY | ppid::BINARY_PARTIAL | ppid::BINARY_EMPTY => Some(Kind::Binary),
            _ => None,
        };
        let index = self.by_stream.get(stream).copied();
        let (Some(kind), Some(index)) = (kind, index) else {
            self.dropped += 1;
            self.recycle(data);
            return None;
        };
        if matches!(ppid, ppid::STRING_EMPTY | ppid::BINARY_EMPTY) {
            data.clear();
        }
        if let Some(channel) = self.channels.get_mut(index) {
            // Data proves as well as an ACK that the peer knows the channel (RFC 8832 §6).
            channel.is_known = true;
            channel.stats.messages_received += u64::from(last);
            channel.stats.bytes_received += data.len() as u64;
        }
        Some(ChannelEvent::Message(ChannelMessage { channel: self.id(index), kind, id, first, last, data }))
    }

    fn take_dcep(&mut self, now: Instant, stream: u16, bytes: &[u8]) -> Option<ChannelEvent> {
        let known = self.by_stream.get(stream).copied();
        match (OpenMessage::parse(bytes), known) {
            (Some(OpenMessage::Ack), Some(index)) => {
                self.channels.get_mut(index)?.is_known = true;
                None
            }
            (Some(OpenMessage::Open(open)), None) => {
                let (label, protocol, options) = *open;
                let is_welcome = stream < self.association.stream_limit()
                    && self.incoming_count < Self::MAX_INCOMING
                    && self.label_bytes + label.len() + protocol.len() <= Self::MAX_LABELS;
                let ack = OpenMessage::ACK_BYTES;
                let is_answered = is_welcome
                    && self.association.send_copy(now, stream, ppid::DCEP, &ack, Options::default()).is_ok();
                if !is_answered {
                    self.dropped += 1;
                    // Closes it; there is nothing to do where that is not possible either.
                    let _ = self.association.reset_streams(&[stream]);
                    return None;
                }
                self.association.set_weight(stream, options.priority);
                let index = self.insert(label, protocol, options, Some(stream));
                self.incoming_count += 1;
                let channel = self.channels.get_mut(index)?;
                channel.state = ChannelState::Open;
                self.counts.opened += 1;
                channel.is_incoming = true;
                Some(ChannelEvent::Incoming(self.id(index)))
            }
            _ => {
                self.dropped += 1;
                None
            }
        }
    }

    /// The peer closes the channel (RFC 8831 §6.7): our direction closes too.
    fn incoming_reset(&mut self, stream: u16) {
        let Some(&index) = self.by_stream.get(stream) else { return };
        let Some(channel) = self.channels.get_mut(index) else { return };
        channel.incoming_reset = true;
        if channel.state != ChannelState::Closing {
            self.counts.closed += u32::from(channel.state == ChannelState::Open);
            channel.state = ChannelState::Closing;
            let id = self.id(index);
            self.events.push_back(ChannelEvent::Closing(id));
        }
        self.request_reset(index);
        self.finish_close(index);
    }

    pub(super) fn request_reset(&mut self, index: u32) {
        let Some(channel) = self.channels.get_mut(index) else { return };
        if channel.outgoing_reset != Reset::No {
            return;
        }
        channel.outgoing_reset = Reset::Requested;
        if let Some(stream) = channel.stream
            && self.association.reset_streams(&[stream]).is_err()
        {
            self.outgoing_reset(stream, false);
        }
    }

    fn outgoing_reset(&mut self, stream: u16, performed: bool) {
        let Some(&index) = self.by_stream.get(stream) else { return };
        let Some(channel) = self.channels.get_mut(index) else { return };
        channel.outgoing_reset = Reset::Done;
        // A peer that does not reset its incoming streams will not reset its outgoing ones.
        channel.incoming_reset |= !performed;
        self.finish_close(index);
    }

    fn finish_close(&mut self, index: u32) {
        let is_closed =
            |channel: &super::Channel| channel.incoming_reset && channel.outgoing_reset == Reset::Done;
        if self.channels.get(index).is_some_and(is_closed) {
            self.remove(index);
        }
    }

    /// The channel is gone; its stream may be used again.
    pub(super) fn remove(&mut self, index: u32) {
        let id = self.id(index);
        let Some(channel) = self.channels.remove(index) else { return };
        self.counts.closed += u32::from(channel.state == ChannelState::Open);
        self.label_bytes -= channel.label.len() + channel.protocol.len();
        self.incoming_count -= usize::from(channel.is_incoming);
        if let Some(stream) = channel.stream {
            self.by_stream.remove(stream);
        }
        self.events.push_back(ChannelEvent::Closed(id));
    }
}
