//! Which messages are accepted, and what is said of those that are not.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use whisperengine_types::{Audience, BotId, ChannelId, Message, MessageError, Priority, Timestamp, UserId};

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
fn empty_and_huge_texts_are_refused() {
    let huge = "a".repeat(10_000_000);
    let blank = " ".repeat(65_537);
    let too_long = |bytes| MessageError::TooLong { bytes, limit: 65_536 };
    let mut cases = vec![
        (String::new(), MessageError::Empty),
        (" \t\n".to_owned(), MessageError::Empty),
        ("\u{3000}\u{2003}\u{a0}".to_owned(), MessageError::Empty),
        ("\0\u{1b}\u{7f}".to_owned(), MessageError::Empty),
        (huge, too_long(10_000_000)),
        // The length is looked at first: a flood of blanks is not worth trimming.
        (blank, too_long(65_537)),
    ];
    let invisible = [
        '\u{200b}',
        '\u{feff}',
        '\u{2060}',
        '\u{ad}',
        '\u{3164}',
        '\u{2800}',
        '\u{200d}',
        '\u{202e}',
        '\u{fe0f}',
        '\u{e0001}',
        '\u{34f}',
        '\u{180e}',
        '\u{115f}',
        '\u{ffa0}',
    ];
    cases.extend(invisible.map(|c| (format!(" {c}{c}\n"), MessageError::Empty)));
    for (text, expected) in cases {
        let start: String = text.chars().take(20).collect();
        assert_eq!(message(&text).validate(65_536), Err(expected), "{start:?}");
    }
}

#[test]
fn stray_control_characters_become_spaces_and_the_message_is_kept() {
    for (text, cleaned) in [
        ("a\u{1b}[31m", "a [31m"),
        ("na\u{ef}ve\u{7}!", "na\u{ef}ve !"),
        ("vt\u{b}ff\u{c}nel\u{85}del\u{7f}", "vt ff nel del "),
        ("tab\tand\r\nlines", "tab\tand\r\nlines"),
        (
            "\u{202b}marks\u{202c} stay\u{200d}",
            "\u{202b}marks\u{202c} stay\u{200d}",
        ),
    ] {
        let mut message = message(text);
        assert_eq!(message.validate(1024), Ok(()), "{text:?}");
        message.clean();
        assert_eq!(message.text, cleaned, "{text:?}");
    }
}

proptest! {
    #[test]
    fn the_verdict_is_the_rule(text in any::<String>(), limit in 0_usize..200) {
        let verdict = message(&text).validate(limit);
        let is_long = text.len() > limit;
        prop_assert_eq!(matches!(verdict, Err(MessageError::TooLong { .. })), is_long, "{:?}", verdict);
        if !is_long && text.chars().any(char::is_alphanumeric) {
            prop_assert_eq!(verdict, Ok(()));
        }
    }

    #[test]
    fn a_cleaned_text_has_no_stray_controls_and_keeps_its_characters(text in any::<String>()) {
        let mut message = message(&text);
        message.clean();
        prop_assert_eq!(message.text.chars().count(), text.chars().count());
        for (before, after) in text.chars().zip(message.text.chars()) {
            let stray = before.is_control() && !"\t\n\r".contains(before);
            prop_assert_eq!(after, if stray { ' ' } else { before });
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
    assert_eq!((read.priority, read.audience), (None, Audience::Private));
}

#[test]
fn bad_json_is_refused_with_the_reason() {
    let with = |field: &str| {
        format!(r#"{{"bot":"ember","user":"ana","channel":"dm","text":"hi","sent_at":0{field}}}"#)
    };
    for (json, reason) in [
        (with(r#","priority":"urgent""#), "unknown variant `urgent`"),
        (with(r#","mood":"blue""#), "unknown field `mood`"),
        (with(r#","audience":"everyone""#), "unknown variant `everyone`"),
        (with(r#","audience":{"group":""}"#), "audience id is empty"),
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
