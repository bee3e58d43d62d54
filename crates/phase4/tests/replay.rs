//! The state is a function of the turns and the feedback: a turn that is planned once more gives the same bytes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use proptest::prelude::*;
use whisperengine_phase4::{Config, Conversations};
use whisperengine_types::*;

/// A message with its feeling, or a reply to one.
#[derive(Debug, Clone)]
struct Step {
    text: &'static str,
    emotion: EmotionReading,
    gap_minutes: u64,
    public: bool,
    /// What the bot replies, if it does; it brings up the first moment offered.
    reply: Option<&'static str>,
}

/// Texts that give occasions for moments, problems, achievements, commitments and boundaries.
const TEXTS: [&str; 12] = [
    "I passed the driving test at last, I am so proud!",
    "I finished my first marathon!",
    "My boss shouted at me in the office and I cried.",
    "The printer is broken again, what should I do?",
    "I fixed the printer, it works now.",
    "I want to run a marathon in spring.",
    "I trained for the marathon in the rain.",
    "I will call the landlord tomorrow.",
    "I don't want to talk about my father.",
    "I trust you, I can tell you anything.",
    "ok",
    "I feel like ending it all.",
];

fn step() -> impl Strategy<Value = Step> {
    let emotion = prop_oneof![Just(calm()), Just(sad()), Just(glad())];
    let gap = prop_oneof![1..20_u64, 60..200_u64, 2000..9000_u64];
    let reply = prop_oneof![Just(None), Just(Some("How did that feel?"))];
    (0..TEXTS.len(), emotion, gap, any::<bool>(), reply).prop_map(
        |(text, mut emotion, gap_minutes, public, reply)| {
            if text == TEXTS.len() - 1 {
                emotion.safety = in_danger();
            }
            Step {
                text: TEXTS[text],
                emotion,
                gap_minutes,
                public: public && gap_minutes < 20,
                reply,
            }
        },
    )
}

/// Plans every step, live or from the moments that were offered before; returns these and the state.
fn play(
    steps: &[Step],
    recorded: Option<&[Vec<OfferedMoment>]>,
    settle: impl Fn(usize) -> bool,
) -> (Vec<Vec<OfferedMoment>>, Vec<u8>) {
    let (owner, channel, square) = (owner("ana"), ChannelId::new("room").unwrap(), public("square"));
    let engine = Conversations::new(Config::default()).unwrap();
    let mut conversation = engine.open(&owner, None).unwrap();
    conversation
        .record_feedback(&Feedback::Proactive { allowed: true })
        .unwrap();
    let mut at: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
    let recalled = [
        remembered("r1", "I won the regatta on the lake last summer", at, 0.8),
        remembered("r2", "The printer in the office was broken for days", at, 0.8),
    ];
    let mut offered = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        at = at + minutes(step.gap_minutes);
        let message = MemoryId::from_number(index as u64);
        let plan = conversation
            .plan_turn(&TurnInput {
                owner: &owner,
                channel: &channel,
                audience: if step.public { &square } else { &Audience::Private },
                message: &message,
                text: step.text,
                emotion: &step.emotion,
                embedding: None,
                recalled: if recorded.is_some() { &[] } else { &recalled },
                facts: &[],
                sent_at: at,
                replay: recorded.map(|all| all[index].as_slice()),
            })
            .unwrap();
        if settle(index) {
            conversation.after_turn();
        }
        let moments = plan.moments.iter().map(|moment| OfferedMoment {
            id: moment.id.clone(),
            kind: moment.kind,
            quote: moment.quote.clone(),
        });
        let moments: Vec<_> = moments.collect();
        if let Some(text) = step.reply {
            let moment = moments.first().map(|moment| moment.id.clone());
            let text = text.to_owned();
            conversation
                .record_feedback(&Feedback::Replied { text, moment, at })
                .unwrap();
        }
        offered.push(moments);
    }
    (offered, conversation.export())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_replayed_talk_gives_the_same_bytes(steps in prop::collection::vec(step(), 1..50)) {
        let (offered, live) = play(&steps, None, |_| true);
        let (again, replayed) = play(&steps, Some(&offered), |_| true);
        prop_assert_eq!(&offered, &again);
        prop_assert!(live == replayed);
    }

    #[test]
    fn when_the_work_after_a_turn_is_done_changes_nothing(steps in prop::collection::vec(step(), 1..30), mask in any::<u32>()) {
        let always = play(&steps, None, |_| true);
        prop_assert!(always == play(&steps, None, |_| false));
        prop_assert!(always == play(&steps, None, |index| mask >> (index % 32) & 1 == 1));
    }
}

#[test]
fn talks_do_offer_moments() {
    let step = |text, emotion, gap_minutes| Step {
        text,
        emotion,
        gap_minutes,
        public: false,
        reply: None,
    };
    let steps = [step(TEXTS[0], glad(), 5), step(TEXTS[1], glad(), 6000)];
    let (offered, live) = play(&steps, None, |_| true);
    assert!(offered.iter().any(|moments| !moments.is_empty()));
    assert!(
        live != play(&steps, Some(&[Vec::new(), Vec::new()]), |_| true).1,
        "the state knows of offers"
    );
}

#[test]
fn asking_what_is_due_changes_no_state() {
    let engine = Conversations::new(Config::default()).unwrap();
    let mut talk = Talk::new("ana");
    talk.say("I practise the guitar every evening.");
    let mut conversation = engine.open(&talk.owner, Some(&talk.state.encode())).unwrap();
    conversation
        .record_feedback(&Feedback::Proactive { allowed: true })
        .unwrap();
    let before = conversation.export();
    assert!(!conversation.tick(talk.now + minutes(20)).is_empty());
    assert!(conversation.export() == before);
}
