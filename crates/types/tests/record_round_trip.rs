//! What is written comes back equal: records, filters, queries, plans and outcomes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use proptest::{option, prelude::*, sample::select};
use serde::{Serialize, de::DeserializeOwned};
use whisperengine_types::{
    AskedTime, Audience, AudienceId, BotId, ChannelId, Comparison, Component, ConnectionType, ContextSection,
    Decision, Degradation, Durability, Embedding, EmbeddingSpace, Emotion, EmotionReading, EmotionTrigger,
    EngagementPlan, EngagementStrategy, Fact, Filter, MemoryId, MemoryKind, MemoryPatch, MemoryRecord,
    MetadataValue, MomentPlan, MomentTiming, MomentTone, MomentType, PrimaryEmotion, Priority, Reason,
    Recall, RecallQuery, RecalledMemory, ReplyContext, ScoreParts, SectionKind, SessionId, SessionKey,
    Similarity, Slot, StageTimings, StagnationKind, StagnationSignal, Suggestion, ThreadId, ThreadPhase,
    ThreadPlan, ThreadPriority, ThreadState, ThreadTransition, Timestamp, TopicRelevance, TransitionType,
    TriggerSource, TurnOutcome, TurnPlan, UserId, VaderScores, WaitingThread,
};

fn there_and_back<T: Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

fn ids() -> impl Strategy<Value = String> {
    "[a-z0-9:é字]{1,12}"
}

fn metadata_value() -> impl Strategy<Value = MetadataValue> {
    prop_oneof![
        any::<bool>().prop_map(MetadataValue::Bool),
        any::<i64>().prop_map(MetadataValue::Int),
        // Few digits: `serde_json` may read a number of 17 digits one unit in the last place off.
        (-1_000_000_i64..1_000_000).prop_map(|n| MetadataValue::Float(n as f64 / 1000.0)),
        any::<String>().prop_map(MetadataValue::Text),
    ]
}

fn embedding() -> impl Strategy<Value = Embedding> {
    prop::collection::vec(-1.0_f32..1.0, 1..6).prop_map(|values| {
        let space = EmbeddingSpace::new("test", values.len()).unwrap();
        Embedding::new(&space, values).unwrap()
    })
}

fn timestamps() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

fn records() -> impl Strategy<Value = MemoryRecord> {
    let kinds = vec![
        MemoryKind::Message,
        MemoryKind::Exchange,
        MemoryKind::Fact,
        MemoryKind::Preference,
        MemoryKind::Summary,
        MemoryKind::Document,
    ];
    let what = (ids(), any::<String>(), option::of(any::<String>()), select(kinds));
    let place = (option::of(ids()), option::of(ids()), timestamps());
    let weight = (0.0_f32..=1.0, 0.0_f32..=1.0, any::<bool>());
    let rest = (
        prop::collection::btree_map(any::<String>(), metadata_value(), 0..4),
        option::of(embedding()),
    );
    (what, place, weight, rest).prop_map(|(what, place, weight, rest)| MemoryRecord {
        speaker: what.2,
        kind: what.3,
        session: place.0.map(|id| SessionId::new(id).unwrap()),
        channel: place.1.map(|id| ChannelId::new(id).unwrap()),
        importance: weight.0,
        trust: weight.1,
        pinned: weight.2,
        metadata: rest.0,
        embedding: rest.1,
        ..MemoryRecord::new(MemoryId::new(what.0).unwrap(), what.1, place.2)
    })
}

fn filters() -> impl Strategy<Value = Filter> {
    let comparison = prop_oneof![
        metadata_value().prop_map(Comparison::Eq),
        metadata_value().prop_map(Comparison::Ne),
        metadata_value().prop_map(Comparison::Gt),
        metadata_value().prop_map(Comparison::Gte),
        metadata_value().prop_map(Comparison::Lt),
        metadata_value().prop_map(Comparison::Lte),
        prop::collection::vec(metadata_value(), 0..3).prop_map(Comparison::In),
        prop::collection::vec(metadata_value(), 0..3).prop_map(Comparison::NotIn),
    ];
    let leaf = prop_oneof![
        Just(Filter::Any),
        Just(Filter::Kind(vec![MemoryKind::Fact, MemoryKind::Summary])),
        ids().prop_map(|id| Filter::Session(SessionId::new(id).unwrap())),
        ids().prop_map(|id| Filter::Channel(ChannelId::new(id).unwrap())),
        (option::of(timestamps()), option::of(timestamps()))
            .prop_map(|(from, until)| Filter::SentAt { from, until }),
        (0.0_f32..=1.0).prop_map(Filter::ImportanceAtLeast),
        (ids(), comparison).prop_map(|(key, is)| Filter::Metadata { key, is }),
        any::<String>().prop_map(Filter::TextContains),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::Or),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

proptest! {
    #[test]
    fn a_memory_record(record in records()) {
        prop_assert_eq!(there_and_back(&record), record);
    }

    #[test]
    fn a_query_with_any_filter(filter in filters(), text in any::<String>(), k in any::<usize>()) {
        let query = RecallQuery { filter, ..RecallQuery::new(text, k, Timestamp::from_millis(5)) };
        prop_assert_eq!(there_and_back(&query), query);
    }
}

#[test]
fn a_record_of_the_least_json_is_an_ordinary_memory() {
    let read: MemoryRecord = serde_json::from_str(r#"{"id":"1","text":"hi","sent_at":0}"#).unwrap();
    let ordinary = MemoryRecord::new(MemoryId::from_number(1), "hi", Timestamp::from_millis(0));
    assert_eq!(read, ordinary);
    assert_eq!((read.importance, read.trust, read.pinned), (0.5, 1.0, false));
}

#[test]
fn metadata_keeps_the_type_of_a_number() {
    let metadata: BTreeMap<String, MetadataValue> = [
        ("whole".to_owned(), MetadataValue::Int(1)),
        ("real".to_owned(), MetadataValue::Float(1.0)),
        ("digits".to_owned(), MetadataValue::Text("1".to_owned())),
        ("yes".to_owned(), MetadataValue::Bool(true)),
    ]
    .into();
    assert_eq!(there_and_back(&metadata), metadata);
}

#[test]
fn an_empty_patch_changes_nothing_and_says_nothing() {
    assert_eq!(
        serde_json::from_str::<MemoryPatch>("{}").unwrap(),
        MemoryPatch::default()
    );
    let patch = MemoryPatch {
        text: Some("new".to_owned()),
        importance: Some(0.25),
        pinned: Some(false),
        metadata: [("k".to_owned(), MetadataValue::from("v"))].into(),
        remove_metadata: vec!["old".to_owned()],
        ..MemoryPatch::default()
    };
    assert_eq!(there_and_back(&patch), patch);
}

fn plan() -> TurnPlan {
    let thread = |name: &str| ThreadId::new(name).unwrap();
    TurnPlan {
        thread: Some(ThreadPlan {
            id: thread("t2"),
            state: ThreadState::Active,
            phase: ThreadPhase::Deepening,
            priority: ThreadPriority::High,
            topics: vec!["interview".to_owned()],
            messages: 4,
            open_questions: vec!["right?".to_owned()],
            commitments: vec!["bring photographs".to_owned()],
            transition: Some(ThreadTransition {
                from: Some(thread("t1")),
                kind: TransitionType::EmotionalDriven,
                strength: 0.75,
                bridge: "Before that, the jar.".to_owned(),
            }),
            waiting: Some(WaitingThread {
                id: thread("t3"),
                topics: vec!["blouse".to_owned()],
                because: "an open question".to_owned(),
                score: 0.5,
            }),
        }),
        moments: vec![MomentPlan {
            id: "m1".to_owned(),
            kind: MomentType::SupportFollowUp,
            timing: MomentTiming::EmotionalMoment,
            memory: Some(MemoryId::from_number(7)),
            quote: "I'm \"nervous\"\n🎉".to_owned(),
            said_at: Timestamp::from_millis(1),
            callback: "How did it go?".to_owned(),
            tone: MomentTone::Caring,
            impact: 0.5,
            connection: ConnectionType::EmotionalResonance,
            frequency: 2,
        }],
        engagement: EngagementPlan {
            intervene: true,
            suggestions: vec![Suggestion {
                id: "s1".to_owned(),
                strategy: EngagementStrategy::EmotionalCheckIn,
                text: "Still thinking of Friday?".to_owned(),
                because: "two worried messages".to_owned(),
                boost: 0.25,
                relevance: TopicRelevance::HighlyRelevant,
            }],
            signals: vec![StagnationSignal {
                kind: StagnationKind::ShortResponses,
                strength: 0.25,
            }],
            ..EngagementPlan::default()
        },
        reasons: vec![Reason {
            decision: Decision::Thread,
            cue: "interview".to_owned(),
            weight: 0.5,
            score: 0.875,
        }],
        notes: vec!["They feel nervous.".to_owned()],
        ..TurnPlan::default()
    }
}

#[test]
fn a_turn_plan() {
    assert_eq!(there_and_back(&TurnPlan::default()), TurnPlan::default());
    assert_eq!(there_and_back(&plan()), plan());
}

#[test]
fn a_turn_outcome() {
    let mut emotion = EmotionReading {
        vader: VaderScores {
            neg: 0.0,
            neu: 0.254,
            pos: 0.746,
            compound: 0.8316,
        },
        primary: PrimaryEmotion::Joy,
        labels: [Emotion::Joy, Emotion::Excitement].into_iter().collect(),
        triggers: vec![EmotionTrigger {
            span: 4..9,
            emotion: PrimaryEmotion::Joy,
            weight: -0.5,
            source: TriggerSource::Lexicon,
        }],
        ..EmotionReading::neutral()
    };
    emotion.probabilities[Emotion::Joy as usize] = 0.9;
    assert_eq!(emotion.probability(Emotion::Joy), 0.9);
    let fact = Fact::new(
        Slot::Residence,
        "Porto",
        MemoryId::from_number(3),
        Timestamp::from_millis(1),
    );
    let outcome = TurnOutcome {
        audience: Audience::Group(AudienceId::new("guild").unwrap()),
        turn: MemoryId::from_number(9),
        session: SessionKey {
            bot: BotId::new("ember").unwrap(),
            user: UserId::new("ana").unwrap(),
            channel: ChannelId::new("dm").unwrap(),
        },
        sequence: u64::MAX,
        priority: Priority::Critical,
        emotion,
        recalled: Recall {
            memories: vec![RecalledMemory {
                memory: Arc::new(MemoryRecord::new(
                    MemoryId::from_number(7),
                    "I got the job",
                    Timestamp::from_millis(3),
                )),
                score: 0.625,
                relevance: 0.75,
                passage: Some(2..13),
                copies: 2,
                last_copy_at: Some(Timestamp::from_millis(5)),
                superseded: true,
                similarity: Some(Similarity::new(0.5)),
                parts: ScoreParts {
                    dense: 0.5,
                    lexical: 0.125,
                    ..ScoreParts::default()
                },
                matched_terms: vec!["job".to_owned()],
            }],
            asked_time: Some(AskedTime {
                from: Timestamp::from_millis(0),
                until: Timestamp::from_millis(9),
                found: true,
            }),
            degraded: Some("words only".to_owned()),
        },
        facts: vec![fact.clone()],
        answers: vec![fact],
        plan: plan(),
        context: ReplyContext {
            sections: vec![ContextSection {
                kind: SectionKind::Persona,
                text: "You are Ember.".to_owned(),
                tokens: 4,
            }],
            ..ReplyContext::default()
        },
        redelivered: true,
        stored: Durability::NotStored {
            reason: "disk full".to_owned(),
        },
        degraded: vec![Degradation {
            component: Component::Embedding,
            reason: "disabled".to_owned(),
            since: Some(Timestamp::from_millis(1)),
        }],
        timings: StageTimings {
            total: Duration::from_nanos(1_234_567_891),
            ..StageTimings::default()
        },
    };
    assert_eq!(there_and_back(&outcome), outcome);
    assert_eq!(outcome.owner().to_string(), "ember/@ana");
}
