//! Dates where the person is, in as few tokens as they can be read from.

use std::fmt::Write;

use jiff::{
    civil::{Date, DateTime, Weekday},
    tz::{Offset, TimeZone},
};
use whisperengine_types::{Timestamp, ZoneId};

/// The person's time zone and what day it is there.
#[derive(Debug)]
pub(crate) struct Calendar {
    zone: TimeZone,
    now: DateTime,
}

impl Calendar {
    /// The calendar at `now` in `zone`: an IANA name, an offset such as `+02:00`, or UTC when it is neither.
    pub(crate) fn new(zone: Option<&ZoneId>, now: Timestamp) -> Self {
        let zone = zone
            .and_then(|zone| named(zone.as_str()))
            .unwrap_or(TimeZone::UTC);
        let now = civil(&zone, now);
        Self { zone, now }
    }

    /// `2026-03-09`.
    pub(crate) fn push_date(&self, out: &mut String, at: Timestamp) {
        push(out, civil(&self.zone, at).date());
    }

    /// `2026-03-09 (Mon, yesterday)`; the words beside the weekday within two weeks only.
    pub(crate) fn push_day(&self, out: &mut String, at: Timestamp) {
        let date = civil(&self.zone, at).date();
        push(out, date);
        out.push_str(" (");
        out.push_str(weekday(date));
        let days = (self.now.date() - date).get_days();
        let written = match days {
            -14..=-2 => write!(out, ", in {} days", -days),
            -1 => write!(out, ", tomorrow"),
            0 => write!(out, ", today"),
            1 => write!(out, ", yesterday"),
            2..=14 => write!(out, ", {days} days ago"),
            _ => Ok(()),
        };
        written.expect("a string takes every write");
        out.push(')');
    }

    /// `Tue 2026-03-10, 18:47`.
    pub(crate) fn push_now(&self, out: &mut String) {
        out.push_str(weekday(self.now.date()));
        out.push(' ');
        push(out, self.now.date());
        out.push_str(", ");
        digits(out, self.now.hour().unsigned_abs());
        out.push(':');
        digits(out, self.now.minute().unsigned_abs());
    }
}

fn named(zone: &str) -> Option<TimeZone> {
    if zone.starts_with(['+', '-']) {
        return offset(zone).map(TimeZone::fixed);
    }
    TimeZone::get(zone).ok()
}

/// `+02:00`, `-0530`, `+2`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = text.split_at(1);
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at(2),
        None => (digits, "0"),
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if !(0..=25).contains(&hours) || !(0..60).contains(&minutes) {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

fn civil(zone: &TimeZone, at: Timestamp) -> DateTime {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    zone.to_datetime(at)
}

fn push(out: &mut String, date: Date) {
    let year = date.year().unsigned_abs();
    digits(out, (year / 100) as u8);
    digits(out, (year % 100) as u8);
    out.push('-');
    digits(out, date.month().unsigned_abs());
    out.push('-');
    digits(out, date.day().unsigned_abs());
}

/// Two digits; the formatting machinery would take most of the time of a context.
fn digits(out: &mut String, number: u8) {
    out.push(char::from(b'0' + number / 10 % 10));
    out.push(char::from(b'0' + number % 10));
}

fn weekday(date: Date) -> &'static str {
    match date.weekday() {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_day_where_the_person_is() {
        let cases = [
            ("Asia/Tokyo", "2026-03-09T15:30:00Z", "2026-03-10 (Tue, today)"),
            ("+05:30", "2026-03-08T18:00:00Z", "2026-03-08 (Sun, 2 days ago)"),
            ("-0330", "2026-03-10T01:00:00Z", "2026-03-09 (Mon, yesterday)"),
            ("Nowhere/Else", "2025-12-24T12:00:00Z", "2025-12-24 (Wed)"),
            (
                "Europe/Berlin",
                "2026-03-11T09:00:00Z",
                "2026-03-11 (Wed, tomorrow)",
            ),
        ];
        for (zone, at, expected) in cases {
            let zone = ZoneId::new(zone).unwrap();
            let calendar = Calendar::new(Some(&zone), "2026-03-10T12:00:00Z".parse().unwrap());
            let mut out = String::new();
            calendar.push_day(&mut out, at.parse().unwrap());
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn every_time_has_a_date() {
        for at in [Timestamp::MIN, Timestamp::MAX] {
            let mut out = String::new();
            Calendar::new(None, at).push_day(&mut out, at);
            assert!(out.contains("today"), "{out}");
        }
    }
}
