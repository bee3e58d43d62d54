//! The words that stand in stored records and in JSON: changing one is a break of the format.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use whisperengine_types::{
    Component, ConnectionType, ConversationMode, Emotion, EmotionSet, EmotionalState, EngagementStrategy,
    FlowState, InteractionType, MemoryKind, MomentTiming, MomentType, PrimaryEmotion, Priority,
    RelationshipLevel, RelationshipStage, ResponseLength, StagnationKind, SupportLevel, ThreadPhase,
    ThreadPriority, ThreadState, TopicRelevance, TransitionType, TriggerSource,
};

/// Every word of `words` is a `T`, is written as it was read, and stands for a value of its own.
fn are<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(words: &str) -> Vec<T> {
    let read: Vec<T> = words
        .split_whitespace()
        .map(|word| {
            let json = format!("\"{word}\"");
            let value: T = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{word}: {e}"));
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
            value
        })
        .collect();
    for (at, value) in read.iter().enumerate() {
        assert!(!read[..at].contains(value), "{value:?} twice");
    }
    assert!(serde_json::from_str::<T>("\"no such word\"").is_err());
    read
}

#[test]
fn every_word_stands_for_its_value() {
    are::<Component>("scheduler emotion embedding recall conversation store responder");
    are::<ConnectionType>(
        "temporal_sequence thematic_similarity emotional_resonance goal_progression \
         relationship_development problem_solution cause_effect pattern_recognition",
    );
    are::<ConversationMode>("human_like analytical balanced");
    are::<EmotionalState>("joy sadness anger fear surprise disgust neutral anticipation trust");
    are::<EngagementStrategy>(
        "topic_suggestion follow_up_question memory_connection emotional_check_in shared_interest \
         curiosity_prompt celebration support_offer",
    );
    are::<FlowState>("highly_engaging engaging steady declining stagnating stagnant");
    are::<InteractionType>(
        "casual_chat problem_solving emotional_support information_seeking creative_collaboration",
    );
    are::<MemoryKind>("message exchange fact preference summary document");
    are::<MomentTiming>(
        "conversation_start natural_pause topic_transition emotional_moment achievement_sharing \
         problem_mention relationship_deepening",
    );
    are::<MomentType>(
        "achievement_callback emotional_continuity interest_development relationship_milestone \
         problem_resolution shared_experience personal_growth recurring_theme celebration_echo \
         support_follow_up",
    );
    are::<RelationshipLevel>("new developing established deep");
    are::<RelationshipStage>("hostile cold wary stranger acquaintance friend close_friend confidant");
    are::<ResponseLength>("brief medium detailed");
    are::<StagnationKind>("time_gap short_responses repetitive_content engagement_decline");
    are::<SupportLevel>("reserved balanced proactive");
    are::<ThreadPhase>("opening developing deepening resolving");
    are::<ThreadPriority>("critical high medium low minimal");
    are::<ThreadState>("active paused suspended background resolved merged archived");
    are::<TopicRelevance>("highly_relevant relevant somewhat_relevant exploratory random");
    are::<TransitionType>(
        "natural_flow explicit_switch reminder_driven interruption emotional_driven time_driven \
         priority_driven completion_driven",
    );
    are::<TriggerSource>("lexicon learned");
    assert_eq!(are::<Priority>("critical high normal low"), Priority::ALL);
}

#[test]
fn the_emotions_are_those_of_the_data_set_in_its_order() {
    let words = "admiration amusement anger annoyance approval caring confusion curiosity desire \
                 disappointment disapproval disgust embarrassment excitement fear gratitude grief joy love \
                 nervousness optimism pride realization relief remorse sadness surprise neutral";
    assert_eq!(are::<Emotion>(words), Emotion::ALL);
    for (id, word) in words.split_whitespace().enumerate() {
        assert_eq!(Emotion::ALL[id] as usize, id);
        assert_eq!(
            (Emotion::ALL[id].name(), Emotion::ALL[id].to_string().as_str()),
            (word, word)
        );
    }
}

#[test]
fn the_primary_emotions_end_with_neutral() {
    let words = "joy sadness anger fear surprise disgust love gratitude pride shame excitement calm neutral";
    assert_eq!(are::<PrimaryEmotion>(words), PrimaryEmotion::ALL);
    for (id, word) in words.split_whitespace().enumerate() {
        assert_eq!(PrimaryEmotion::ALL[id] as usize, id);
        assert_eq!(PrimaryEmotion::ALL[id].name(), word);
    }
    assert_eq!(PrimaryEmotion::default(), PrimaryEmotion::Neutral);
}

proptest! {
    #[test]
    fn a_set_of_emotions_is_a_set(ids in prop::collection::vec(0_usize..Emotion::COUNT, 0..40)) {
        let emotions: Vec<Emotion> = ids.iter().map(|&id| Emotion::ALL[id]).collect();
        let oracle: BTreeSet<Emotion> = emotions.iter().copied().collect();
        let set: EmotionSet = emotions.into_iter().collect();
        prop_assert_eq!(set.len(), oracle.len());
        prop_assert_eq!(set.is_empty(), oracle.is_empty());
        prop_assert!(set.iter().eq(oracle.iter().copied()), "in the order of the ids");
        let held: HashSet<Emotion> = Emotion::ALL.into_iter().filter(|&e| set.contains(e)).collect();
        prop_assert_eq!(held.len(), oracle.len());
        let json = serde_json::to_string(&set).unwrap();
        prop_assert_eq!(&json, &serde_json::to_string(&oracle).unwrap());
        prop_assert_eq!(serde_json::from_str::<EmotionSet>(&json).unwrap(), set);
    }
}
