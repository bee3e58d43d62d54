//! What an id may be, and that it comes back as it went in.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashSet;

use proptest::prelude::*;
use whisperengine_types::{BotId, IdError, MemoryId, MemoryOwner, SpaceId, UserId};

proptest! {
    #[test]
    fn accepts_exactly_the_short_texts_without_control_characters(
        text in prop_oneof![any::<String>(), "[\\x00-\\u{ff}]{0,3}", "[a-é]{120,140}"],
    ) {
        let fits = !text.is_empty() && text.len() <= 256 && !text.chars().any(char::is_control);
        let id = UserId::new(&text);
        prop_assert_eq!(id.is_ok(), fits, "{:?}", id);
        if let Ok(id) = id {
            prop_assert_eq!(id.as_str(), &text);
            prop_assert_eq!(id.to_string(), text.clone());
            prop_assert_eq!(text.parse::<UserId>().unwrap(), id.clone());
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(&json, &serde_json::to_string(&text).unwrap(), "an id is plain text in JSON");
            prop_assert_eq!(serde_json::from_str::<UserId>(&json).unwrap(), id);
        } else {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert!(serde_json::from_str::<UserId>(&json).is_err(), "no way around the check");
        }
    }

    #[test]
    fn sorts_as_its_text(a in "[a-zé字]{1,9}", b in "[a-zé字]{1,9}") {
        prop_assert_eq!(MemoryId::new(&a).unwrap().cmp(&MemoryId::new(&b).unwrap()), a.cmp(&b));
    }

    #[test]
    fn a_number_is_its_digits(n in any::<u64>()) {
        prop_assert_eq!(MemoryId::from_number(n), MemoryId::new(n.to_string()).unwrap());
    }
}

#[test]
fn says_why_it_is_refused() {
    let cases = [
        (String::new(), IdError::Empty { kind: "user" }, "user id is empty"),
        (
            "é".repeat(129),
            IdError::TooLong {
                kind: "user",
                bytes: 258,
                limit: 256,
            },
            "user id has 258 bytes, more than 256",
        ),
        (
            "a\0b".to_owned(),
            IdError::ControlCharacter { kind: "user" },
            "user id holds a control character",
        ),
    ];
    for (text, expected, words) in cases {
        let refused = UserId::new(&text).unwrap_err();
        assert_eq!(refused, expected);
        assert_eq!(refused.to_string(), words);
    }
    assert!(UserId::new("é".repeat(128)).is_ok(), "exactly at the limit");
    assert!(BotId::new("").unwrap_err().to_string().starts_with("bot"));
}

#[test]
fn ids_that_look_alike_are_different() {
    // Composed and decomposed é, a joiner, a direction mark: equal on the screen, not to the byte.
    let texts = [
        "caf\u{e9}",
        "cafe\u{301}",
        "caf\u{e9}\u{200d}",
        "\u{202e}caf\u{e9}",
    ];
    let ids: HashSet<UserId> = texts.iter().map(|text| UserId::new(text).unwrap()).collect();
    assert_eq!(ids.len(), texts.len());
}

#[test]
fn owners_of_the_same_name_are_different_owners() {
    let bot = BotId::new("ember").unwrap();
    let other = BotId::new("ash").unwrap();
    let person = MemoryOwner::person(bot.clone(), UserId::new("tea").unwrap());
    let space = MemoryOwner::shared(bot.clone(), SpaceId::new("tea").unwrap());
    let elsewhere = MemoryOwner::person(other, UserId::new("tea").unwrap());
    assert_ne!(person, space);
    assert_ne!(person, elsewhere);
    assert_eq!(space.bot(), &bot);
    assert_eq!(
        [&person, &space, &elsewhere].map(ToString::to_string),
        ["ember/@tea", "ember/#tea", "ash/@tea"]
    );
}
