//! Dates of certificates: RFC 5280 §4.1.2.5.

use std::time::{Duration, SystemTime};

use wire::Reader;

use super::der::{self, GENERALIZED_TIME, UTC_TIME};
use crate::codec::Malformed;

const DAY: u64 = 24 * 60 * 60;

/// The days from 1970 to the first of March of `year`, which the leap day ends.
const fn days_before_march(year: u64) -> u64 {
    365 * year + year / 4 - year / 100 + year / 400 - 719_468
}

/// The days from March to a month, counted from March; months have 30.6 days on average.
const fn days_before_month(month_from_march: u64) -> u64 {
    (153 * month_from_march + 2) / 5
}

/// Appends a date: two digits of the year until 2049, four from then on. `None` beyond the year 9999.
pub(super) fn put(out: &mut Vec<u8>, time: SystemTime) -> Option<()> {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    let days = seconds / DAY;
    // An estimate that is at most one too high.
    let mut year = 1970 + days / 365 + 1;
    while year > 1969 && days_before_march(year) > days {
        year -= 1;
        if year < 1970 {
            break;
        }
    }
    let (year, day_of_year) = if year < 1970 {
        // January and February of 1970 belong to the March year of 1969.
        (1969, days + 306)
    } else {
        (year, days - days_before_march(year))
    };
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - days_before_month(month) + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    if year > 9999 {
        return None;
    }
    let (hour, minute, second) = (seconds % DAY / 3600, seconds % 3600 / 60, seconds % 60);
    let rest = format!("{month:02}{day:02}{hour:02}{minute:02}{second:02}Z");
    let (tag, text) = if year < 2050 {
        (UTC_TIME, format!("{:02}{rest}", year % 100))
    } else {
        (GENERALIZED_TIME, format!("{year:04}{rest}"))
    };
    der::put(out, tag, |out| out.extend_from_slice(text.as_bytes()));
    Some(())
}

/// Reads the next date; one before 1970 counts as 1970.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<SystemTime, Malformed> {
    let (tag, text) = der::any(reader)?;
    let (year, rest) = match (tag, text.len()) {
        (UTC_TIME, 13) => {
            let short = number(&text[..2])?;
            (if short < 50 { 2000 + short } else { 1900 + short }, &text[2..])
        }
        (GENERALIZED_TIME, 15) => (number(&text[..4])?, &text[4..]),
        _ => return Err(Malformed),
    };
    let field = |at: usize| number(&rest[at..at + 2]);
    let (month, day, hour, minute, second) = (field(0)?, field(2)?, field(4)?, field(6)?, field(8)?);
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
    let is_time = hour < 24 && minute < 60 && second <= 60;
    if !is_date || !is_time || rest[10] != b'Z' {
        return Err(Malformed);
    }
    if year < 1970 {
        return Ok(SystemTime::UNIX_EPOCH);
    }
    let days = if month > 2 {
        days_before_march(year) + days_before_month(month - 3) + day - 1
    } else if year > 1970 {
        days_before_march(year - 1) + days_before_month(month + 9) + day - 1
    } else {
        days_before_month(month + 9) + day - 1 - 306
    };
    let seconds = days * DAY + hour * 3600 + minute * 60 + second;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).ok_or(Malformed)
}

fn number(digits: &[u8]) -> Result<u64, Malformed> {
    digits.iter().try_fold(0, |number, digit| match digit {
        b'0'..=b'9' => Ok(10 * number + u64::from(digit - b'0')),
        _ => Err(Malformed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn text(seconds: u64) -> String {
        let mut out = Vec::new();
        put(&mut out, at(seconds)).unwrap();
        String::from_utf8(out.split_off(2)).unwrap()
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(text(0), "700101000000Z");
        assert_eq!(text(59 * DAY), "700301000000Z");
        assert_eq!(text(951_782_400), "000229000000Z");
        assert_eq!(text(951_868_799), "000229235959Z");
        assert_eq!(text(951_868_800), "000301000000Z");
        assert_eq!(text(1_735_689_599), "241231235959Z");
        assert_eq!(text(1_735_689_600), "250101000000Z");
        assert_eq!(text(2_524_608_000), "20500101000000Z");
        assert_eq!(text(253_402_300_799), "99991231235959Z");
        assert!(put(&mut Vec::new(), at(253_402_300_800)).is_none());
    }

    #[test]
    fn every_day_comes_back() {
        for day in 0..60_000 {
            let time = at(day * DAY + 12_345);
            let mut out = Vec::new();
            put(&mut out, time).unwrap();
            // Years 50 to 69 of two digits are those of the last century.
            assert_eq!(read(&mut Reader::new(&out)), Ok(time), "day {day}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for bytes in [
            &b"\x17\x0d251301000000Z"[..],
            b"\x17\x0d250101000000X",
            b"\x17\x0c25010100000Z",
            b"\x18\x0d250101000000Z",
        ] {
            assert_eq!(read(&mut Reader::new(bytes)), Err(Malformed));
        }
        assert_eq!(read(&mut Reader::new(b"\x17\x0d500101000000Z")), Ok(SystemTime::UNIX_EPOCH));
    }
}
