//! `Duration` as text: a decimal number and one of `us`, `ms`, `s`, `min`, `h`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de};

const UNITS: [(&str, f64); 5] = [
    ("us", 1e-6),
    ("ms", 1e-3),
    ("min", 60.0),
    ("s", 1.0),
    ("h", 3600.0),
];

pub(super) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&print(*value))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(&text), &"a time such as 250ms"))
}

/// `None` as the empty text, so that a time can be taken away again in formats without a null.
pub(super) mod option {
    use super::{Deserialize, Deserializer, Duration, Serializer, de, parse, print};

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(in super::super) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.map(print).unwrap_or_default())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(None);
        }
        let invalid = || de::Error::invalid_value(de::Unexpected::Str(&text), &"a time such as 250ms");
        parse(&text).map(Some).ok_or_else(invalid)
    }
}

fn print(value: Duration) -> String {
    let micros = value.as_micros();
    match micros {
        m if m % 1_000_000 == 0 => format!("{}s", m / 1_000_000),
        m if m % 1000 == 0 => format!("{}ms", m / 1000),
        m => format!("{m}us"),
    }
}

fn parse(text: &str) -> Option<Duration> {
    let (unit, seconds) = UNITS.iter().find(|(unit, _)| text.ends_with(unit))?;
    let number: f64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
    Duration::try_from_secs_f64(number * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_and_printed() {
        for (text, micros) in [
            ("250ms", 250_000),
            ("1.5s", 1_500_000),
            ("3min", 180_000_000),
            ("2h", 7_200_000_000),
            ("40us", 40),
            ("0s", 0),
        ] {
            let value = parse(text).unwrap();
            assert_eq!(value, Duration::from_micros(micros), "{text}");
            assert_eq!(parse(&print(value)), Some(value));
        }
        for text in ["", "5", "ms", "-1s", "NaNs", "1e400s", "1 day"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
