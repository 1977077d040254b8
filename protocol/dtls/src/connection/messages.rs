//! Handshake messages on their way in, and acknowledgements of ours: RFC 9147 §5.2, §5.8.1, §7; RFC 6347 §4.2.

use wire::Reader;

use super::Dtls;
use crate::Version;
use crate::failure::Failure;
use crate::fault::Fault;
use crate::handshake::State;
use crate::message::fragment::Fragment;
use crate::message::{Message, MessageType, ack};
use crate::reassembly::{Arrival, Reassembly};
use crate::record::{RecordNumber, protection12};
use crate::writing::HANDSHAKE_EPOCH;

impl Dtls {
    /// What the peer says has arrived is not sent again.
    pub(super) fn acknowledged(&mut self, content: &[u8]) -> Result<(), Fault> {
        if self.core.version != Some(Version::Dtls13) {
            return Err(Fault::UnexpectedRecord);
        }
        let numbers = ack::parse(content).map_err(|_| Fault::BadAck)?;
        let mut is_news = false;
        let mut is_empty = true;
        for number in numbers {
            is_empty = false;
            is_news |= self.core.flight.acknowledge(number);
        }
        if is_news
            && let State::Complete(complete) = &mut self.state
            && let Err(failure) = complete.handle_acknowledged(&mut self.core)
        {
            self.fail(failure);
            return Ok(());
        }
        if is_news || is_empty {
            self.core.flight.resend(self.core.now);
        }
        Ok(())
    }

    /// The fragments of a record: taken in, handed on when they are whole, answered, acknowledged.
    pub(super) fn handshake(&mut self, number: RecordNumber, content: &[u8]) -> Result<(), Fault> {
        let mut reader = Reader::new(content);
        let (mut is_new, mut is_repeated, mut is_disordered) = (false, false, false);
        let mut fault = if content.is_empty() { Some(Fault::BadFragment) } else { None };
        while !reader.is_empty() {
            let fragment = Fragment::parse(&mut reader).map_err(|_| Fault::BadFragment)?;
            let is_renegotiation = self.state.is_complete() && number.epoch == protection12::EPOCH.into();
            let mut arrival = self.core.reassembly.insert(number.epoch, &fragment);
            if arrival == Err(Fault::BadFragment) && matches!(self.state, State::Waiting(_)) {
                // Anybody could have sent what came before: it must not keep the peer out.
                self.core.reassembly.clear();
                arrival = self.core.reassembly.insert(number.epoch, &fragment);
            }
            match arrival {
                Ok(Arrival::New { .. }) if is_renegotiation => {
                    self.core.reassembly.clear();
                    fault = Some(Fault::Renegotiation);
                }
                Ok(Arrival::New { is_out_of_order }) => {
                    is_new = true;
                    is_disordered |= is_out_of_order;
                }
                Ok(Arrival::Repeated) if fragment.code == MessageType::HelloRequest.code() => {
                    fault = Some(Fault::Renegotiation);
                }
                Ok(Arrival::Repeated) => is_repeated = true,
                Err(new) => fault = Some(new),
            }
        }
        let flight = self.core.flight.number();
        if is_new {
            if self.core.version == Some(Version::Dtls13) && !self.state.is_complete() {
                // An answer means that the question has arrived (RFC 9147 §7.1).
                self.core.flight.clear();
            }
            self.advance()?;
        }
        let is_answered = self.core.flight.number() != flight;
        if is_repeated && !is_answered {
            self.repeated(number);
        }
        if self.core.version == Some(Version::Dtls13) && !is_answered && fault.is_none() && is_new {
            self.acknowledge(number, is_disordered);
        }
        fault.map_or(Ok(()), Err)
    }

    /// Whether, and when, to tell the peer that its record arrived (RFC 9147 §7.1).
    fn acknowledge(&mut self, number: RecordNumber, is_disordered: bool) {
        if self.is_closed() {
            return;
        }
        let now = self.core.now;
        self.core.acks.note(number);
        let patience = self.core.flight.interval() / 4;
        let is_urgent = self.state.is_complete() || is_disordered;
        self.core.acks.schedule(if is_urgent { now } else { now + patience });
    }

    /// The peer repeats itself: it has missed our answer.
    fn repeated(&mut self, number: RecordNumber) {
        if self.state.is_complete() && number.epoch == 0 {
            // Anybody can repeat what was in the clear. The peer's Finished comes along where it is the peer.
            return;
        }
        let is_last_13 = self.core.version == Some(Version::Dtls13) && self.state.is_complete();
        if is_last_13 && (!self.core.is_client || number.epoch > HANDSHAKE_EPOCH) {
            self.core.acks.note(number);
            self.core.acks.schedule(self.core.now);
        } else {
            self.core.flight.resend(self.core.now);
        }
    }

    /// Hands the messages that are here to the handshake.
    fn advance(&mut self) -> Result<(), Fault> {
        loop {
            let Ok(next) = self.core.reassembly.next() else {
                self.fail(Failure::UnexpectedMessage);
                return Ok(());
            };
            let Some((code, sequence, body)) = next else { return Ok(()) };
            let message = Message { code, sequence, body: &body };
            let was_waiting = matches!(self.state, State::Waiting(_));
            let state = std::mem::replace(&mut self.state, State::Over);
            match state.handle(&mut self.core, &message) {
                Ok(state) => self.state = state,
                // Anybody could have sent this: it must not keep the peer out.
                Err(Failure::Malformed | Failure::UnexpectedMessage) if was_waiting => {
                    self.core.reassembly = Reassembly::default();
                    self.state = State::waiting();
                    return Err(Fault::BadClientHello);
                }
                Err(failure) => {
                    self.fail(failure);
                    return Ok(());
                }
            }
        }
    }
}
