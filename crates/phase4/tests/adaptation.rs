//! What works with a person is learnt from how they answer, and said.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use whisperengine_phase4::UserState;
use whisperengine_types::*;

const LIVELY: &str =
    "Oh yes, that was amazing! We danced until the sun came up and I laughed so much, can you believe it?";
const DULL: &str = "ok";

/// Two kinds of reply in turn, each answered in its own way.
fn in_turn(talk: &mut Talk, replies: [&str; 2], answers: [&str; 2], times: usize) -> TurnPlan {
    let mut plan = talk.say("I was at my cousin's wedding in the mountains.");
    for number in 0..2 * times {
        talk.reply(replies[number % 2]);
        plan = talk.say(answers[number % 2]);
    }
    plan
}

#[test]
fn effective_patterns_are_those_that_the_person_answers_gladly() {
    use ConversationPattern as P;
    let cases = [
        (
            "What did you like most about the evening there?",
            P::QuestionFrequency,
        ),
        (
            "Haha, that is hilarious, the old joke with the goat on the roof again.",
            P::HumorUsage,
        ),
        (
            "Good evening, dear night owl of the mountains, there you are.",
            P::GreetingStyle,
        ),
        (
            "By the way, the mountains are full of goats in this season.",
            P::TopicTransitions,
        ),
        (
            "That must feel wonderful, a happy family on one floor, dancing.",
            P::EmotionalSharing,
        ),
        (
            "I can help you to find the old band for the summer.",
            P::HelpSeeking,
        ),
        (
            "Fun fact, mountain air carries music for several miles at night.",
            P::KnowledgeSharing,
        ),
    ];
    let plain = "One could have heard all of that from the other side of the valley.";
    for (reply, pattern) in cases {
        let mut talk = Talk::new("ana");
        let plan = in_turn(&mut talk, [reply, plain], [LIVELY, DULL], 8);
        let best: Vec<_> = plan
            .adaptation
            .effective
            .iter()
            .map(|known| known.pattern)
            .collect();
        assert!(best.contains(&pattern), "{pattern:?}: {:?}", plan.adaptation);
        assert!(best.len() <= 2 && plan.adaptation.effective[0].replies >= 5);
        let (replies, success) = talk.state.pattern_record(pattern);
        assert!(
            replies >= 8 && success > plan.adaptation.success_rate + 0.05,
            "{pattern:?}: {success}"
        );
        assert!(
            plan.reasons
                .iter()
                .any(|reason| reason.decision == Decision::Adaptation)
        );
        let turned = in_turn(&mut Talk::new("ana"), [plain, reply], [LIVELY, DULL], 8);
        let worse: Vec<_> = turned
            .adaptation
            .effective
            .iter()
            .map(|known| known.pattern)
            .collect();
        assert!(!worse.contains(&pattern), "{pattern:?}: {:?}", turned.adaptation);
    }
}

#[test]
fn a_note_names_what_works() {
    let reply = [
        "What did you like most about it?",
        "One could have heard all of that from the valley.",
    ];
    let mut talk = Talk::new("ana");
    let early = in_turn(&mut talk, reply, [LIVELY, DULL], 2);
    assert_eq!(early.adaptation.effective, [], "two answers are no evidence");
    assert!(!has_note(&early, "What has worked"));
    let plan = in_turn(&mut talk, reply, [LIVELY, DULL], 6);
    assert!(
        has_note(&plan, "What has worked with them: asking back"),
        "{:?}",
        plan.notes
    );
    let kept = UserState::decode(&talk.owner, &talk.state.encode()).unwrap();
    assert_eq!(kept.adaptation(), plan.adaptation);

    let mut german = Talk::new("ana");
    german.config.language = Language::new("de").unwrap();
    let reply = [
        "Was hat dir daran am besten gefallen?",
        "Das konnte man bis auf die andere Seite hören.",
    ];
    let answers = [
        "Wow, genau, das war echt unglaublich! Wir haben getanzt, bis die Sonne aufging, und so gelacht!",
        "ok",
    ];
    let plan = in_turn(&mut german, reply, answers, 8);
    assert!(
        has_note(&plan, "What has worked with them: asking back"),
        "{:?}",
        plan.notes
    );
}

#[test]
fn success_of_adaptation_is_learnt_from_the_next_message() {
    let glad_after = |answer: &str, emotion: &EmotionReading| {
        let mut talk = Talk::new("ana");
        assert_eq!(talk.say("I was at the lake.").adaptation.success_rate, 0.5);
        for _ in 0..6 {
            talk.reply("The lake again, in this cold.");
            talk.say_with(answer, emotion);
        }
        talk.state.adaptation().success_rate
    };
    let thanked = glad_after("Thank you, you are the best, that is so kind of you!", &glad());
    let snubbed = glad_after("You are useless, stop asking.", &sad());
    assert!(thanked > 0.6 && snubbed < 0.4, "{thanked} {snubbed}");
    let mut talk = Talk::new("ana");
    talk.say("I was at the lake.");
    talk.reply("The lake again, in this cold.");
    let mut wished = Talk::new("ana");
    wished.say("I was at the lake.");
    wished.reply("The lake again, in this cold.");
    talk.say("I prefer the answers about fish.");
    wished.say("I prefer shorter answers, please.");
    let rates = (
        wished.state.adaptation().success_rate,
        talk.state.adaptation().success_rate,
    );
    assert!(
        rates.0 < rates.1 - 0.03,
        "a wish for another manner counts against this one: {rates:?}"
    );
}

#[test]
fn only_an_answer_in_the_same_sitting_judges_a_reply() {
    let mut talk = Talk::new("ana");
    talk.say("I was at the lake.");
    talk.reply("What did you do there?");
    talk.wait(days(2));
    talk.say("ok");
    assert_eq!(talk.state.adaptation(), Adaptation::default());
    assert_eq!(
        talk.state.pattern_record(ConversationPattern::QuestionFrequency),
        (0, 0.5)
    );
    talk.reply("I see.");
    talk.wait(hours(24));
    let due = talk.tick().first().cloned().expect("a long silence");
    talk.send(&due);
    talk.say(LIVELY);
    let (answered, success) = talk
        .state
        .pattern_record(ConversationPattern::ConversationInitiation);
    assert!(
        answered == 1 && success > 0.5,
        "a suggestion waits for its answer: {success}"
    );
}

#[test]
fn understanding_counts_when_there_was_displeasure() {
    let mut talk = Talk::new("ana");
    for _ in 0..3 {
        talk.say("Nice weather.");
        talk.reply("You are right, my mistake, I hear you.");
    }
    let angry = feels(PrimaryEmotion::Anger, 0.8, -0.7);
    talk.say_with("I am furious, nothing works here!", &angry);
    let record = |talk: &Talk| talk.state.pattern_record(ConversationPattern::ConflictHandling);
    assert_eq!(record(&talk).0, 0);
    talk.reply("You are right, my mistake, I hear you.");
    talk.say("Fine, thanks for saying so.");
    assert!(record(&talk).0 == 1 && record(&talk).1 > 0.5);
}

#[test]
fn what_comforts_in_a_low_mood_comes_first_in_one() {
    let (asks, feels_with) = (
        "What did you do then?",
        "That must feel so lonely, I am sad with you.",
    );
    let grief = feels(PrimaryEmotion::Sadness, 0.55, -0.6);
    let mut talk = Talk::new("ana");
    for number in 0..16 {
        let (reply, better) = if number % 2 == 0 {
            (feels_with, true)
        } else {
            (asks, false)
        };
        talk.say_with("My grandmother is not with us any more.", &grief);
        talk.reply(reply);
        if better {
            talk.say_with("Yes, exactly, thank you, that is so kind of you!", &glad());
        } else {
            talk.say_with("ok", &grief);
        }
        talk.reply(asks);
        talk.say(LIVELY);
    }
    let low = talk
        .say_with("My grandmother is not with us any more.", &grief)
        .adaptation
        .effective;
    assert_eq!(low[0].pattern, ConversationPattern::EmotionalSharing, "{low:?}");
    let summary = talk.state.emotional_summary();
    let responses = |works: ConversationPattern| {
        summary
            .effective_responses
            .iter()
            .any(|(_, best)| best.contains(&works))
    };
    assert_eq!(summary.effective_responses.len(), summary.clusters.len());
    assert!(
        responses(ConversationPattern::EmotionalSharing),
        "{:?}",
        summary.effective_responses
    );
}
