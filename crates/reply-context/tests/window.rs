//! What a dialogue window holds, lets go and forgets.

#![allow(clippy::unwrap_used)]

mod common;

use common::{at, id, line, named};
use whisperengine_reply_context::{DialogueWindow, WindowError, WindowLimits};
use whisperengine_types::{DialogueLine, UserId};

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn numbered(n: usize, line: DialogueLine) -> DialogueLine {
    DialogueLine {
        id: Some(id(&format!("m{n}"))),
        ..line
    }
}

fn limits(lines: usize) -> WindowLimits {
    let mut limits = WindowLimits::default();
    limits.lines = lines;
    limits
}

/// Pushes the texts of people (and, after `bot:`, of the bot) until all but the last fell out.
fn summarized(texts: &[&str]) -> Vec<String> {
    let mut window = DialogueWindow::new(limits(1));
    for (n, text) in texts.iter().chain(&["ok"]).enumerate() {
        let line = match text.strip_prefix("bot:") {
            Some(text) => line(true, text),
            None => line(false, text),
        };
        window.push(numbered(n, line), None);
    }
    window.summary().iter().map(|kept| kept.text.clone()).collect()
}

#[test]
fn informative_sentences_are_kept_and_small_talk_is_not() {
    let check = |text: &str, expected: &[&str]| assert_eq!(summarized(&[text]), expected, "{text}");
    check("good morning! how are you today?", &[]);
    check("haha that is so true and funny", &[]);
    check(
        "hey there. I moved to Porto last week. what's up?",
        &["I moved to Porto last week."],
    );
    check(
        "the meeting is at 9:40 in room 12",
        &["the meeting is at 9:40 in room 12"],
    );
    check("my sister Lena visits", &["my sister Lena visits"]);
    check("ich muss morgen zum Zahnarzt", &["ich muss morgen zum Zahnarzt"]);
    check("j'ai promis à Léa de venir", &["j'ai promis à Léa de venir"]);
    check("明天我要去大阪出差。你好吗？", &["明天我要去大阪出差。"]);
    check("私は来週から新しい仕事です。", &[]);
    check("завтра мне к врачу", &["завтра мне к врачу"]);
    check("bot:That sounds lovely, I am glad for you.", &[]);
    check(
        "bot:Your flight LH 441 leaves Lisbon at 9:40.",
        &["Your flight LH 441 leaves Lisbon at 9:40."],
    );
    assert_eq!(
        summarized(&["I live in Oslo.", "i live in Oslo"]),
        ["I live in Oslo."]
    );
}

#[test]
fn lines_fall_out_a_quarter_at_a_time_so_that_the_summary_rests() {
    let mut window = DialogueWindow::new(limits(8));
    let mut changes = 0;
    for n in 0..80 {
        let before = window.summary().to_vec();
        window.push(
            numbered(n, line(false, &format!("I paid invoice {n} today"))),
            None,
        );
        assert!(window.lines().len() <= 8);
        changes += usize::from(before != window.summary());
    }
    assert!(changes <= 80 / 3, "{changes}");
    let kept: usize = window.summary().iter().map(|line| line.text.len()).sum();
    assert!(kept <= 1536 && kept > 500, "{kept}");
}

#[test]
fn old_lines_fall_out() {
    let mut window = DialogueWindow::new(WindowLimits::default());
    window.push(numbered(1, line(false, "My bike is a green Gazelle")), None);
    window.expire(at("2026-03-11T00:00:00Z"));
    assert_eq!(window.lines().len(), 1);
    window.expire(at("2026-05-01T00:00:00Z"));
    assert!(window.lines().is_empty());
    assert_eq!(window.summary()[0].text, "My bike is a green Gazelle");
}

#[test]
fn a_line_delivered_twice_is_one() {
    let mut window = DialogueWindow::new(limits(8));
    window.push(numbered(1, line(false, "hello")), None);
    window.push(numbered(2, line(true, "hi")), None);
    window.push(numbered(1, line(false, "hello!")), None);
    let texts: Vec<&str> = window.lines().iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["hello!", "hi"]);
}

#[test]
fn what_is_forgotten_is_nowhere_in_the_window() {
    let mut window = DialogueWindow::new(limits(4));
    for n in 0..6 {
        let (who, text) = [("ana", "I bought a Steinway"), ("ben", "I sold my Volvo")][n % 2];
        window.push(
            numbered(n, named(who, &format!("{text} number {n}"))),
            Some(user(who)),
        );
        window.push(line(true, &format!("{text}? Great, number {n} Noted")), None);
    }
    assert!(!window.summary().is_empty());
    let has =
        |window: &DialogueWindow, word: &str| String::from_utf8_lossy(&window.to_bytes()).contains(word);
    assert!(has(&window, "Steinway") && has(&window, "Volvo"));
    assert!(window.remove_author(&user("ana")));
    assert!(!has(&window, "Steinway") && has(&window, "Volvo"));
    assert!(!window.remove_author(&user("ana")));

    assert!(window.remove(&id("m5")));
    assert!(
        !window
            .lines()
            .iter()
            .any(|line| line.text.starts_with("I sold my Volvo number 5"))
    );
    assert!(!window.remove(&id("m5")));
}

#[test]
fn an_edit_replaces_the_text_and_what_was_made_of_it() {
    let mut window = DialogueWindow::new(limits(1));
    window.push(numbered(1, line(false, "My code is 4711")), None);
    window.push(numbered(2, line(false, "My code is 4712")), None);
    assert!(window.edit(&id("m2"), "never mind"));
    assert!(window.edit(&id("m1"), "never mind"));
    assert!(window.summary().is_empty());
    assert_eq!(window.lines()[0].text, "never mind");
    assert!(!window.edit(&id("m9"), "x"));
}

#[test]
fn a_digest_stands_for_its_sentences_until_something_is_removed() {
    let filled = || {
        let mut window = DialogueWindow::new(limits(1));
        window.push(numbered(1, line(false, "I live in Oslo.")), None);
        window.push(numbered(2, line(false, "I work at Nordlys.")), None);
        window.push(numbered(3, line(false, "ok")), None);
        window
    };
    let mut window = filled();
    let request = window.to_summarize().unwrap();
    assert_eq!(request.lines.len(), 2);
    assert!(window.accept_digest(&request, "They live in Oslo.", at("2026-03-10T18:00:00Z")));
    assert_eq!(window.digest(), Some("They live in Oslo."));
    assert!(window.summary().is_empty() && window.to_summarize().is_none());
    let back = DialogueWindow::from_bytes(&window.to_bytes(), limits(1)).unwrap();
    assert_eq!(back.digest(), window.digest());
    assert!(window.remove(&id("m1")));
    assert_eq!(window.digest(), None);

    let mut window = filled();
    let request = window.to_summarize().unwrap();
    window.remove(&id("m1"));
    assert!(!window.accept_digest(&request, "They live in Oslo.", at("2026-03-10T18:00:00Z")));
    assert_eq!(window.digest(), None);
}

#[test]
fn bytes_of_another_version_are_refused() {
    let check = |bytes: &[u8], expected: WindowError| {
        let found = DialogueWindow::from_bytes(bytes, WindowLimits::default());
        assert_eq!(found.unwrap_err(), expected);
    };
    check(&[], WindowError::Damaged);
    check(&[2, 0, 0, 0], WindowError::UnknownVersion { version: 2 });
    check(&[1, 0, 0], WindowError::Damaged);
    check(&[1, 0, 0, 0, 0], WindowError::Damaged);
    assert!(
        DialogueWindow::from_bytes(&[1, 0, 0, 0], WindowLimits::default())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn the_first_version_stays_readable() {
    const BYTES: [u8; 57] = [
        1, 1, 1, 2, 109, 50, 1, 0, 0, 2, 111, 107, 0x80, 0xb6, 0xac, 0x8d, 0x9b, 0x67, 1, 1, 2, 109, 49, 1,
        3, 97, 110, 97, 1, 3, 65, 110, 97, 0, 15, 73, 32, 108, 105, 118, 101, 32, 105, 110, 32, 79, 115, 108,
        111, 46, 0x80, 0xb6, 0xac, 0x8d, 0x9b, 0x67, 5,
    ];
    let mut window = DialogueWindow::new(limits(1));
    window.push(numbered(1, named("Ana", "I live in Oslo.")), Some(user("ana")));
    window.push(numbered(2, line(true, "ok")), None);
    let without_digest = [&BYTES[..], &[0]].concat();
    assert_eq!(
        DialogueWindow::from_bytes(&without_digest, limits(1)).unwrap(),
        window
    );
    let with_digest = [&BYTES[..], &[1, 2, 104, 105, 2]].concat();
    let read = DialogueWindow::from_bytes(&with_digest, limits(1)).unwrap();
    assert_eq!(read.digest(), Some("hi"));
}
