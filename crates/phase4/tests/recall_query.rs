//! What the memory is asked for, and one list from several answers.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use proptest::prelude::*;
use whisperengine_phase4::{
    Conversations, Language, MessageIntent, Polarity, QueryKind, RecallQuery, TopicHint, enriched_query,
    merge_recalled,
};
use whisperengine_types::*;

#[test]
fn names_and_things_come_first_then_subjects_intent_and_feeling() {
    let talk = Talk::new("ana");
    let asked = enriched_query(
        &talk.config,
        &talk.state,
        "I need advice: my guitar teacher from Porto is sad about the concert.",
    );
    assert_eq!(asked.entities, ["guitar teacher", "porto", "concert"]);
    let texts: Vec<_> = asked
        .queries
        .iter()
        .map(|query| (query.kind, query.text.as_str()))
        .collect();
    assert_eq!(texts[0], (QueryKind::Entities, "guitar teacher porto concert"));
    assert_eq!(texts[1], (QueryKind::Topics, "guitar teacher concert"));
    assert_eq!(texts[2], (QueryKind::Intent, "advice guitar teacher porto"));
    assert_eq!(texts[3], (QueryKind::Emotion, "sad guitar teacher porto"));
    assert_eq!(texts[4].0, QueryKind::Pairs);
    assert!(
        asked
            .queries
            .windows(2)
            .all(|pair| pair[0].weight >= pair[1].weight)
    );
    assert_eq!(asked.intent, MessageIntent::HelpRequest);
    assert_eq!(asked.polarity, Polarity::Negative);
}

#[test]
fn intent_polarity_and_topic_go_by_whole_words() {
    use MessageIntent as I;
    let talk = Talk::new("ana");
    let cases = [
        (
            "Where did I leave the keys?",
            I::Question,
            Polarity::None,
            TopicHint::General,
        ),
        (
            "I am stuck, I need help.",
            I::HelpRequest,
            Polarity::None,
            TopicHint::General,
        ),
        (
            "The laptop keyboard is broken.",
            I::Problem,
            Polarity::None,
            TopicHint::Technology,
        ),
        (
            "I love my new job at the office.",
            I::Sharing,
            Polarity::Positive,
            TopicHint::Emotional,
        ),
        (
            "My boss moved the meeting.",
            I::Sharing,
            Polarity::None,
            TopicHint::Professional,
        ),
        (
            "My sister baked bread.",
            I::Sharing,
            Polarity::None,
            TopicHint::Social,
        ),
        ("Prefix it.", I::General, Polarity::None, TopicHint::General),
        (
            "I am not happy.",
            I::Sharing,
            Polarity::Negative,
            TopicHint::General,
        ),
    ];
    for (text, intent, polarity, topic) in cases {
        let asked = enriched_query(&talk.config, &talk.state, text);
        assert_eq!((asked.intent, asked.polarity), (intent, polarity), "{text}");
        if topic != TopicHint::General {
            assert_eq!(asked.topic, topic, "{text}");
        }
    }
}

#[test]
fn a_message_that_leans_on_the_thread_borrows_its_words() {
    let mut talk = Talk::new("ana");
    talk.say("My violin audition in Vienna is on Friday.");
    let asked = enriched_query(&talk.config, &talk.state, "How did it go?");
    assert!(asked.expanded.contains("violin"), "{}", asked.expanded);
    assert!(asked.queries.iter().any(|query| query.kind == QueryKind::Thread));
    let plain = enriched_query(
        &talk.config,
        &talk.state,
        "The landlord repaired the bathroom window.",
    );
    assert!(!plain.expanded.contains("violin"));
    talk.visibility = Visibility::Public;
    talk.say("Hello everybody.");
    let public = enriched_query(&talk.config, &talk.state, "How did it go?");
    assert!(
        !public.expanded.contains("violin"),
        "private words stay private: {}",
        public.expanded
    );
}

#[test]
fn the_background_knows_mood_patterns_and_interests() {
    let mut talk = Talk::new("ana");
    assert_eq!(enriched_query(&talk.config, &talk.state, "Hello").background, []);
    for number in 0..8 {
        talk.say_with(
            &format!("I cried about the divorce of my sister Clara, day {number}."),
            &sad(),
        );
    }
    let asked = enriched_query(&talk.config, &talk.state, "Hello");
    let kinds: Vec<_> = asked
        .background
        .iter()
        .map(|query| (query.kind, query.limit))
        .collect();
    assert_eq!(
        kinds,
        [
            (QueryKind::Mood, 10),
            (QueryKind::Patterns, 8),
            (QueryKind::Relationship, 12)
        ]
    );
    assert!(
        asked.background[2].text.contains("clara"),
        "{:?}",
        asked.background
    );
}

#[test]
fn german_messages_are_asked_for_in_german() {
    let mut talk = Talk::new("ana");
    talk.config.language = Language::German;
    let asked = enriched_query(
        &talk.config,
        &talk.state,
        "Wann ist das Konzert mit dem Chor in Leipzig?",
    );
    assert_eq!(asked.entities, ["konzert", "chor", "leipzig"]);
    assert_eq!(asked.intent, MessageIntent::Question);
}

fn query(kind: QueryKind, weight: f32) -> RecallQuery {
    let talk = Talk::new("ana");
    let fallback = enriched_query(&talk.config, &talk.state, "").fallback;
    RecallQuery {
        kind,
        weight,
        ..fallback
    }
}

#[test]
fn each_memory_comes_once_and_the_fallback_only_fills_up() {
    let at = Timestamp::default();
    let memory = |id: &str, score| remembered(id, "text", at, score);
    let results = [
        (
            query(QueryKind::Entities, 1.0),
            vec![memory("a", 0.5), memory("b", 0.4)],
        ),
        (
            query(QueryKind::Topics, 0.8),
            vec![memory("b", 0.9), memory("c", 0.1)],
        ),
        (
            query(QueryKind::Fallback, 0.3),
            vec![memory("a", 1.0), memory("d", 1.0)],
        ),
    ];
    let merged = merge_recalled(&results, 15);
    let ids: Vec<_> = merged.iter().map(|m| (m.memory.id.as_str(), m.score)).collect();
    assert_eq!(ids, [("b", 0.9 * 0.8), ("a", 0.5), ("c", 0.1 * 0.8), ("d", 0.3)]);
    assert_eq!(merge_recalled(&results, 2).len(), 2);
    assert_eq!(merge_recalled(&[], 5), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_message_gives_bounded_queries(text in "\\PC{0,200}|[a-zA-Z ,.?!']{0,200}") {
        let talk = Talk::new("ana");
        let asked = enriched_query(&talk.config, &talk.state, &text);
        prop_assert!(asked.queries.len() <= 5 && asked.entities.len() <= 8);
        for query in asked.queries.iter().chain([&asked.fallback]) {
            prop_assert!((0.0..=1.0).contains(&query.weight) && query.limit == 15);
        }
        prop_assert!(asked.queries.iter().all(|query| !query.text.is_empty()));
        prop_assert_eq!(&asked, &enriched_query(&talk.config, &talk.state, &text));
    }
}

#[test]
fn a_short_message_is_recalled_by_with_the_words_it_leans_on() {
    let mut talk = Talk::new("ana");
    for text in [
        "My violin exam is on Friday.",
        "The violin sonata is the hardest part of the exam.",
    ] {
        talk.say(text);
    }
    let owner = owner("ana");
    let engine = Conversations::new(talk.config.clone()).unwrap();
    let short = "How did it go?";
    assert_eq!(engine.recall_text(&owner, short), short, "nobody is known yet");
    engine.restore_state(&owner, &talk.state.encode()).unwrap();
    let asked = engine.recall_text(&owner, short);
    assert!(asked.starts_with(short) && asked.contains("violin"), "{asked}");
    let long = "How did the long walk along the river with your old neighbour go yesterday?";
    assert_eq!(engine.recall_text(&owner, long), long);
    assert_eq!(engine.recall_text(&self::owner("ben"), short), short);
}
