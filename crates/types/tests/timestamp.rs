//! Times are read and printed as jiff reads and prints them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use proptest::prelude::*;
use whisperengine_types::Timestamp;

fn instants() -> impl Strategy<Value = Timestamp> {
    let (first, last) = (Timestamp::MIN.as_millis(), Timestamp::MAX.as_millis());
    let near_epoch = -100_000_000_000_i64..4_000_000_000_000;
    prop_oneof![first..=last, near_epoch].prop_map(Timestamp::from_millis)
}

/// What jiff makes of a text, in milliseconds, rounded down.
fn by_jiff(text: &str) -> Option<i64> {
    let instant: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(instant.as_nanosecond().div_euclid(1_000_000)).ok()
}

proptest! {
    #[test]
    fn prints_what_jiff_prints(at in instants()) {
        let by_jiff = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap();
        let format = if at.as_millis() % 1000 == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.3fZ" };
        prop_assert_eq!(at.to_string(), by_jiff.strftime(format).to_string());
        prop_assert_eq!(at.to_string().parse::<Timestamp>(), Ok(at));
    }

    #[test]
    fn reads_any_offset_and_fraction(
        at in instants(),
        offset_minutes in -(23 * 60 + 59)..=(23 * 60 + 59_i32),
        digits in 0_usize..=9,
        separator in prop::sample::select(vec!['T', 't', ' ']),
    ) {
        // The local time must have a year of four digits too.
        let day = Duration::from_hours(24);
        prop_assume!(at > Timestamp::MIN + day && at < Timestamp::MAX - day);
        let offset = jiff::tz::Offset::from_seconds(offset_minutes * 60).unwrap();
        let local = offset.to_datetime(jiff::Timestamp::from_millisecond(at.as_millis()).unwrap());
        let fraction = format!("{:09}", local.subsec_nanosecond());
        let fraction = if digits == 0 { String::new() } else { format!(".{}", &fraction[..digits]) };
        let text = format!(
            "{}{separator}{}{fraction}{}{:02}:{:02}",
            local.strftime("%Y-%m-%d"),
            local.strftime("%H:%M:%S"),
            if offset_minutes < 0 { '-' } else { '+' },
            offset_minutes.abs() / 60,
            offset_minutes.abs() % 60,
        );
        let read: Timestamp = text.parse().unwrap();
        prop_assert_eq!(Some(read.as_millis()), by_jiff(&text));
    }

    /// Calendar-shaped texts, most of them impossible dates: accepted exactly where jiff accepts them.
    #[test]
    fn accepts_the_dates_that_exist(
        year in 0_u32..=9999,
        month in 0_u32..=13,
        day in 0_u32..=32,
        hour in 0_u32..=24,
        minute in 0_u32..=60,
        second in 0_u32..=61,
    ) {
        let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
        prop_assert_eq!(text.parse::<Timestamp>().ok().map(Timestamp::as_millis), by_jiff(&text), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in "\\PC{0,40}") {
        let _ = text.parse::<Timestamp>();
    }

    /// One character of a good time replaced: never read as something that jiff does not see too.
    #[test]
    fn a_garbled_time_is_not_guessed(at in instants(), place in 0_usize..20, with in "\\PC") {
        let good = at.to_string();
        let Some((start, old)) = good.char_indices().nth(place) else { return Ok(()) };
        let garbled = format!("{}{with}{}", &good[..start], &good[start + old.len_utf8()..]);
        if let Ok(read) = garbled.parse::<Timestamp>() {
            prop_assert_eq!(Some(read.as_millis()), by_jiff(&garbled), "{}", garbled);
        }
    }

    #[test]
    fn the_order_of_times_is_the_order_of_their_texts(a in instants(), b in instants()) {
        // Fractions are left out: "…00Z" and "…00.500Z" do not sort as text.
        let whole = |at: Timestamp| Timestamp::from_millis(at.as_millis().div_euclid(1000) * 1000);
        let (a, b) = (whole(a), whole(b));
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }

    #[test]
    fn adding_and_taking_away_stay_in_range(at in instants(), span in any::<u64>()) {
        let span = Duration::from_millis(span);
        for moved in [at + span, at - span] {
            prop_assert!((Timestamp::MIN..=Timestamp::MAX).contains(&moved));
        }
        prop_assert!(at + span >= at && at - span <= at);
        if at + span < Timestamp::MAX {
            prop_assert_eq!((at + span).since(at), span);
            prop_assert_eq!(at + span - span, at);
        }
        prop_assert_eq!((at - span).since(at), Duration::ZERO, "a clock that went backwards");
    }
}

#[test]
fn the_first_and_the_last_time_have_a_text() {
    assert_eq!(Timestamp::MIN.to_string(), "0000-01-01T00:00:00Z");
    assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999Z");
    assert_eq!(Timestamp::default().to_string(), "1970-01-01T00:00:00Z");
    assert_eq!(Timestamp::from_millis(i64::MIN), Timestamp::MIN);
    assert_eq!(Timestamp::from_millis(i64::MAX), Timestamp::MAX);
    // An offset may push a time out of range; it stays at the end of it.
    assert_eq!("9999-12-31T23:59:59-01:00".parse(), Ok(Timestamp::MAX));
    assert_eq!("0000-01-01T00:00:00+01:00".parse(), Ok(Timestamp::MIN));
}

#[test]
fn leap_days_are_where_the_calendar_has_them() {
    let leap_days = (0..=9999).filter(|year| {
        let text = format!("{year:04}-02-29T12:00:00Z");
        let read = text.parse::<Timestamp>().ok();
        assert_eq!(read.map(Timestamp::as_millis), by_jiff(&text), "{text}");
        assert!(read.is_none_or(|at| at.to_string() == text));
        read.is_some()
    });
    assert_eq!(leap_days.count(), 2425);
}

#[test]
fn what_is_not_a_time_is_refused_and_quoted() {
    for text in [
        "",
        "yesterday",
        "2026-03-02",
        "2026-03-02T10:00:00",
        "2026-03-02T10:00Z",
        "2026-3-2T10:00:00Z",
        "2026-02-29T10:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T10:00:00.Z",
        "2026-03-02T10:00:00,5Z",
        "2026-03-02T10:00:00+24:00",
        "2026-03-02T10:00:00+0100",
        "2026-03-02T10:00:00Z ",
        " 2026-03-02T10:00:00Z",
        "+2026-03-02T10:00:00Z",
        "２０26-03-02T10:00:00Z",
    ] {
        let refused = text.parse::<Timestamp>().unwrap_err();
        assert_eq!(refused.text, text);
        assert!(refused.to_string().contains("RFC 3339"), "{refused}");
    }
    let long = "x".repeat(10_000_000);
    assert_eq!(long.parse::<Timestamp>().unwrap_err().text.len(), 40);
}

#[test]
fn json_holds_rfc_3339_and_reads_milliseconds_too() {
    let at: Timestamp = "2026-03-02T09:30:00.250Z".parse().unwrap();
    let json = serde_json::to_string(&at).unwrap();
    assert_eq!(json, r#""2026-03-02T09:30:00.250Z""#);
    for same in [
        json.as_str(),
        r#""2026-03-02T10:30:00.250+01:00""#,
        &at.as_millis().to_string(),
    ] {
        assert_eq!(serde_json::from_str::<Timestamp>(same).unwrap(), at, "{same}");
    }
    for (out_of_range, end) in [
        ("18446744073709551615", Timestamp::MAX),
        ("-9223372036854775808", Timestamp::MIN),
    ] {
        assert_eq!(serde_json::from_str::<Timestamp>(out_of_range).unwrap(), end);
    }
    for wrong in ["null", "1.5", "true", r#""soon""#, "[]"] {
        assert!(serde_json::from_str::<Timestamp>(wrong).is_err(), "{wrong}");
    }
}
