//! Dates that a question names, and times that a memory tells of.
//!
//! "What did Ana do in July 2023?" asks for memories of that month, and for one of early August that
//! speaks of "last month". Both are intervals of days; where they meet, the memory fits.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

use super::civil::{day_number, month_start, year_and_month};

/// An interval of time in days since 1970-01-01, from inclusive, to exclusive.
pub(crate) type Days = (f64, f64);

/// A date in a question; parts that it leaves open are `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NamedDate {
    year: Option<i64>,
    month: i64,
    day: Option<i64>,
}

/// The dates that `question` names, and its text without them.
pub(crate) fn named_dates(question: &str) -> (Vec<NamedDate>, Cow<'_, str>) {
    if !some_word(question, may_be_of_a_date) {
        return (Vec::new(), Cow::Borrowed(question));
    }
    let has_digit = question.bytes().any(|b| b.is_ascii_digit());
    if !has_digit && !MONTH.is_match(question) {
        return (Vec::new(), Cow::Borrowed(question));
    }
    let lower = question.to_lowercase().replace(',', " ").replace("  ", " ");
    let number = |text: Option<regex::Match<'_>>| text.and_then(|text| text.as_str().parse::<i64>().ok());
    let lone_year: Option<i64> = YEAR.find(&lower).and_then(|year| year.as_str().parse().ok());
    let mut used: Vec<std::ops::Range<usize>> = Vec::new();
    let mut dates = Vec::new();
    for pattern in [&*DAY_MONTH, &*MONTH_DAY, &*MONTH_ALONE] {
        for found in pattern.captures_iter(&lower) {
            let (Some(whole), Some(name)) = (found.get(0), found.name("month")) else {
                continue;
            };
            if used.iter().any(|span| span.contains(&whole.start())) {
                continue;
            }
            let day = number(found.name("day"));
            let year = number(found.name("year"));
            if day.is_none() && year.is_none() && may_be_a_word(name.as_str(), &lower[..whole.start()]) {
                continue;
            }
            used.push(whole.range());
            dates.push(NamedDate {
                year: year.or(lone_year),
                month: month_of(name.as_str()),
                day,
            });
        }
    }
    if dates.is_empty() && lone_year.is_none() {
        return (dates, Cow::Borrowed(question));
    }
    (dates, DATE_WORDS.replace_all(question, " "))
}

impl NamedDate {
    /// The days meant, in each of the years `years` where the question names none.
    pub(crate) fn intervals(self, years: std::ops::RangeInclusive<i64>) -> Vec<Days> {
        let years = self.year.map_or(years, |year| year..=year);
        let interval = |year| {
            Some(match self.day {
                Some(day) => {
                    let from = day_number(year, self.month, day)?;
                    (from as f64, from as f64 + 1.0)
                }
                None => (
                    month_start(year, self.month) as f64,
                    month_start(year, self.month + 1) as f64,
                ),
            })
        };
        years.take(MOST_YEARS).filter_map(interval).collect()
    }
}

/// The one year that `question` names, as an interval.
pub(crate) fn lone_year(question: &str) -> Option<Days> {
    if !question.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let year: i64 = YEAR.find(question)?.as_str().parse().ok()?;
    Some((month_start(year, 1) as f64, month_start(year + 1, 1) as f64))
}

/// The year of a time in days.
pub(crate) fn year_of(days: f64) -> i64 {
    year_and_month(days.floor() as i64).0
}

/// Compiles the patterns, which takes some milliseconds, so that no message has to wait for it.
pub(super) fn prepare() {
    for pattern in [
        &MONTH,
        &YEAR,
        &DAY_MONTH,
        &MONTH_DAY,
        &MONTH_ALONE,
        &IN,
        &DATE_WORDS,
        &TOLD,
    ] {
        LazyLock::force(pattern);
    }
}

/// The times that a text said at time `said` (in days) tells of: "yesterday", "two weeks ago", ...
pub(crate) fn told_times(text: &str, said: f64) -> Vec<Days> {
    let mut told = Vec::new();
    if !some_word(text, |word| {
        TELLING
            .iter()
            .any(|telling| telling.as_bytes().eq_ignore_ascii_case(word))
    }) {
        return told;
    }
    for found in TOLD.captures_iter(text) {
        if let Some(count) = found.name("count") {
            let Some(unit) = found.name("unit") else { continue };
            let (count, unit) = (number_of(count.as_str()), unit_days(unit.as_str()));
            told.push((said - (count + 0.5) * unit, said - (count - 0.5) * unit));
        } else if let (Some(side), Some(unit)) = (found.name("side"), found.name("period")) {
            told.push(period(
                &side.as_str().to_lowercase(),
                &unit.as_str().to_lowercase(),
                said,
            ));
        } else if found[0].eq_ignore_ascii_case("tomorrow") {
            told.push((said, said + 2.0));
        } else {
            told.push((said - 1.0, said));
        }
    }
    told
}

/// Whether a word of ASCII letters passes `test`, as far as that is cheap to tell: always where there is the one
/// letter beyond ASCII, a long s, that the patterns take for one within.
fn some_word(text: &str, test: impl Fn(&[u8]) -> bool) -> bool {
    let words = text
        .as_bytes()
        .split(|b| !b.is_ascii_alphanumeric() && *b != b'_');
    text.contains(LONG_S) || words.filter(|word| word.len() >= 3).any(test)
}

/// Whether a word of three letters or more names a month or is a number like a year.
fn may_be_of_a_date(word: &[u8]) -> bool {
    let is_month = |(short, rest): (&&str, &&str)| {
        let (first, last) = word.split_at(3);
        let is_rest = last.is_empty() || last.eq_ignore_ascii_case(rest.as_bytes());
        first.eq_ignore_ascii_case(short.as_bytes()) && (is_rest || word.eq_ignore_ascii_case(b"sept"))
    };
    word.len() == 4 && word.iter().all(u8::is_ascii_digit) || MONTHS.iter().zip(&MONTH_ENDS).any(is_month)
}

fn period(side: &str, unit: &str, said: f64) -> Days {
    let unit_length = unit_days(unit);
    match (side, unit) {
        ("next" | "coming", _) => (said, said + 2.0 * unit_length),
        (_, "month") => {
            let (year, month) = year_and_month(said.floor() as i64);
            (
                month_start(year, month - 1) as f64,
                month_start(year, month) as f64,
            )
        }
        (_, "year") => (said - 730.0, said - 180.0),
        (_, "week") => (said - 14.0, said),
        _ => (said - 1.3 * unit_length, said),
    }
}

fn unit_days(unit: &str) -> f64 {
    match unit.to_lowercase().as_str() {
        "day" => 1.0,
        "month" => 30.4,
        "year" => 365.0,
        // Weeks, weekends and "last Friday".
        _ => 7.0,
    }
}

fn number_of(word: &str) -> f64 {
    let word = word.to_lowercase();
    let place = NUMBERS
        .iter()
        .find(|(name, _)| *name == word)
        .map(|&(_, number)| number);
    place.or_else(|| word.parse().ok()).unwrap_or(1.0)
}

/// "May", "Mar" and "March" are months only after a word such as "in" or with a year.
fn may_be_a_word(name: &str, before: &str) -> bool {
    matches!(name, "may" | "mar" | "march") && !IN.is_match(before)
}

fn month_of(name: &str) -> i64 {
    let at = MONTHS.iter().position(|month| name.starts_with(month));
    at.map_or(1, |at| at as i64 + 1)
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is constant and tested")
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
/// What follows in the whole name.
const MONTH_ENDS: [&str; 12] = [
    "uary", "ruary", "ch", "il", "", "e", "y", "ust", "tember", "ober", "ember", "ember",
];
/// Each expression for a time told of has one of these.
const TELLING: [&str; 7] = ["last", "next", "ago", "yesterday", "tomorrow", "past", "coming"];
const NUMBERS: [(&str, f64); 13] = [
    ("a", 1.0),
    ("an", 1.0),
    ("one", 1.0),
    ("two", 2.0),
    ("couple", 2.0),
    ("few", 3.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
];
const LONG_S: char = '\u{17f}';
/// A question without a year asks of each year in which the owner said something, up to this many.
const MOST_YEARS: usize = 100;

const MONTH_NAMES: &str = r"(?P<month>january|february|march|april|may|june|july|august|september|october|november|december|sept|jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec)";

static MONTH: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"(?i)\b{MONTH_NAMES}\b")));
static YEAR: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?:19|20)\d\d\b"));
static DAY_MONTH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?{MONTH_NAMES}\b(?: (?P<year>(?:19|20)\d\d))?"
    ))
});
static MONTH_DAY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\b{MONTH_NAMES} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?: (?P<year>(?:19|20)\d\d))?"
    ))
});
static MONTH_ALONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"\b{MONTH_NAMES}\b(?: ?(?:of )?(?P<year>(?:19|20)\d\d))?"
    ))
});
static IN: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?:in|of|on|during|since|by|early|late|mid)\s$"));
static DATE_WORDS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)\b(?:(?:in|on|during|of|since|by) )?(?:(?:early|late|mid)[- ])?(?:\d{1,2}(?:st|nd|rd|th)? (?:of )?)?",
        r"(?:january|february|march|april|june|july|august|september|october|november|december)\b",
        r"(?: \d{1,2}(?:st|nd|rd|th)?\b)?,?(?: (?:19|20)\d\d)?",
        r"|\b(?:in )?(?:\d{1,2}(?:st|nd|rd|th)? )?may,? (?:19|20)\d\d|\b(?:19|20)\d\d\b",
    ))
});
static TOLD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)\b(?:yesterday|last night|tomorrow",
        r"|(?P<side>last|past|next|coming) (?P<period>day|weekend|week|month|year|mon|tues|wednes|thurs|fri|satur|sun)(?:day)?",
        r"|(?P<count>\d{1,4}|an|a|one|two|few|couple|three|four|five|six|seven|eight|nine|ten)(?: of)? (?P<unit>day|week|month|year)s? ago)\b",
    ))
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_time_is_overlooked_by_looking_at_words_first(
            parts in prop::collection::vec(prop::sample::select(vec![
                "last", "LAST", "la\u{17f}t", "next", "week", "month", "Friday", "2023", "1999", "20", "9th", "3",
                "may", "May", "sept", "December", "MARCH", "mark", "june", "Aug", "decide", "of", "in", "two", "ago", "yesterday", "tomorrow", "last night",
                " ", " ", " ", ",", "-", "_", "\u{e9}", "\u{2019}", "\u{130}", "wee\u{212a}", "\u{17f}ept", "past", "day", "coming", "weeks",
            ]), 0..8),
        ) {
            let text = parts.concat();
            let lower = text.to_lowercase().replace(',', " ").replace("  ", " ");
            if MONTH.is_match(&lower) || YEAR.is_match(&lower) {
                prop_assert!(some_word(&text, may_be_of_a_date));
            }
            let tells = TOLD.find_iter(&text).count();
            prop_assert_eq!(told_times(&text, 0.0).len(), tells);
        }
    }

    fn check(question: &str, expected: &[(Option<i64>, i64, Option<i64>)], text: &str) {
        let (dates, cleaned) = named_dates(question);
        let expected: Vec<NamedDate> = expected
            .iter()
            .map(|&(year, month, day)| NamedDate { year, month, day })
            .collect();
        assert_eq!(dates, expected, "{question}");
        assert_eq!(cleaned.split_whitespace().collect::<Vec<_>>().join(" "), text);
    }

    #[test]
    fn questions_name_dates() {
        check(
            "What did Ana do in July 2023?",
            &[(Some(2023), 7, None)],
            "What did Ana do ?",
        );
        check(
            "Who came on 9th December 2022?",
            &[(Some(2022), 12, Some(9))],
            "Who came ?",
        );
        check(
            "Who came on May 3, 2021?",
            &[(Some(2021), 5, Some(3))],
            "Who came on May 3, ?",
        );
        check(
            "What happened in May?",
            &[(None, 5, None)],
            "What happened in May?",
        );
        check("May I march?", &[], "May I march?");
        check("Which dog?", &[], "Which dog?");
        check("since 2020", &[], "since");
    }

    #[test]
    fn open_years_mean_every_year_known() {
        let date = NamedDate {
            year: None,
            month: 2,
            day: Some(29),
        };
        assert_eq!(date.intervals(2019..=2021), [(18_321.0, 18_322.0)]);
    }

    #[test]
    fn memories_tell_of_times() {
        let said = 19_485.5;
        let check = |text: &str, expected: &[Days]| assert_eq!(told_times(text, said), expected, "{text}");
        check("Yesterday I slept", &[(said - 1.0, said)]);
        check("two weeks ago", &[(said - 17.5, said - 10.5)]);
        check("last month", &[(19_448.0, 19_478.0)]);
        check("next week", &[(said, said + 14.0)]);
        check("last Friday", &[(said - 9.1, said)]);
        check("nothing", &[]);
    }
}
