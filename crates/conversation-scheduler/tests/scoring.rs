//! The points of a message and the class that follows; whole words, and every point has its rule.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use whisperengine_conversation_scheduler::{PriorityScore, Rule, ScoreInput, SessionSignals};
use whisperengine_types::{EmotionReading, Priority};

fn score(text: &str, earlier: u64, seconds: Option<u64>, people: usize) -> PriorityScore {
    PriorityScore::of(&ScoreInput {
        text,
        signals: SessionSignals {
            earlier_messages: earlier,
            since_last: seconds.map(Duration::from_secs),
            active_people: people,
        },
        emotion: None,
    })
}

#[test]
fn points_add_up_and_choose_the_class() {
    for (text, earlier, seconds, people, total, class) in [
        ("good morning", 0, None, 1, 50, Priority::Normal),
        ("good morning", 3, Some(600), 1, 70, Priority::Normal),
        ("good morning", 3, Some(29), 1, 85, Priority::Normal),
        ("good morning", 3, Some(30), 1, 70, Priority::Normal),
        ("how are you", 3, Some(5), 1, 95, Priority::High),
        ("are you there?", 3, Some(5), 6, 100, Priority::High),
        ("good morning", 0, None, 5, 50, Priority::Normal),
        ("good morning", 0, None, 6, 55, Priority::Normal),
        ("help me", 0, None, 1, 80, Priority::High),
        ("can you help me?", 0, None, 6, 95, Priority::Critical),
        ("help me", 3, Some(5), 1, 100, Priority::Critical),
        ("", 0, None, 0, 50, Priority::Normal),
    ] {
        let score = score(text, earlier, seconds, people);
        assert_eq!((score.total(), score.class()), (total, class), "{text:?}");
        let sum: u32 = score.reasons().map(|(_, points)| u32::from(points)).sum();
        assert_eq!(sum.min(100), u32::from(total));
        assert!(score.reasons().all(|(_, points)| points > 0));
    }
}

#[test]
fn urgency_is_read_from_whole_words() {
    for (text, urgent) in [
        ("HELP!", true),
        ("this is URGENT", true),
        ("I need you right now", true),
        ("it's an emergency", true),
        ("I can\u{2019}t breathe", true),
        ("I want to kill myself", true),
        ("asap please", true),
        ("you were so helpful", false),
        ("the helper is unhelpful", false),
        ("an urgently-needed holiday", true),
        ("insurgent", false),
        ("I am writing now", false),
        ("it is not urgent", false),
        ("this isn't really an emergency", false),
        ("no crisis here", false),
        ("there is no help", true),
        ("a happy snapchat", false),
    ] {
        let is_urgent = score(text, 0, None, 1).is_urgent();
        assert_eq!(is_urgent, urgent, "{text:?}");
    }
}

#[test]
fn questions_are_marks_or_question_words_in_front() {
    for (text, question) in [
        ("what do you think", true),
        ("you think so?", true),
        ("本当？", true),
        ("I know what you mean", false),
        ("whatever", false),
    ] {
        let asks = score(text, 0, None, 1)
            .reasons()
            .any(|(rule, _)| rule == Rule::Question);
        assert_eq!(asks, question, "{text:?}");
    }
}

#[test]
fn an_unpleasant_and_strong_emotion_adds_up_to_twenty() {
    for (valence, arousal, points) in [(-1.0, 1.0, 20), (-0.5, 0.8, 8), (0.9, 1.0, 0), (-0.9, 0.0, 0)] {
        let mut reading = EmotionReading::neutral();
        reading.valence = valence;
        reading.arousal = arousal;
        let score = PriorityScore::of(&ScoreInput {
            text: "help me",
            signals: SessionSignals::default(),
            emotion: Some(&reading),
        });
        assert_eq!(score.total(), 80 + points, "valence {valence}, arousal {arousal}");
    }
}
