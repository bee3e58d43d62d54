//! Which messages borrow words of their thread to be searched by.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use proptest::prelude::*;
use whisperengine_phase4::Conversations;
use whisperengine_types::*;

/// The words that `text` borrows after the talk so far.
fn borrowed(talk: &Talk, text: &str) -> Option<String> {
    let engine = Conversations::new(talk.config.clone()).unwrap();
    let conversation = engine.open(&talk.owner, Some(&talk.state.encode())).unwrap();
    conversation.query_context(text)
}

fn violin() -> Talk {
    let mut talk = Talk::new("ana");
    talk.say("My violin exam is on Friday.");
    talk.say("The violin sonata is the hardest part of the exam.");
    talk
}

#[test]
fn a_message_that_leans_on_the_thread_borrows_its_words() {
    let talk = violin();
    for text in [
        "How did it go?",
        "And then?",
        "Was that hard?",
        "Tell me more about it.",
    ] {
        let words = borrowed(&talk, text).expect(text);
        assert!(words.contains("violin"), "{text}: {words}");
    }
    let words = borrowed(&talk, "How was the violin?").expect("one word of its own");
    assert!(!words.contains("violin") && words.contains("exam"), "{words}");
}

#[test]
fn a_message_that_stands_on_its_own_borrows_nothing() {
    let talk = violin();
    for text in [
        "The landlord repaired the bathroom window.",
        "Where does my grandmother Clara live?",
        "Landlord Miller called again.",
        "How did the long walk along the river with your old neighbour go yesterday?",
    ] {
        assert_eq!(borrowed(&talk, text), None, "{text}");
    }
    assert_eq!(
        borrowed(&Talk::new("ben"), "How did it go?"),
        None,
        "nothing was said"
    );
}

#[test]
fn private_words_are_not_borrowed_before_an_audience() {
    let mut talk = violin();
    talk.audience = public("square");
    talk.say("Hello everybody.");
    assert_eq!(borrowed(&talk, "How did it go?"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn few_words_are_borrowed_and_none_that_the_message_has(text in "\\PC{0,80}|[a-zA-Z ,.?!']{0,80}") {
        let talk = violin();
        if let Some(words) = borrowed(&talk, &text) {
            prop_assert!((1..=3).contains(&words.split(' ').count()));
            let own = text.to_lowercase();
            let own: Vec<&str> = own.split(|c: char| !c.is_alphanumeric()).collect();
            prop_assert!(words.split(' ').all(|word| !own.contains(&word)), "{}", words);
        }
    }
}
