//! Bytes of a file, one after another. What a length in the file says is believed only as far as bytes come.

use std::io::{self, ErrorKind, Read};

use crate::ReadError;

/// Bytes of a frame, or of a table, that are taken at most.
pub(crate) const MOST: u64 = 16 << 20;

/// Bytes that are asked for at once.
const CHUNK: usize = 64 << 10;

/// A reader with a place in it.
#[derive(Debug)]
pub(crate) struct Input<R> {
    inner: R,
    position: u64,
}

impl<R: Read> Input<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, position: 0 }
    }

    /// How many bytes were taken.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// As many bytes as there are to fill `buffer`; how many.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = 0;
        while let Some(rest) = buffer.get_mut(count..).filter(|rest| !rest.is_empty()) {
            match self.inner.read(rest) {
                Ok(0) => break,
                Ok(more) => count += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.position += count as u64;
        Ok(count)
    }

    /// So many bytes; none where the file ends before.
    pub(crate) fn array<const N: usize>(&mut self) -> io::Result<Option<[u8; N]>> {
        let mut bytes = [0; N];
        Ok((self.fill(&mut bytes)? == N).then_some(bytes))
    }

    /// So many bytes; none where the file ends before.
    pub(crate) fn bytes(&mut self, count: u64) -> Result<Option<Vec<u8>>, ReadError> {
        if count > MOST {
            return Err(ReadError::Malformed("something in it has more than 16 MiB"));
        }
        let mut bytes = Vec::new();
        Ok(self.refill(&mut bytes, count as usize)?.then_some(bytes))
    }

    /// Makes `buffer` the next so many bytes, in the memory that it has; false where the file ends before.
    pub(crate) fn refill(&mut self, buffer: &mut Vec<u8>, count: usize) -> io::Result<bool> {
        let mut start = 0;
        while start < count {
            // More memory is taken as bytes come.
            let end = count.min(buffer.capacity().max(start + CHUNK));
            buffer.resize(end, 0);
            let wanted = buffer.get_mut(start..).unwrap_or_default();
            let is_all = wanted.len();
            if self.fill(wanted)? < is_all {
                return Ok(false);
            }
            start = end;
        }
        buffer.truncate(count);
        Ok(true)
    }

    /// The next line without its end, of so many bytes at most; none where there is no such line any more.
    pub(crate) fn line(&mut self, most: usize) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        while let Some([byte]) = self.array()? {
            if byte == b'\n' {
                return Ok(Some(line));
            }
            if line.len() >= most {
                break;
            }
            line.push(byte);
        }
        Ok(None)
    }

    /// Passes over bytes; false where the file ends before.
    pub(crate) fn skip(&mut self, count: u64) -> io::Result<bool> {
        let skipped = io::copy(&mut (&mut self.inner).take(count), &mut io::sink())?;
        self.position += skipped;
        Ok(skipped == count)
    }
}

/// Bytes in memory, whose numbers have the high byte first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

/// It ends before.
const SHORT: ReadError = ReadError::Malformed("a field ends before its value does");

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], ReadError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(SHORT)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(SHORT)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, ReadError> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, ReadError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, ReadError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, ReadError> {
        self.array().map(u64::from_be_bytes)
    }
}

/// So many ticks of a clock.
pub(crate) fn duration(ticks: u64, clock_rate: u64) -> std::time::Duration {
    let rate = u128::from(clock_rate.max(1));
    let nanos = (u128::from(ticks) * 1_000_000_000 + rate / 2) / rate;
    std::time::Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// And back, to the nearest one.
pub(crate) fn ticks(time: std::time::Duration, clock_rate: u32) -> u64 {
    let ticks = (time.as_nanos() * u128::from(clock_rate) + 500_000_000) / 1_000_000_000;
    u64::try_from(ticks).unwrap_or(u64::MAX)
}
