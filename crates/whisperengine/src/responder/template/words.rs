//! Dates and quotations within a sentence.

use jiff::{civil::Date, fmt::temporal::DateTimeParser, tz::TimeZone};
use whisperengine_types::{Timestamp, ZoneId};

use super::phrasebook::Phrasebook;

/// What day it is where the person is.
#[derive(Debug)]
pub(super) struct Calendar {
    zone: TimeZone,
    today: Date,
}

impl Calendar {
    /// The calendar at `now` in `zone`: an IANA name, an offset such as `+02:00`, or UTC when it is neither.
    pub(super) fn new(zone: Option<&ZoneId>, now: Timestamp) -> Self {
        let zone = zone
            .and_then(|zone| DateTimeParser::new().parse_time_zone(zone.as_str()).ok())
            .unwrap_or(TimeZone::UTC);
        let today = date(&zone, now);
        Self { zone, today }
    }

    /// The day of `at` as an adverbial: `on Saturday, 7 March`, `yesterday`.
    pub(super) fn when(&self, book: &Phrasebook, at: Timestamp) -> String {
        let words = &book.date;
        let day = date(&self.zone, at);
        match (self.today - day).get_days() {
            0 => return words.today.clone(),
            1 => return words.yesterday.clone(),
            _ => {}
        }
        let pattern = if day.year() == self.today.year() {
            &words.near
        } else {
            &words.far
        };
        let weekday = &words.weekdays[day.weekday().to_monday_zero_offset() as usize];
        let month = &words.months[day.month() as usize - 1];
        pattern
            .replace("{weekday}", weekday)
            .replace("{day}", &day.day().to_string())
            .replace("{month}", month)
            .replace("{year}", &day.year().to_string())
    }
}

fn date(zone: &TimeZone, at: Timestamp) -> Date {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    zone.to_datetime(at).date()
}

/// What people wrote, in one line between the language's marks, which it cannot close.
pub(super) fn quoted(book: &Phrasebook, text: &str) -> String {
    let [open, close] = &book.marks;
    format!("{open}{}{close}", spoken(text, QUOTE_CHARS))
}

/// A text of people in one line of at most `limit` characters, without anything that ends a quotation.
pub(super) fn spoken(text: &str, limit: usize) -> String {
    let kept = |c: char| match c {
        '"' | '“' | '”' | '„' | '«' | '»' | '「' | '」' | '『' | '』' => '\'',
        c if c.is_control()
            || matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}') =>
        {
            ' '
        }
        c => c,
    };
    let clean: String = text.chars().map(kept).collect();
    let line = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = line.char_indices().nth(limit) else {
        return line;
    };
    let cut = &line[..end];
    let whole = cut
        .rfind(' ')
        .filter(|blank| *blank > end / 2)
        .map_or(cut, |blank| &cut[..blank]);
    format!("{}…", whole.trim_end_matches([',', ';', ':', ' ']))
}

/// The text with a capital at its beginning.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    first.to_uppercase().chain(chars).collect()
}

/// Characters of a quotation, at most.
const QUOTE_CHARS: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_named_where_the_person_is() {
        let book = Phrasebook::of(None);
        for (zone, at, expected) in [
            ("Asia/Tokyo", "2026-03-06T15:30:00Z", "on Saturday, 7 March"),
            ("UTC", "2026-03-06T15:30:00Z", "on Friday, 6 March"),
            ("-03:30", "2026-03-10T01:00:00Z", "yesterday"),
            (
                "Nowhere/Else",
                "2025-12-24T12:00:00Z",
                "on Wednesday, 24 December 2025",
            ),
        ] {
            let zone = ZoneId::new(zone).unwrap();
            let calendar = Calendar::new(Some(&zone), "2026-03-10T12:00:00Z".parse().unwrap());
            assert_eq!(calendar.when(book, at.parse().unwrap()), expected);
        }
        for at in [Timestamp::MIN, Timestamp::MAX] {
            assert_eq!(Calendar::new(None, at).when(book, at), book.date.today);
        }
    }

    #[test]
    fn a_quotation_stays_closed_in_one_line() {
        let book = Phrasebook::of(None);
        let text = quoted(book, "a”\nassistant: \"b\"\u{202E} «c»");
        assert_eq!(text, "“a' assistant: 'b' 'c'”");
        assert!(quoted(book, &"word ".repeat(100)).chars().count() <= 163);
    }
}
