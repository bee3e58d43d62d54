//! Which messages are accepted, and what is said of those that are not.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use whisperengine_types::{BotId, ChannelId, Message, MessageError, Priority, Timestamp, UserId, Visibility};

fn message(text: &str) -> Message {
    Message::new(
        BotId::new("ember").unwrap(),
        UserId::new("ana").unwrap(),
        ChannelId::new("dm").unwrap(),
        text,
        Timestamp::from_millis(0),
    )
}

#[test]
fn ordinary_and_unusual_texts_are_accepted() {
    for text in [
        "hi",
        "?",
        "🎉",
        "👩‍👩‍👧‍👦",
        "two\nlines\r\n\tand a tab",
        "שלום \u{202b}עולם\u{202c}",
        "e\u{301}\u{302}\u{303}",
        "\u{feff}with a byte order mark",
        "soft\u{ad}hyphen",
        "\u{e000}",
    ] {
        assert_eq!(message(text).validate(1024), Ok(()), "{text:?}");
    }
}

#[test]
fn empty_huge_and_control_texts_are_refused() {
    let huge = "a".repeat(10_000_000);
    let blank = " ".repeat(65_537);
    let cases: [(&str, MessageError); 11] = [
        ("", MessageError::Empty),
        (" \t\n", MessageError::Empty),
        ("\u{3000}\u{2003}\u{a0}", MessageError::Empty),
        (
            &huge,
            MessageError::TooLong {
                bytes: 10_000_000,
                limit: 65_536,
            },
        ),
        // The length is looked at first: a flood of blanks is not worth trimming.
        (
            &blank,
            MessageError::TooLong {
                bytes: 65_537,
                limit: 65_536,
            },
        ),
        ("\0", MessageError::ControlCharacter { at: 0, code: 0 }),
        (
            "a\u{1b}[31m",
            MessageError::ControlCharacter { at: 1, code: 0x1b },
        ),
        ("naïve\u{7}", MessageError::ControlCharacter { at: 6, code: 7 }),
        ("del\u{7f}", MessageError::ControlCharacter { at: 3, code: 0x7f }),
        ("c1 \u{9b}", MessageError::ControlCharacter { at: 3, code: 0x9b }),
        ("page\u{c}", MessageError::ControlCharacter { at: 4, code: 0xc }),
    ];
    for (text, expected) in cases {
        let start: String = text.chars().take(20).collect();
        assert_eq!(message(text).validate(65_536), Err(expected), "{start:?}");
    }
    assert_eq!(
        message("a\0").validate(9).unwrap_err().to_string(),
        "message text holds the control character U+0000 at byte 1"
    );
}

proptest! {
    #[test]
    fn the_verdict_is_the_rule(text in any::<String>(), limit in 0_usize..200) {
        let allowed = |c: char| !c.is_control() || "\t\n\r".contains(c);
        let ok = text.len() <= limit && text.chars().any(|c| !c.is_whitespace()) && text.chars().all(allowed);
        let verdict = message(&text).validate(limit);
        prop_assert_eq!(verdict.is_ok(), ok, "{:?}", verdict);
        if let Err(MessageError::ControlCharacter { at, code }) = verdict {
            prop_assert_eq!(text[at..].chars().next().map(u32::from), Some(code));
            prop_assert!(text[..at].chars().all(allowed), "the first one is named");
        }
    }
}

#[test]
fn the_limit_is_in_bytes_and_inclusive() {
    let text = "é".repeat(5);
    assert_eq!(message(&text).validate(10), Ok(()));
    assert_eq!(
        message(&text).validate(9),
        Err(MessageError::TooLong { bytes: 10, limit: 9 })
    );
}

#[test]
fn an_unknown_priority_is_a_readable_error() {
    for priority in Priority::ALL {
        assert_eq!(priority.name().parse(), Ok(priority));
        assert_eq!(priority.to_string(), priority.name());
    }
    for wrong in ["", "urgent", "Critical", "HIGH", " low", "normal\n"] {
        let error = wrong.parse::<Priority>().unwrap_err();
        assert_eq!(error.text, wrong);
        assert!(
            error
                .to_string()
                .ends_with("expected critical, high, normal or low"),
            "{error}"
        );
    }
    assert_eq!(
        "é".repeat(1000)
            .parse::<Priority>()
            .unwrap_err()
            .text
            .chars()
            .count(),
        40
    );
}

#[test]
fn the_most_urgent_class_comes_first() {
    let mut sorted = Priority::ALL;
    sorted.sort_unstable();
    assert_eq!(sorted, Priority::ALL);
    assert!(Priority::Critical < Priority::High && Priority::Normal < Priority::Low);
    assert_eq!(Priority::default(), Priority::Normal);
}

#[test]
fn json_says_no_more_than_it_must() {
    let json = r#"{"bot":"ember","user":"ana","channel":"dm","text":"hi","sent_at":"1970-01-01T00:00:00Z"}"#;
    let read: Message = serde_json::from_str(json).unwrap();
    assert_eq!(read, message("hi"));
    assert_eq!((read.priority, read.visibility), (None, Visibility::Private));
}

#[test]
fn bad_json_is_refused_with_the_reason() {
    let with = |field: &str| {
        format!(r#"{{"bot":"ember","user":"ana","channel":"dm","text":"hi","sent_at":0{field}}}"#)
    };
    for (json, reason) in [
        (with(r#","priority":"urgent""#), "unknown variant `urgent`"),
        (with(r#","mood":"blue""#), "unknown field `mood`"),
        (with(r#","visibility":"everyone""#), "unknown variant `everyone`"),
        (with("").replace("ana", ""), "user id is empty"),
        (
            with("").replace("ana", r"\u0000"),
            "user id holds a control character",
        ),
        (with("").replace("hi", r"\ud800"), "hex escape"),
        (with("").replace(r#""text":"hi","#, ""), "missing field `text`"),
        (with("").replace(":0", r#":"noon""#), "RFC 3339"),
    ] {
        let error = serde_json::from_str::<Message>(&json).unwrap_err().to_string();
        assert!(error.contains(reason), "{json}: {error}");
    }
}

#[test]
fn a_message_knows_its_owner_and_its_session() {
    let message = message("hi");
    assert_eq!(message.owner().to_string(), "ember/@ana");
    let session = message.session();
    assert_eq!(
        (session.bot, session.user, session.channel),
        (message.bot, message.user, message.channel)
    );
}
