//! Times that a text names, as intervals of the calendar in a zone.
//!
//! A text is brought to tokens of one small grammar whatever its language: "letzte Woche" and "la semaine
//! dernière" are both `last` beside `week`, so the languages differ in their tables only.

mod words;

use std::ops::Range;

use jiff::{
    Timestamp as Instant, ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use whisperengine_types::{Timestamp, ZoneId};

use self::words::{Token, Unit, phrases, token};

/// Builds the table of words, so that no message has to wait for it.
pub(super) fn prepare() {
    words::prepare();
}

/// An interval that a text names: its beginning and the first moment after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

/// The zone that `id` names: an IANA name or an offset; UTC where it is neither.
pub(crate) fn zone(id: Option<&ZoneId>) -> TimeZone {
    let Some(id) = id.map(ZoneId::as_str) else {
        return TimeZone::UTC;
    };
    offset(id)
        .or_else(|| TimeZone::get(id).ok())
        .unwrap_or(TimeZone::UTC)
}

fn offset(text: &str) -> Option<TimeZone> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes = if minutes.is_empty() {
        0
    } else {
        minutes.get(..2)?.parse::<i32>().ok()?
    };
    let seconds = sign * (hours.parse::<i32>().ok()? * 3600 + minutes * 60);
    Some(TimeZone::fixed(jiff::tz::Offset::from_seconds(seconds).ok()?))
}

/// The time relative to `now` that `text` names, if one, and the parts of the text that name it. Months with
/// or without a year are not looked for: [`named_dates`](super::named_dates) finds those.
pub(crate) fn relative_time(
    text: &str,
    now: Timestamp,
    zone: &TimeZone,
) -> Option<(Interval, Vec<Range<usize>>)> {
    let lower = text.to_lowercase().replace('\u{2019}', "'");
    let tokens = tokens(&lower);
    if tokens.is_empty() && !lower.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let now = Instant::from_millisecond(now.as_millis())
        .ok()?
        .to_zoned(zone.clone());
    let calendar = Calendar {
        today: now.date(),
        zone,
    };
    let (interval, used) = calendar.read(&tokens, &lower)?;
    // Spans are of the text in lower case; they serve where that has the same length.
    let spans = if lower.len() == text.len() {
        used.into_iter()
            .filter(|span| text.is_char_boundary(span.start) && text.is_char_boundary(span.end))
            .collect()
    } else {
        Vec::new()
    };
    Some((interval, spans))
}

/// A word of time and where it stands.
#[derive(Debug, Clone)]
struct Place {
    token: Token,
    span: Range<usize>,
    /// How many words stand before it.
    at: usize,
}

fn tokens(lower: &str) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    let mut taken: Vec<Range<usize>> = Vec::new();
    for &(phrase, meaning) in phrases() {
        for (start, _) in lower.match_indices(phrase) {
            let span = start..start + phrase.len();
            let is_whole = !phrase.is_ascii() || is_whole_word(lower, &span);
            if !is_whole
                || taken
                    .iter()
                    .any(|other| other.start < span.end && span.start < other.end)
            {
                continue;
            }
            let day = lower[span.end..]
                .chars()
                .next()
                .filter(|_| meaning.contains("_week"));
            let day = day.and_then(|day| CHINESE_DAYS.chars().position(|other| other == day));
            if let Some(day) = day {
                let end = span.end + '日'.len_utf8();
                let weekday = Token::Weekday(day as i8 + 1);
                places.push(Place {
                    token: weekday,
                    span: span.end..end,
                    at: start * 4 + 3,
                });
                taken.push(span.end..end);
            }
            taken.push(span.clone());
            for (n, word) in meaning.split_whitespace().enumerate() {
                if let Some(token) = token(word) {
                    places.push(Place {
                        token,
                        span: span.clone(),
                        at: start * 4 + n,
                    });
                }
            }
        }
    }
    let mut from = None;
    for (at, c) in lower.char_indices().chain([(lower.len(), ' ')]) {
        if c.is_alphanumeric() || matches!(c, '\'' | '-' | '_') || is_mark(c) {
            from.get_or_insert(at);
            continue;
        }
        if let Some(start) = from.take() {
            add_word(lower, start..at, &taken, &mut places);
        }
    }
    places.sort_by_key(|place| place.at);
    places
}

/// A vowel sign or tone that belongs to the letter before it.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{93a}'..='\u{94f}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}')
}

fn add_word(lower: &str, span: Range<usize>, taken: &[Range<usize>], places: &mut Vec<Place>) {
    let overlap = taken
        .iter()
        .filter(|other| other.start < span.end && span.start < other.end);
    if let Some(end) = overlap.map(|other| other.end).max() {
        // Of a run without spaces, what follows the phrase is looked at still.
        if end < span.end && !lower[span.clone()].is_ascii() {
            in_a_run(lower, &(end..span.end), &mut |token, span| {
                let at = span.start * 4;
                places.push(Place { token, span, at });
            });
        }
        return;
    }
    let word = lower[span.clone()].trim_matches(['\'', '-']);
    let mut add = |token, span: Range<usize>| {
        let at = span.start * 4;
        places.push(Place { token, span, at });
    };
    let bare = word.strip_suffix("'s").unwrap_or(word);
    if let Some(token) = token(word).or_else(|| token(bare)) {
        add(token, span);
        return;
    }
    let number = word.trim_end_matches(|c: char| c.is_ascii_lowercase());
    if let Ok(number) = number.parse::<i64>() {
        add(Token::Number(number), span);
    } else if !word.is_ascii() {
        in_a_run(lower, &span, &mut add);
    }
}

/// Words of time within a run of a script without spaces, the longest at each place.
fn in_a_run(lower: &str, span: &Range<usize>, add: &mut impl FnMut(Token, Range<usize>)) {
    let mut at = span.start;
    while at < span.end {
        let rest = &lower[at..span.end];
        let ends = rest.char_indices().map(|(from, c)| from + c.len_utf8());
        let found = ends
            .take(MOST_RUN)
            .filter_map(|end| {
                let word = &rest[..end];
                let is_long = word.chars().nth(1).is_some() && !word.is_ascii();
                token(word).filter(|_| is_long).map(|token| (token, end))
            })
            .last();
        if let Some((token, len)) = found {
            add(token, at..at + len);
            at += len;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
}

fn is_whole_word(text: &str, span: &Range<usize>) -> bool {
    !text[..span.start].ends_with(char::is_alphanumeric)
        && !text[span.end..].starts_with(char::is_alphanumeric)
}

/// The calendar as of a day.
struct Calendar<'a> {
    today: Date,
    zone: &'a TimeZone,
}

impl Calendar<'_> {
    fn read(&self, tokens: &[Place], lower: &str) -> Option<(Interval, Vec<Range<usize>>)> {
        if let Some(found) = self.digits(lower) {
            return Some(found);
        }
        for (n, place) in tokens.iter().enumerate() {
            let beside = |other: usize| tokens.get(other);
            let before = n.checked_sub(1).and_then(beside);
            let after = beside(n + 1);
            let near = |other: Option<&Place>, test: fn(Token) -> bool| {
                other
                    .filter(|other| test(other.token) && is_near(&other.span, &place.span, lower))
                    .cloned()
            };
            let side = |test: fn(Token) -> bool| near(before, test).or_else(|| near(after, test));
            let days = match place.token {
                Token::Day(offset) => Some(self.days(offset, 1)?),
                Token::Night(offset) => Some((self.at(offset)?, 2)),
                Token::Holiday(month, day) => {
                    let this_year = Date::new(self.today.year(), month, day).ok()?;
                    let date = if this_year > self.today {
                        this_year.checked_sub(1.year()).ok()?
                    } else {
                        this_year
                    };
                    Some((date, 1))
                }
                _ => None,
            };
            if let Some((from, len)) = days {
                return Some((self.interval(from, len)?, vec![place.span.clone()]));
            }
            match place.token {
                Token::Weekday(day) => {
                    let side = side(|token| {
                        matches!(
                            token,
                            Token::Last | Token::This | Token::Next | Token::Unit(Unit::Week)
                        )
                    });
                    let next = side.as_ref().is_some_and(|side| side.token == Token::Next);
                    let date = self.weekday(
                        day,
                        next,
                        side.as_ref().is_some_and(|side| side.token == Token::Last),
                    )?;
                    let mut used = vec![place.span.clone()];
                    used.extend(side.map(|side| side.span));
                    return Some((self.interval(date, 1)?, used));
                }
                Token::Unit(unit) => {
                    if let Some(found) = self.unit(unit, n, tokens, lower) {
                        return Some(found);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn unit(
        &self,
        unit: Unit,
        n: usize,
        tokens: &[Place],
        lower: &str,
    ) -> Option<(Interval, Vec<Range<usize>>)> {
        let place = &tokens[n];
        let at = |offset: isize| n.checked_add_signed(offset).and_then(|at| tokens.get(at));
        let near = |other: &&Place| is_near(&other.span, &place.span, lower);
        let count = at(-1).filter(near).and_then(|other| match other.token {
            Token::Number(count) if (1..=1000).contains(&count) => Some((count, other.span.clone())),
            _ => None,
        });
        if let Some((count, span)) = count {
            let ago = [at(1), at(-2)].into_iter().flatten().find(|other| {
                matches!(other.token, Token::Ago)
                    || other.token == Token::Last && other.span.start > place.span.start
            });
            if let Some(ago) = ago {
                let (from, len) = self.ago(unit, count)?;
                return Some((
                    self.interval(from, len)?,
                    vec![ago.span.clone(), span, place.span.clone()],
                ));
            }
        }
        let sides = [at(-1), at(1)].into_iter().flatten().filter(near);
        for side in sides {
            let offset = match side.token {
                Token::Last => -1,
                Token::This => 0,
                Token::Next => 1,
                _ => continue,
            };
            let weekday = tokens.iter().find_map(|other| match other.token {
                Token::Weekday(day) => Some((day, other.span.clone())),
                _ => None,
            });
            let mut used = vec![side.span.clone(), place.span.clone()];
            if unit == Unit::Week
                && let Some((day, span)) = weekday
            {
                used.push(span);
                let monday = self.monday()?.checked_add((7 * offset).days()).ok()?;
                let date = monday.checked_add(i64::from(day - 1).days()).ok()?;
                return Some((self.interval(date, 1)?, used));
            }
            let (from, len) = self.period(unit, offset)?;
            return Some((self.interval(from, len)?, used));
        }
        None
    }

    fn at(&self, offset: i64) -> Option<Date> {
        self.today.checked_add(offset.days()).ok()
    }

    fn days(&self, offset: i64, len: i64) -> Option<(Date, i64)> {
        Some((self.at(offset)?, len))
    }

    fn monday(&self) -> Option<Date> {
        self.at(-i64::from(self.today.weekday().to_monday_zero_offset()))
    }

    /// The last such day before today, or the next one after it.
    fn weekday(&self, day: i8, next: bool, strictly_before: bool) -> Option<Date> {
        let weekday = Weekday::from_monday_one_offset(day).ok()?;
        if next {
            return self.today.nth_weekday(1, weekday).ok();
        }
        if !strictly_before && self.today.weekday() == weekday {
            return Some(self.today);
        }
        self.today.nth_weekday(-1, weekday).ok()
    }

    /// The days around what was so long ago: the vaguer the longer.
    fn ago(&self, unit: Unit, count: i64) -> Option<(Date, i64)> {
        let (date, slack) = match unit {
            Unit::Day => (self.at(-count)?, 0),
            Unit::Week | Unit::Weekend => (self.at(-7 * count)?, 1),
            Unit::Month => (self.today.checked_sub(count.months()).ok()?, 7),
            Unit::Year => (self.today.checked_sub(count.years()).ok()?, 45),
        };
        Some((date.checked_sub(slack.days()).ok()?, 2 * slack + 1))
    }

    /// The period before this one (-1), this one (0), or the next (1).
    fn period(&self, unit: Unit, offset: i64) -> Option<(Date, i64)> {
        Some(match unit {
            Unit::Day => (self.at(offset)?, 1),
            Unit::Week => (self.monday()?.checked_add((7 * offset).days()).ok()?, 7),
            Unit::Weekend => {
                // On a weekend "last weekend" is the one before.
                let saturday = self.monday()?.checked_add((7 * offset + 5).days()).ok()?;
                (saturday, 2)
            }
            Unit::Month => {
                let first = self.today.first_of_month().checked_add(offset.months()).ok()?;
                (first, i64::from(first.days_in_month()))
            }
            Unit::Year => {
                let first = self.today.first_of_year().checked_add(offset.years()).ok()?;
                (first, i64::from(first.days_in_year()))
            }
        })
    }

    /// Dates in digits: `2026-06-08`, `8.6.2026`, `8/6/2026`, `6月8日`, `6월 8일`.
    fn digits(&self, lower: &str) -> Option<(Interval, Vec<Range<usize>>)> {
        let bytes = lower.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            if !bytes[at].is_ascii_digit() {
                at += 1;
                continue;
            }
            let end = at
                + bytes[at..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'/' | b'-'))
                    .count();
            let text = lower[at..end].trim_end_matches(['.', '/', '-']);
            let parts: Option<Vec<i16>> = text
                .split(['.', '/', '-'])
                .map(|part| part.parse().ok())
                .collect();
            let date = match parts.as_deref() {
                Some(&[year, month, day]) if year > 31 => date_of(year, month, day),
                Some(&[day, month, year]) if year > 31 => {
                    date_of(year, month, day).or_else(|| date_of(year, day, month))
                }
                Some([month]) => east_asian_date(lower, at, *month, self.today),
                _ => None,
            };
            if let Some(date) = date {
                let used = std::iter::once(at..end).collect();
                return Some((self.interval(date, 1)?, used));
            }
            at = end.max(at + 1);
        }
        None
    }

    fn interval(&self, from: Date, days: i64) -> Option<Interval> {
        let until = from.checked_add(days.days()).ok()?;
        let moment = |date: Date| {
            let zoned = date.to_zoned(self.zone.clone()).ok()?;
            Some(Timestamp::from_millis(zoned.timestamp().as_millisecond()))
        };
        Some(Interval {
            from: moment(from)?,
            until: moment(until)?,
        })
    }
}

fn date_of(year: i16, month: i16, day: i16) -> Option<Date> {
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// `6月8日` or `6월 8일` at `at`, of the last year in which it is not in the future.
fn east_asian_date(lower: &str, at: usize, month: i16, today: Date) -> Option<Date> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &lower[at + digits(&lower[at..])..];
    let rest = rest
        .strip_prefix('月')
        .or_else(|| rest.strip_prefix('월'))?
        .trim_start();
    let day: i8 = rest[..digits(rest)].parse().ok()?;
    let rest = &rest[digits(rest)..];
    if !rest.starts_with(['日', '号', '일']) {
        return None;
    }
    let date = Date::new(today.year(), i8::try_from(month).ok()?, day).ok()?;
    if date > today {
        date.checked_sub(1.year()).ok()
    } else {
        Some(date)
    }
}

/// Whether nothing but blanks, or a short word, lies between two words.
fn is_near(a: &Range<usize>, b: &Range<usize>, text: &str) -> bool {
    let (from, until) = (a.end.min(b.end), a.start.max(b.start));
    from >= until || text[from..until].trim().chars().count() <= MOST_BETWEEN
}

/// The days of a week after 上周 and the like, Monday first.
const CHINESE_DAYS: &str = "一二三四五六日";
/// Characters of a word in a script without spaces, at most.
const MOST_RUN: usize = 8;
/// "la semana", "des letzten": an article fits between.
const MOST_BETWEEN: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar_in_the_zone() {
        let berlin: ZoneId = "+02:00".parse().unwrap();
        let now: Timestamp = "2026-06-10T00:30:00+02:00".parse().unwrap();
        let check = |text: &str, from: &str, days: i64| {
            let found = relative_time(text, now, &zone(Some(&berlin)));
            let (interval, _) = found.unwrap_or_else(|| panic!("{text}: no time"));
            let from: Timestamp = format!("{from}T00:00:00+02:00").parse().unwrap();
            assert_eq!(interval.from, from, "{text}");
            assert_eq!(
                interval.until.as_millis() - from.as_millis(),
                days * 86_400_000,
                "{text}"
            );
        };
        // A Wednesday.
        check("What did I do yesterday?", "2026-06-09", 1);
        check("and the day before yesterday", "2026-06-08", 1);
        check("What happened last Friday?", "2026-06-05", 1);
        check("What happened last Wednesday?", "2026-06-03", 1);
        check("three days ago", "2026-06-07", 1);
        check("a week ago", "2026-06-02", 3);
        check("what did I do last week", "2026-06-01", 7);
        check("last month", "2026-05-01", 31);
        check("was habe ich gestern gemacht", "2026-06-09", 1);
        check("vor drei Tagen", "2026-06-07", 1);
        check("letzte Woche", "2026-06-01", 7);
        check("hace tres días", "2026-06-07", 1);
        check("la semana pasada", "2026-06-01", 7);
        check("il y a trois jours", "2026-06-07", 1);
        check("la semaine dernière", "2026-06-01", 7);
        check("semana passada", "2026-06-01", 7);
        check("в прошлую пятницу", "2026-06-05", 1);
        check("три дня назад", "2026-06-07", 1);
        check("昨天我做了什么", "2026-06-09", 1);
        check("上周五我做了什么", "2026-06-05", 1);
        check("昨日何をした", "2026-06-09", 1);
        check("先週の金曜日", "2026-06-05", 1);
        check("어제 뭐 했지", "2026-06-09", 1);
        check("지난주 금요일", "2026-06-05", 1);
        check("on 8.6.2026", "2026-06-08", 1);
        check("on 2026-06-08", "2026-06-08", 1);
        check("6月8日", "2026-06-08", 1);
        check("at Halloween", "2025-10-31", 1);
    }

    #[test]
    fn words_of_time_without_a_time_are_none() {
        let now: Timestamp = "2026-06-10T00:30:00Z".parse().unwrap();
        for text in [
            "Which dog?",
            "the last one",
            "I have two days",
            "",
            "how many weeks",
            "3.5 or 2/3",
        ] {
            assert_eq!(relative_time(text, now, &TimeZone::UTC), None, "{text}");
        }
    }

    #[test]
    fn a_zone_is_a_name_or_an_offset() {
        let name = |text: &str| zone(Some(&text.parse().unwrap()));
        assert_eq!(name("-03:30").to_offset(Instant::UNIX_EPOCH).seconds(), -12_600);
        assert_eq!(
            name("Asia/Tokyo").to_offset(Instant::UNIX_EPOCH).seconds(),
            32_400
        );
        assert_eq!(name("nowhere"), TimeZone::UTC);
        assert_eq!(zone(None), TimeZone::UTC);
    }
}
