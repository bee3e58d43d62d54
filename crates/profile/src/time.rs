//! Dates in a sentence.

use std::ops::Range;

use jiff::{
    Span,
    civil::{Date, Weekday, date},
    tz::TimeZone,
};
use whisperengine_types::{Timestamp, ZoneId};

use crate::{
    grammar::{Calendar, Grammar, calendar_at},
    text::{Kind, Tokens},
};

/// A day or a longer span that a sentence names: `[first, after)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    pub first: Date,
    pub after: Date,
}

/// The person's calendar at the time of a statement.
#[derive(Debug)]
pub(crate) struct Today {
    zone: TimeZone,
    pub date: Date,
}

impl Today {
    pub(crate) fn new(now: Timestamp, zone: Option<&ZoneId>) -> Self {
        let zone = zone.map_or(TimeZone::UTC, |zone| time_zone(zone.as_str()));
        let date = jiff::Timestamp::from_millisecond(now.as_millis())
            .map_or(date(1970, 1, 1), |now| zone.to_datetime(now).date());
        Self { zone, date }
    }

    pub(crate) fn start_of(&self, date: Date) -> Timestamp {
        let zoned = self.zone.to_ambiguous_zoned(date.at(0, 0, 0, 0)).compatible();
        Timestamp::from_millis(zoned.map_or(0, |zoned| zoned.timestamp().as_millisecond()))
    }

    /// The first date that the tokens name.
    pub(crate) fn period(&self, grammar: &Grammar, tokens: &Tokens, range: Range<usize>) -> Option<Period> {
        let mut at = range.start;
        while at < range.end {
            if let Some(period) = numeric_date(tokens, at).and_then(|(y, m, d)| self.day(y, m, d)) {
                return Some(period);
            }
            if let Some(day) = wide_date(tokens, at, range.end) {
                return self.day(None, day.0, day.1);
            }
            let Some((len, unit)) = calendar_at(grammar, tokens, at, range.end) else {
                at += 1;
                continue;
            };
            let found = match unit {
                Calendar::Month(month) => self.month(tokens, month, at, len, &range),
                Calendar::Weekday(day) => Weekday::from_monday_one_offset(day).ok().and_then(|weekday| {
                    let next = self.date.nth_weekday(1, weekday).ok()?;
                    Some(one_day(next))
                }),
                Calendar::Day(days) => add(self.date, Span::new().days(days)).map(one_day),
                Calendar::Week(weeks) => self.week(weeks),
                Calendar::MonthFrom(months) => add(self.date.first_of_month(), Span::new().months(months))
                    .and_then(|first| {
                        Some(Period {
                            first,
                            after: add(first, Span::new().months(1))?,
                        })
                    }),
                Calendar::Year(years) => {
                    add(self.date.first_of_year(), Span::new().years(years)).and_then(|first| {
                        Some(Period {
                            first,
                            after: add(first, Span::new().years(1))?,
                        })
                    })
                }
                Calendar::Number(_) => None,
            };
            if found.is_some() {
                return found;
            }
            at += len;
        }
        None
    }

    /// A year that stands alone, such as 2019.
    pub(crate) fn year(&self, tokens: &Tokens, range: Range<usize>) -> Option<Period> {
        range.into_iter().find_map(|at| {
            let token = &tokens.all[at];
            let year: i16 = tokens.folded(token).parse().ok()?;
            let plausible = (1900..=self.date.year()).contains(&year);
            plausible.then(|| Period {
                first: date(year, 1, 1),
                after: date(year + 1, 1, 1),
            })
        })
    }

    fn week(&self, weeks: i8) -> Option<Period> {
        let monday = add(
            self.date,
            Span::new().days(-i64::from(self.date.weekday().to_monday_zero_offset())),
        )?;
        let first = add(monday, Span::new().weeks(weeks))?;
        Some(Period {
            first,
            after: add(first, Span::new().weeks(1))?,
        })
    }

    /// `March 15`, `15. März`, `15 de marzo de 2027`, or the whole month.
    fn month(
        &self,
        tokens: &Tokens,
        month: i8,
        at: usize,
        len: usize,
        range: &Range<usize>,
    ) -> Option<Period> {
        let number = |at: usize| -> Option<i16> {
            let token = tokens.all[..range.end].get(at)?;
            let digits = tokens
                .folded(token)
                .trim_end_matches(|c: char| c.is_ascii_alphabetic());
            (token.kind == Kind::Number)
                .then(|| digits.parse().ok())
                .flatten()
        };
        let after: Vec<i16> = (at + len..at + len + 4).filter_map(number).collect();
        let year = after.iter().copied().find(|n| (1900..2200).contains(n));
        let day_after = after.first().copied().filter(|n| (1..=31).contains(n));
        let day_before = (at.saturating_sub(2).max(range.start)..at).rev().find_map(number);
        let day = day_before.filter(|n| (1..=31).contains(n)).or(day_after);
        if let Some(day) = day {
            return self.day(year, month, day as i8);
        }
        let this_year = date(self.date.year(), month, 1);
        let past = month < self.date.month();
        let first = match year {
            Some(year) => Date::new(year, month, 1).ok()?,
            None if past => add(this_year, Span::new().years(1))?,
            None => this_year,
        };
        Some(Period {
            first,
            after: add(first, Span::new().months(1))?,
        })
    }

    /// The day in `year`, or its next occurrence.
    fn day(&self, year: Option<i16>, month: i8, day: i8) -> Option<Period> {
        if let Some(year) = year {
            return Date::new(year, month, day).ok().map(one_day);
        }
        (0..8).find_map(|more| {
            let date = Date::new(self.date.year() + more, month, day).ok()?;
            (date >= self.date).then(|| one_day(date))
        })
    }
}

/// A zone by its IANA name or its offset; UTC when it is neither.
fn time_zone(name: &str) -> TimeZone {
    TimeZone::get(name)
        .ok()
        .or_else(|| offset(name))
        .unwrap_or(TimeZone::UTC)
}

fn offset(name: &str) -> Option<TimeZone> {
    let (sign, rest) = match name.as_bytes().first()? {
        b'+' => (1, &name[1..]),
        b'-' => (-1, &name[1..]),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
    let seconds =
        hours.parse::<i32>().ok()?.checked_mul(3600)? + minutes.parse::<i32>().ok()?.checked_mul(60)?;
    jiff::tz::Offset::from_seconds(sign * seconds)
        .ok()
        .map(TimeZone::fixed)
}

fn add(date: Date, span: Span) -> Option<Date> {
    date.checked_add(span).ok()
}

fn one_day(date: Date) -> Period {
    Period {
        first: date,
        after: date.tomorrow().unwrap_or(date),
    }
}

/// `8.6.2026`, `2026-06-08`, `15/3`: day before month unless that cannot be.
fn numeric_date(tokens: &Tokens, at: usize) -> Option<(Option<i16>, i8, i8)> {
    let token = &tokens.all[at];
    if token.kind != Kind::Number {
        return None;
    }
    let pieces: Vec<i16> = tokens
        .folded(token)
        .split(['.', '/', '-'])
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let (year, a, b) = match pieces[..] {
        [year, month, day] if year > 31 => return Some((Some(year), month as i8, day as i8)),
        [a, b, year] => (Some(if year < 100 { year + 2000 } else { year }), a, b),
        _ => return None,
    };
    let (day, month) = if b > 12 { (b, a) } else { (a, b) };
    ((1..=31).contains(&day) && (1..=12).contains(&month)).then_some((year, month as i8, day as i8))
}

/// `3月15日`, `3월 15일`.
fn wide_date(tokens: &Tokens, at: usize, end: usize) -> Option<(i8, i8)> {
    let text = |at: usize| tokens.all[..end].get(at).map(|token| tokens.folded(token));
    let month: i8 = text(at)?.parse().ok()?;
    matches!(text(at + 1)?, "月" | "월").then_some(())?;
    let day: i8 = text(at + 2)?.parse().ok()?;
    matches!(text(at + 3)?, "日" | "号" | "일").then_some((month, day))
}
