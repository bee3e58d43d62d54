//! Only what a person talks about becomes a topic.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use whisperengine_types::*;

fn topics(text: &str) -> Vec<String> {
    let mut topics = thread(&Talk::new("ana").say(text)).topics.clone();
    topics.sort();
    topics
}

#[test]
fn links_mentions_emotes_ids_and_files_are_no_topics() {
    let cases = [
        (
            "My parrot on video: https://www.youtube.com/watch?v=abc",
            vec!["parrot", "video"],
        ),
        (
            "<@123456789012345678> my parrot bites <:sadge:987654321>",
            vec!["parrot"],
        ),
        (":sadge: the parrot is ill :pensive:", vec!["parrot"]),
        (
            "Ticket 40404040404 and order a1b2c3d4e5f6 for the parrot",
            vec!["order", "parrot", "ticket"],
        ),
        ("The parrot ate report_final.pdf and notes.txt", vec!["parrot"]),
        ("ana@example.com has a parrot", vec!["parrot"]),
        ("https://example.com", vec![]),
        ("123456789012345678", vec![]),
    ];
    for (text, expected) in cases {
        assert_eq!(topics(text), expected, "{text}");
    }
}

#[test]
fn adjectives_and_adverbs_are_no_topics() {
    for text in [
        "It was really wonderful and surprisingly careful.",
        "Well earned!",
        "I am tired and bored, honestly.",
        "Absolutely delicious, unbelievable, so graceful!",
        "ok today tomorrow today",
    ] {
        assert_eq!(topics(text), [""; 0], "{text}");
    }
    let text = "She likes the vegetable garden, the assembly and the reply.";
    assert_eq!(topics(text), ["assembly", "garden", "reply", "vegetable"]);
}

#[test]
fn pasted_logs_and_code_give_no_topics() {
    let log = "2026-12-01T10:00:00Z ERROR db: connection refused\n2026-12-01T10:00:01Z WARN retrying query\n";
    let trace =
        "Traceback (most recent call last):\n  File \"app.py\", line 3, in run\nValueError: bad literal";
    let code = "```rust\nfn main() { let parser = Parser::new(); }\n```";
    for pasted in [log, trace, code, "for (let i = 0; i < n; i++) { total += i; }"] {
        assert_eq!(topics(pasted), [""; 0], "{pasted}");
        assert_eq!(topics(&format!("My parrot!\n{pasted}")), ["parrot"], "{pasted}");
    }
}

#[test]
fn the_bots_own_words_are_no_topics() {
    let mut talk = Talk::new("ana");
    talk.say("My parrot is ill.");
    for _ in 0..6 {
        talk.reply("That sounds hard. Did the veterinarian prescribe antibiotics for the infection?");
        let plan = talk.say("Yes, the parrot is better.");
        let topics = &thread(&plan).topics;
        assert_eq!(topics, &["parrot"], "{topics:?}");
        assert!(
            plan.insights
                .important_topics
                .iter()
                .all(|topic| topic == "parrot")
        );
    }
}

#[test]
fn a_question_mark_in_a_link_is_no_question() {
    let plan = Talk::new("ana").say("https://example.com/search?q=cats my favourite page");
    assert_ne!(plan.interaction, InteractionType::InformationSeeking);
    let mut talk = Talk::new("ana");
    talk.say("https://example.com/search?q=parrot shows the parrot");
    let plan = talk.say("The parrot again.");
    assert_eq!(thread(&plan).open_questions, [""; 0]);
    let asked = Talk::new("ana").say("Have you seen https://example.com/parrot?");
    assert!(
        asked
            .interaction_scores
            .iter()
            .any(|(kind, score)| *kind == InteractionType::InformationSeeking && *score > 0.3)
    );
}
