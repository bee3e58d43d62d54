//! Whatever is said, whenever, in whatever mood: no panic, scores in range, a bounded state; and the same
//! events give the same state byte for byte.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::*;
use proptest::prelude::*;
use whisperengine_phase4::{
    Config, Conversations, Error, UserState, after_turn, plan_turn, record_feedback, tick,
};
use whisperengine_types::*;

/// Something that happens in a conversation.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a handful at a time")]
enum Event {
    Say {
        text: String,
        emotion: EmotionReading,
        at: i64,
        public: bool,
        recalled: Vec<(String, i64, f32)>,
    },
    Reply {
        text: String,
        first_moment: bool,
        at: i64,
    },
    Tick {
        at: i64,
        confirm: bool,
    },
    After,
    Allow(bool),
    Zone(String),
}

fn reading() -> impl Strategy<Value = EmotionReading> {
    let score = prop_oneof![
        Just(f32::NAN),
        Just(f32::INFINITY),
        Just(-5.0_f32),
        0.0..=1.0_f32,
        -1.0..=1.0_f32
    ];
    (
        0..PrimaryEmotion::COUNT,
        score.clone(),
        score.clone(),
        score.clone(),
        score,
    )
        .prop_map(
            |(primary, intensity, confidence, valence, arousal)| EmotionReading {
                primary: PrimaryEmotion::ALL[primary],
                intensity,
                confidence,
                valence,
                arousal,
                ..EmotionReading::neutral()
            },
        )
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,200}",
        "(I |you |not |very |happy |sad |won |problem |by the way |back to |guitar |dog |will |need to |\\? |! |, |\\. ){0,40}",
        "[\u{1f600}\u{200d}\u{202e}\u{300}a'\u{2019}.?!\n ]{0,60}",
        Just("x".repeat(5000)),
        Just("word ".repeat(3000)),
    ]
}

fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        1_770_000_000_000_i64..1_780_000_000_000,
        Just(Timestamp::MIN.as_millis()),
        Just(Timestamp::MAX.as_millis()),
        Just(0),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (text(), reading(), time(), any::<bool>(), prop::collection::vec((text(), time(), -1.0..1.0_f32), 0..3))
            .prop_map(|(text, emotion, at, public, recalled)| Event::Say { text, emotion, at, public, recalled }),
        2 => (text(), any::<bool>(), time()).prop_map(|(text, first_moment, at)| Event::Reply { text, first_moment, at }),
        1 => (time(), any::<bool>()).prop_map(|(at, confirm)| Event::Tick { at, confirm }),
        1 => Just(Event::After),
        1 => any::<bool>().prop_map(Event::Allow),
        1 => prop_oneof![Just("Europe/Berlin".to_owned()), "[a-zA-Z/]{0,90}"].prop_map(Event::Zone),
    ]
}

fn in_unit(x: f32) -> bool {
    (0.0..=1.0).contains(&x)
}

fn check(plan: &TurnPlan) {
    assert!(
        plan.interaction_scores.len() == 5
            && plan.interaction_scores.iter().all(|(_, score)| in_unit(*score))
    );
    let emotional = &plan.emotional;
    let dials = emotional.dials;
    for score in [
        emotional.empathy,
        emotional.expected_effectiveness,
        emotional.confidence,
        dials.warmth,
        dials.formality,
        dials.enthusiasm,
        dials.gentleness,
    ] {
        assert!(in_unit(score), "{emotional:?}");
    }
    let thread = plan.thread.as_ref().expect("a thread");
    assert!(thread.messages >= 1 && thread.topics.len() <= 5);
    assert!(
        thread
            .transition
            .as_ref()
            .is_none_or(|transition| in_unit(transition.strength))
    );
    assert!(plan.moments.len() <= 3 && plan.moments.iter().all(|moment| in_unit(moment.impact)));
    let quotes: std::collections::HashSet<&str> = plan.moments.iter().map(|m| m.quote.as_str()).collect();
    assert_eq!(quotes.len(), plan.moments.len(), "a memory is told once");
    let engagement = &plan.engagement;
    assert!(
        in_unit(engagement.score) && in_unit(engagement.stagnation_risk) && engagement.trend.abs() <= 1.0
    );
    assert!(engagement.suggestions.len() <= 3 && engagement.suggestions.iter().all(|s| in_unit(s.boost)));
    assert!(in_unit(plan.relationship.trust) && in_unit(plan.relationship.depth));
    assert!(plan.style.casualness.abs() <= 1.0 && in_unit(plan.style.confidence));
    assert!(
        plan.reasons
            .iter()
            .all(|reason| in_unit(reason.weight) && in_unit(reason.score))
    );
    let wellbeing = &plan.wellbeing;
    assert!(wellbeing.mood_score.abs() <= 1.0 && in_unit(wellbeing.stress_score));
    assert!(in_unit(wellbeing.mood_confidence) && wellbeing.alerts.len() <= 5);
    let told = |fact: &PersonalityFact| in_unit(fact.relevance) && fact.text.chars().count() <= 200;
    assert!(plan.facts.len() <= FactKind::ALL.len() && plan.facts.iter().all(told));
    let insights = &plan.insights;
    assert!(in_unit(insights.network_strength) && insights.clusters.len() <= 3);
    assert!(insights.important_topics.len() <= 3 && insights.patterns.len() <= 3);
    assert!(plan.emotional.avoid_topics.len() <= 6 + 12 && plan.emotional.priority_focus.len() <= 3);
    let adaptation = &plan.adaptation;
    assert!(in_unit(adaptation.success_rate) && adaptation.effective.len() <= 2);
    assert!(adaptation.effective.iter().all(|known| in_unit(known.success)));
    assert!(plan.phases.is_sorted() && plan.phases.contains(&TurnPhase::Threads));
    assert!(
        plan.notes
            .iter()
            .all(|note| note.chars().count() <= 200 && !note.contains('\n'))
    );
}

/// Plays the events; `keep` is asked after each whether to pass the state through its bytes.
fn play(events: &[Event], mut keep: impl FnMut(usize) -> bool) -> UserState {
    let (config, owner, channel) = (Config::default(), owner("ana"), ChannelId::new("room").unwrap());
    let square = common::public("square");
    let mut state = UserState::new(&owner);
    let mut moment = None;
    for (index, event) in events.iter().enumerate() {
        match event {
            Event::Say {
                text,
                emotion,
                at,
                public,
                recalled,
            } => {
                let recalled: Vec<_> = recalled
                    .iter()
                    .map(|(text, at, sim)| remembered("old", text, Timestamp::from_millis(*at), *sim))
                    .collect();
                let sent_at = Timestamp::from_millis(*at);
                let input = TurnInput {
                    owner: &owner,
                    channel: &channel,
                    audience: if *public { &square } else { &Audience::Private },
                    message: &MemoryId::from_number(index as u64),
                    text,
                    emotion,
                    embedding: None,
                    recalled: &recalled,
                    facts: &[],
                    sent_at,
                    replay: None,
                };
                let plan = plan_turn(&config, &mut state, &input, sent_at).unwrap();
                check(&plan);
                moment = plan.moments.first().map(|moment| moment.id.clone());
            }
            Event::Reply {
                text,
                first_moment,
                at,
            } => {
                let moment = moment.clone().filter(|_| *first_moment);
                let (text, at) = (text.clone(), Timestamp::from_millis(*at));
                let _ = record_feedback(&config, &mut state, &Feedback::Replied { text, moment, at });
            }
            Event::Tick { at, confirm } => {
                let at = Timestamp::from_millis(*at);
                let due = tick(&config, &mut state, at);
                assert!(due.len() <= 3);
                if let Some(first) = due.first().filter(|_| *confirm) {
                    let suggestion = first.id.clone();
                    record_feedback(&config, &mut state, &Feedback::SuggestionSent { suggestion, at })
                        .unwrap();
                }
            }
            Event::After => after_turn(&config, &mut state),
            Event::Allow(allowed) => {
                record_feedback(&config, &mut state, &Feedback::Proactive { allowed: *allowed }).unwrap();
            }
            Event::Zone(name) => {
                let known = record_feedback(&config, &mut state, &Feedback::TimeZone { name: name.clone() });
                assert!(name != "Europe/Berlin" || known.is_ok());
            }
        }
        if keep(index) {
            state = UserState::decode(&owner, &state.encode()).expect("its own bytes");
        }
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn anything_may_happen(events in prop::collection::vec(event(), 1..60)) {
        let state = play(&events, |_| false);
        prop_assert!(state.encode().len() <= UserState::MAX_BYTES);
        prop_assert!(in_unit(state.emotional_summary().mean_success));
        for value in state.personality_summary().traits {
            prop_assert!(value.value.abs() <= 1.0 && in_unit(value.confidence));
        }
    }

    #[test]
    fn a_replay_gives_the_same_bytes_also_through_kept_states(events in prop::collection::vec(event(), 1..40)) {
        let once = play(&events, |_| false).encode();
        prop_assert!(once == play(&events, |_| false).encode());
        prop_assert!(once == play(&events, |index| index % 3 == 0).encode());
    }

    #[test]
    fn hostile_bytes_are_a_typed_error(bytes in prop::collection::vec(any::<u8>(), 0..400), at in 0..4000_usize, bit in 0..8_u8) {
        let owner = owner("ana");
        prop_assert!(UserState::decode(&owner, &bytes).is_err());
        let mut talk = Talk::new("ana");
        talk.say("My dog chased the neighbour's cat up a tree.");
        let sound = talk.state.encode();
        let mut bent = sound.clone();
        let at = at % bent.len();
        bent[at] ^= 1 << bit;
        prop_assert!(UserState::decode(&owner, &bent).is_err());
        prop_assert!(UserState::decode(&owner, &sound[..at]).is_err());
        // Right checksum, wrong contents: refused or brought into range, never a panic.
        let sum = crc32(&bent[10..]).to_le_bytes();
        bent[6..10].copy_from_slice(&sum);
        if let Ok(mut state) = UserState::decode(&owner, &bent) {
            prop_assert!(state.encode().len() <= 2 * UserState::MAX_BYTES);
            after_turn(&Config::default(), &mut state);
        }
    }
}

/// CRC-32 (IEEE), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            if sum & 1 == 1 {
                (sum >> 1) ^ 0xedb8_8320
            } else {
                sum >> 1
            }
        })
    })
}

#[test]
fn states_of_others_and_of_other_versions_are_refused() {
    let mut talk = Talk::new("ana");
    talk.say("Something private about my family.");
    let bytes = talk.state.encode();
    assert_eq!(
        UserState::decode(&owner("ben"), &bytes).unwrap_err(),
        Error::OwnerMismatch
    );
    let mut newer = bytes.clone();
    newer[4] = 9;
    assert_eq!(
        UserState::decode(&owner("ana"), &newer).unwrap_err(),
        Error::UnsupportedVersion { got: 9, supported: 1 }
    );
    assert_eq!(
        UserState::decode(&owner("ana"), b"").unwrap_err(),
        Error::NotAState
    );
    let engine = Conversations::new(Config::default()).unwrap();
    assert!(matches!(
        engine.open(&owner("ben"), Some(&bytes)),
        Err(ConversationError::InvalidState { .. })
    ));
}

/// Messages as people write them, without end: the words depend on the number alone.
fn chatter(number: u64) -> String {
    const SUBJECTS: [&str; 12] = [
        "guitar", "garden", "boss", "sister", "laptop", "marathon", "recipe", "doctor", "landlord", "puppy",
        "exam", "trip",
    ];
    const DEEDS: [&str; 8] = [
        "practised",
        "argued with",
        "worried about",
        "finished",
        "forgot",
        "enjoyed",
        "repaired",
        "planned",
    ];
    const TAILS: [&str; 8] = [
        "and I am so proud of myself",
        "but it was a disaster",
        "because of the weather",
        "I will call them tomorrow",
        "what should I do?",
        "by the way, how are you?",
        "thank you for asking",
        "it made me really sad",
    ];
    let pick = |salt: u64, len: usize| ((number * 2_654_435_761 + salt * 40_503) >> 7) as usize % len;
    let extra = format!("thing{}", number * 7919 % 5000);
    format!(
        "I {} the {} and the {extra}, {}.",
        DEEDS[pick(3, 8)],
        SUBJECTS[pick(1, 12)],
        TAILS[pick(2, 8)]
    )
}

#[test]
fn a_thousand_messages_fit_and_a_thousand_more_add_nothing() {
    let mut talk = Talk::new("ana");
    let space = EmbeddingSpace::new("test", 256).unwrap();
    let mut sizes = Vec::new();
    for number in 0..4000_u64 {
        let values: Vec<f32> = (0..256_u64)
            .map(|d| ((number / 5 * 31 + d * 17) % 97) as f32 - 48.0)
            .collect();
        talk.embedding = Some(Embedding::new(&space, values).unwrap());
        let emotion = feels(
            PrimaryEmotion::ALL[(number % 13) as usize],
            (number % 10) as f32 / 10.0,
            0.2,
        );
        let plan = talk.say_with(&chatter(number), &emotion);
        talk.reply_with(
            "I see. What happened then?",
            plan.moments.first().map(|m| m.id.as_str()),
        )
        .unwrap();
        talk.wait(if number % 9 == 0 {
            hours(5)
        } else {
            Duration::from_secs(40)
        });
        if (number + 1) % 1000 == 0 {
            sizes.push(talk.state.encode().len());
        }
    }
    println!("encoded after 1,000, 2,000, 3,000, 4,000 messages: {sizes:?} bytes");
    assert!(
        sizes.iter().all(|&size| size <= UserState::MAX_BYTES),
        "{sizes:?}"
    );
    let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
    assert!(most - least < 1500, "{sizes:?}");
}

#[test]
fn even_the_longest_words_fit() {
    let mut talk = Talk::new("ana");
    let space = EmbeddingSpace::new("test", 384).unwrap();
    for number in 0..400_u64 {
        let long = |n: u64| format!("{}{:04}", "ausdehnungsgefaesz", number * 20 + n);
        let words: Vec<_> = (0..18).map(long).collect();
        let text = format!(
            "By the way, I need to finish {} because of my job, what is it?",
            words.join(" ")
        );
        let values: Vec<f32> = (0..384_u64)
            .map(|d| ((number * 131 + d * 71) % 89) as f32 - 44.0)
            .collect();
        talk.embedding = Some(Embedding::new(&space, values).unwrap());
        talk.say_with(
            &text,
            &feels(PrimaryEmotion::ALL[(number % 13) as usize], 0.9, -0.5),
        );
        talk.wait(minutes(45));
    }
    let size = talk.state.encode().len();
    println!("encoded with the longest words: {size} bytes");
    assert!(size <= UserState::MAX_BYTES, "{size}");
}

#[test]
fn after_turn_changes_no_plan() {
    let run = |settle: bool| {
        let mut talk = Talk::new("ana");
        let mut plans = Vec::new();
        for number in 0..200_u64 {
            plans.push(if settle {
                talk.say(&chatter(number))
            } else {
                talk.plan(&chatter(number), &calm())
            });
        }
        plans
    };
    assert!(run(true) == run(false));
}
