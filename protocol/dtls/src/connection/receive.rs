//! Datagrams on their way in: RFC 9147 §4.1, §4.5.2, §7; RFC 6347 §4.1.

use std::ops::Range;
use std::time::{Duration, Instant};

use wire::Reader;

use super::{Dtls, Plaintexts};
use crate::Version;
use crate::core::Gate;
use crate::event::Event;
use crate::failure::Failure;
use crate::fault::Fault;
use crate::handshake::State;
use crate::message::alert::{self, AlertDescription};
use crate::message::fragment::Fragment;
use crate::message::{Message, MessageType, ack};
use crate::reassembly::{Arrival, Reassembly};
use crate::record::content_type::ContentType;
use crate::record::{RecordNumber, header12, header13, protection12};
use crate::writing::{APPLICATION_EPOCH, HANDSHAKE_EPOCH};

/// How long records of the last epoch may still come after those of the next do.
const REORDERING: Duration = Duration::from_secs(5);

/// A record that was read: how long it was, and where its data for the application lies, if it has any.
type Read = (usize, Result<Option<Range<usize>>, Fault>);

impl Dtls {
    /// Takes in a datagram, and decrypts it where it lies: the result says where its data is, for as many records as it
    /// has. An error says that nothing in the datagram was of use; it was dropped and counted.
    pub fn handle_datagram(&mut self, now: Instant, datagram: &mut [u8]) -> Result<Plaintexts, Fault> {
        self.core.now = now;
        let mut plaintexts = Plaintexts::default();
        let mut fault = if datagram.is_empty() { Some(Fault::NotDtls) } else { None };
        let mut is_useful = false;
        let mut at = 0;
        while at < datagram.len() {
            if !plaintexts.has_room() {
                self.core.counters.count(Fault::TooManyRecords);
                break;
            }
            let (length, outcome) = self.read(&mut datagram[at..]);
            match outcome {
                Ok(data) => {
                    is_useful = true;
                    if let Some(range) = data {
                        plaintexts.push(at + range.start..at + range.end);
                    }
                }
                Err(new) => {
                    self.core.counters.count(new);
                    fault = fault.or(Some(new));
                }
            }
            at += length;
        }
        if self.core.has_new_keys {
            self.read_early();
        }
        if self.core.reading.is_worn() {
            self.fail(Failure::TooManyForgeries);
        }
        match fault {
            Some(fault) if !is_useful => Err(fault),
            _ => Ok(plaintexts),
        }
    }

    /// Tries again the records that came before their keys.
    fn read_early(&mut self) {
        while std::mem::take(&mut self.core.has_new_keys) {
            for mut record in self.core.early.take_sealed() {
                match self.read(&mut record).1 {
                    Ok(Some(range)) => self.core.events.push_back(Event::Data(record[range].to_vec())),
                    Ok(None) => {}
                    Err(fault) => self.core.counters.count(fault),
                }
            }
        }
    }

    /// Reads the record at the front of a datagram's rest.
    #[inline]
    fn read(&mut self, rest: &mut [u8]) -> Read {
        let all = rest.len();
        if matches!(self.core.gate, Gate::Closed) {
            return (all, Err(Fault::Closed));
        }
        if header13::is_unified(rest[0]) {
            match header13::Header::parse(rest) {
                Ok(header) => (header.record_len, self.read13(&header, &mut rest[..header.record_len])),
                Err(_) => (all, Err(Fault::NotDtls)),
            }
        } else {
            match header12::Header::parse(rest) {
                Ok(header) => {
                    let length = header12::HEADER_LEN + usize::from(header.length);
                    (length, self.read12(&header, &mut rest[..length]))
                }
                Err(_) => (all, Err(Fault::NotDtls)),
            }
        }
    }

    #[inline]
    fn read13(
        &mut self,
        header: &header13::Header,
        record: &mut [u8],
    ) -> Result<Option<Range<usize>>, Fault> {
        let Some(opener) = self.core.reading.opener13(header) else { return self.keep(record) };
        let epoch = opener.epoch();
        let opened = match opener.open(header, record) {
            Ok(opened) => opened,
            Err(failure) => return Err(self.core.reading.note(failure)),
        };
        let range = header.header_len..header.header_len + opened.length;
        if opened.content_type == ContentType::ApplicationData.code() {
            if epoch < APPLICATION_EPOCH {
                return Err(Fault::UnexpectedRecord);
            }
            return self.data(epoch, record, range);
        }
        self.core.reading.has_opened = true;
        let number = RecordNumber { epoch, sequence: opened.sequence };
        let content = &record[range];
        match ContentType::from_code(opened.content_type) {
            Some(ContentType::Handshake) => self.handshake(number, content)?,
            Some(ContentType::Alert) => self.alert(content)?,
            Some(ContentType::Ack) => self.acknowledged(content)?,
            _ => return Err(Fault::UnexpectedRecord),
        }
        Ok(None)
    }

    /// Data may be handed out if the connection is complete; else it is kept until it is.
    #[inline]
    fn data(
        &mut self,
        epoch: u64,
        record: &[u8],
        range: Range<usize>,
    ) -> Result<Option<Range<usize>>, Fault> {
        self.core.has_heard_data = true;
        if self.core.reading.previous.is_some() {
            self.note_epoch(epoch);
        }
        if matches!(self.core.gate, Gate::Open) {
            return Ok(Some(range));
        }
        self.core.early.keep_opened(&record[range])?;
        Ok(None)
    }

    /// The peer uses its new keys: the old ones can go soon.
    fn note_epoch(&mut self, epoch: u64) {
        let is_new = self.core.reading.application.as_ref().is_some_and(|opener| opener.epoch() == epoch);
        if is_new && self.core.linger.is_none() {
            self.core.linger = Some(self.core.now + REORDERING);
        }
    }

    /// A record without keys: they may be on their way.
    fn keep(&mut self, record: &[u8]) -> Result<Option<Range<usize>>, Fault> {
        if !matches!(self.core.gate, Gate::Handshaking) {
            return Err(Fault::UnknownEpoch);
        }
        self.core.early.keep_sealed(record)?;
        if matches!(self.state, State::WaitServerHello(_)) {
            // The ServerHello is lost, or late. Saying ours again, earlier than planned, brings it back (RFC 9147 §7.1
            // has an empty ACK for it, which a server of DTLS 1.2 would take ill).
            let hasten = self.core.now + self.core.flight.interval() / 4;
            self.core.flight.hasten(hasten);
        }
        Ok(None)
    }

    fn read12(
        &mut self,
        header: &header12::Header,
        record: &mut [u8],
    ) -> Result<Option<Range<usize>>, Fault> {
        if header.epoch == 0 {
            self.read_plain(header, &record[header12::HEADER_LEN..])?;
            return Ok(None);
        }
        if header.epoch != protection12::EPOCH || self.core.version == Some(Version::Dtls13) {
            return Err(Fault::UnknownEpoch);
        }
        let Some(opener) = &mut self.core.reading.dtls12 else { return self.keep(record) };
        let start = opener.header_len();
        let range = match opener.open(header, record) {
            Ok(length) => start..start + length,
            Err(failure) => return Err(self.core.reading.note(failure)),
        };
        if header.content_type == ContentType::ApplicationData {
            return self.data(header.epoch.into(), record, range);
        }
        self.core.reading.has_opened = true;
        let number = RecordNumber { epoch: header.epoch.into(), sequence: header.sequence };
        match header.content_type {
            ContentType::Handshake => self.handshake(number, &record[range])?,
            ContentType::Alert => self.alert(&record[range])?,
            _ => return Err(Fault::UnexpectedRecord),
        }
        Ok(None)
    }

    /// Records in the clear. What they say is believed only as long as nothing better came.
    fn read_plain(&mut self, header: &header12::Header, content: &[u8]) -> Result<(), Fault> {
        let is_13 = self.core.version == Some(Version::Dtls13);
        match header.content_type {
            ContentType::Handshake => {
                self.handshake(RecordNumber { epoch: 0, sequence: header.sequence }, content)
            }
            ContentType::Alert if self.core.reading.has_opened => Err(Fault::UnprotectedAlert),
            ContentType::Alert => self.alert(content),
            ContentType::Ack if is_13 && !self.core.reading.has_opened => self.acknowledged(content),
            // The epochs of the records say the same, and cannot be forged.
            ContentType::ChangeCipherSpec if !is_13 => Ok(()),
            _ => Err(Fault::UnexpectedRecord),
        }
    }

    fn alert(&mut self, content: &[u8]) -> Result<(), Fault> {
        let (is_fatal, description) = alert::parse(content).map_err(|_| Fault::BadAlert)?;
        if matches!(self.state, State::Waiting(_)) {
            return Err(Fault::UnexpectedRecord);
        }
        let is_12 = self.core.version == Some(Version::Dtls12);
        match description {
            AlertDescription::CloseNotify => {
                self.core.alert = Some(AlertDescription::CloseNotify);
                self.core.close(Event::Closed);
                self.state = State::Over;
            }
            AlertDescription::UserCanceled => {}
            _ if is_12 && !is_fatal => {}
            _ => {
                self.core.close(Event::Failed(Failure::PeerAlert(description)));
                self.state = State::Over;
            }
        }
        Ok(())
    }

    fn acknowledged(&mut self, content: &[u8]) -> Result<(), Fault> {
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

    fn handshake(&mut self, number: RecordNumber, content: &[u8]) -> Result<(), Fault> {
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
