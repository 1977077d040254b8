//! Datagrams on their way in: RFC 9147 §4.1, §4.5.2, §7; RFC 6347 §4.1.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::{Dtls, Plaintexts};
use crate::Version;
use crate::core::Gate;
use crate::event::Event;
use crate::failure::Failure;
use crate::fault::Fault;
use crate::handshake::State;
use crate::message::alert::{self, AlertDescription};
use crate::record::content_type::ContentType;
use crate::record::{RecordNumber, header12, header13, protection12};
use crate::writing::APPLICATION_EPOCH;

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
}
