//! What holds for any text and any order.

mod common;

use common::{day, id, said};
use proptest::prelude::*;
use whisperengine_profile::{Error, Extracted, MAX_BYTES, Profile, Rejected, Said, validate};
use whisperengine_types::{Audience, Polarity, Slot};

const LINES: &[&str] = &[
    "I live in Oslo",
    "I moved to Bergen",
    "I moved to Turku",
    "I don't live in Turku anymore",
    "my cat Miso is ill",
    "Miso died",
    "I have two cats, Miso and Nori",
    "I love jazz",
    "I hate jazz",
    "no, I meant blues",
    "my sister Anna lives in Rome",
    "my sister Anna lives in Bari",
    "we broke up",
    "my girlfriend Nadia and I went out",
    "the rehearsal is on Tuesday",
    "sorry, not Tuesday, Friday",
    "I sold my car",
    "I'm in Paris this week",
    "I quit my job",
    "I work as a baker at Lumen",
    "I'm allergic to nuts and eggs",
    "I'm not allergic to eggs",
    "I have no pets",
    "my locker code is 7731",
    "my locker code is 1234",
    "hello",
    "I'm vegan",
    "I'm engaged",
    "my wife Nora is a judge",
];

fn languages() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "en", "de", "es", "fr", "pt", "ru", "zh", "ja", "ko", "it", "nl", "pl", "tr", "ar", "hi", "id", "vi",
        "th", "xx",
    ])
}

fn told(lines: &[usize]) -> Profile {
    let mut profile = Profile::new();
    for (n, &line) in lines.iter().enumerate() {
        profile.learn(&said(n as u64, LINES[line], day(n as i64), "en"));
    }
    profile
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn replay_gives_the_same_bytes(lines in prop::collection::vec(0..LINES.len(), 0..40)) {
        let (a, b) = (told(&lines), told(&lines));
        prop_assert_eq!(a.to_bytes(), b.to_bytes());
        let read = Profile::from_bytes(&a.to_bytes()).unwrap();
        prop_assert_eq!(&read, &a);
        prop_assert_eq!(read.to_bytes(), a.to_bytes());
    }

    #[test]
    fn a_profile_continues_after_a_restart(lines in prop::collection::vec(0..LINES.len(), 1..30), cut in 0usize..30) {
        let whole = told(&lines);
        let cut = cut.min(lines.len());
        let mut profile = Profile::from_bytes(&told(&lines[..cut]).to_bytes()).unwrap();
        for (n, &line) in lines.iter().enumerate().skip(cut) {
            profile.learn(&said(n as u64, LINES[line], day(n as i64), "en"));
        }
        prop_assert_eq!(profile.to_bytes(), whole.to_bytes());
    }

    #[test]
    fn no_fact_outlives_its_source(
        lines in prop::collection::vec(0..LINES.len(), 0..25),
        deleted in prop::collection::vec(0u64..25, 0..25),
    ) {
        let mut profile = told(&lines);
        for &n in &deleted {
            profile.forget_source(&id(n));
        }
        for fact in profile.all() {
            prop_assert!(deleted.iter().all(|&n| fact.source != id(n)));
            prop_assert!(profile.ended_by(fact).is_none_or(|by| deleted.iter().all(|&n| *by != id(n))));
        }
        for n in 0..25 {
            profile.forget_source(&id(n));
        }
        prop_assert!(profile.is_empty());
    }

    #[test]
    fn any_text_stays_within_bounds(texts in prop::collection::vec(".{0,300}", 0..20), language in languages()) {
        let mut profile = Profile::new();
        for (n, text) in texts.iter().enumerate() {
            let statement = said(n as u64, text, day(n as i64), language);
            profile.learn(&statement);
            profile.answer(&statement);
        }
        prop_assert!(profile.to_bytes().len() <= MAX_BYTES);
    }

    #[test]
    fn quotes_stand_in_their_message(lines in prop::collection::vec(0..LINES.len(), 0..20), pad in "[ a-zé.,]{0,20}") {
        let mut profile = Profile::new();
        let texts: Vec<String> = lines.iter().map(|&line| format!("{pad}. {}!", LINES[line])).collect();
        for (n, text) in texts.iter().enumerate() {
            profile.learn(&said(n as u64, text, day(n as i64), "en"));
        }
        for fact in profile.all() {
            let n: usize = fact.source.as_str().parse().unwrap();
            let span = fact.span.start as usize..fact.span.end as usize;
            prop_assert_eq!(texts[n].get(span), Some(&*fact.quote));
        }
    }

    #[test]
    fn damaged_bytes_are_refused(lines in prop::collection::vec(0..LINES.len(), 0..10), at in 0usize..400, byte: u8) {
        let mut bytes = told(&lines).to_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = Profile::from_bytes(&bytes);
        let _ = Profile::from_bytes(&bytes[..at]);
    }
}

#[test]
fn a_long_life_is_bounded() {
    let mut profile = Profile::new();
    for n in 0..3000u64 {
        let word: String = n
            .to_string()
            .bytes()
            .map(|digit| char::from(b'a' + digit - b'0'))
            .collect();
        let text =
            format!("my locker code is {n}. My friend Bob{word} lives in Town{word}. I live in Place{word}");
        profile.learn(&said(n, &text, day(n as i64), "en"));
    }
    assert!(profile.to_bytes().len() <= MAX_BYTES);
    let facts = profile.facts_in_force(day(3000));
    assert!(facts.iter().any(|fact| fact.value == "Placecjjj"));
    assert!(
        facts
            .iter()
            .any(|fact| fact.slot == Slot::Note && fact.value == "2999")
    );
}

/// The binary form of version 1 must stay readable.
#[test]
fn version_1_is_read() {
    let lines = [0, 1, 6, 5, 16];
    let kept = include_str!("fixtures/v1.hex").trim();
    let bytes: Vec<u8> = (0..kept.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&kept[at..at + 2], 16).unwrap())
        .collect();
    assert_eq!(told(&lines).to_bytes(), bytes);
    assert_eq!(Profile::from_bytes(&bytes), Ok(told(&lines)));
}

#[test]
fn foreign_bytes_are_refused() {
    assert_eq!(Profile::from_bytes(b""), Err(Error::NotAProfile));
    assert_eq!(
        Profile::from_bytes(b"WEPF\x09"),
        Err(Error::UnknownVersion {
            found: 9,
            supported: 1
        })
    );
    assert_eq!(
        Profile::from_bytes(&Profile::new().to_bytes()),
        Ok(Profile::new())
    );
}

#[test]
fn proposals_are_validated_against_the_message() {
    let messages = [Said {
        memory: id(1),
        text: "I finally moved to Graz",
        sent_at: day(0),
        audience: Audience::Private,
    }];
    let proposed = |memory, value: &str, quote: &str| Extracted {
        memory: id(memory),
        slot: Slot::Residence,
        value: value.to_owned(),
        detail: None,
        polarity: Polarity::Affirmed,
        quote: quote.to_owned(),
    };
    let fact = validate(&proposed(1, "Graz", "moved to Graz"), &messages).unwrap();
    assert_eq!((&*fact.quote, fact.span), ("moved to Graz", 10..23));
    assert_eq!(
        validate(&proposed(2, "Graz", "moved to Graz"), &messages),
        Err(Rejected::UnknownMessage)
    );
    assert_eq!(
        validate(&proposed(1, "Graz", "live in Graz"), &messages),
        Err(Rejected::NotQuoted)
    );
    assert_eq!(
        validate(&proposed(1, "Linz", "moved to Graz"), &messages),
        Err(Rejected::NotInQuote)
    );
    assert_eq!(
        validate(&proposed(1, "", "moved to Graz"), &messages),
        Err(Rejected::BadValue)
    );
}
