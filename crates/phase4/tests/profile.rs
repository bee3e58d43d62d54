//! Feelings, interaction types, personality and relationship over time.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use whisperengine_phase4::{Gesture, ImportanceFactors, PersonalityDimension, Theme};
use whisperengine_types::*;

#[test]
fn interaction_types_go_by_whole_words_and_weight() {
    use InteractionType as T;
    let cases = [
        ("What a show, somehow I love it", glad(), T::CasualChat),
        (
            "I feel so sad and alone, please help me",
            sad(),
            T::EmotionalSupport,
        ),
        (
            "My printer shows an error, how do I fix it?",
            calm(),
            T::ProblemSolving,
        ),
        ("What is the capital of Peru?", calm(), T::InformationSeeking),
        (
            "Let's brainstorm a story about dragons",
            calm(),
            T::CreativeCollaboration,
        ),
        ("Haha, good morning!", calm(), T::CasualChat),
    ];
    for (text, mood, expected) in cases {
        let plan = Talk::new("ana").say_with(text, &mood);
        assert_eq!(
            plan.interaction, expected,
            "{text}: {:?}",
            plan.interaction_scores
        );
        assert!(
            plan.interaction_scores
                .windows(2)
                .all(|pair| pair[0].1 >= pair[1].1)
        );
    }
}

#[test]
fn modes_follow_feeling_and_fact_and_stay_otherwise() {
    let mut talk = Talk::new("ana");
    assert_eq!(talk.say("The tram is yellow.").mode, ConversationMode::Balanced);
    assert_eq!(
        talk.say("Explain how the algorithm works").mode,
        ConversationMode::Analytical
    );
    assert_eq!(talk.say("The tram is yellow.").mode, ConversationMode::Analytical);
    assert_eq!(
        talk.say_with("I feel so worried.", &sad()).mode,
        ConversationMode::HumanLike
    );
    talk.config.interaction.mode = Some(ConversationMode::Analytical);
    assert_eq!(
        talk.say_with("I feel so worried.", &sad()).mode,
        ConversationMode::Analytical
    );
}

#[test]
fn triggers_are_raised_by_their_cues_and_history() {
    use EmotionalTrigger as T;
    let has = |plan: &TurnPlan, trigger: T| plan.emotional.triggers.contains(&trigger);
    let mut talk = Talk::new("ana");
    assert!(has(
        &talk.say_with(
            "I am so stressed at work.",
            &feels(PrimaryEmotion::Fear, 0.6, -0.5)
        ),
        T::StressIndicators
    ));
    assert!(!has(
        &talk.say_with("I am scared.", &feels(PrimaryEmotion::Fear, 0.6, -0.5)),
        T::AnxietyPatterns
    ));
    assert!(has(
        &talk.say_with("The office scares me.", &feels(PrimaryEmotion::Fear, 0.6, -0.5)),
        T::AnxietyPatterns
    ));
    assert!(has(
        &talk.say_with("My job is wonderful now.", &glad()),
        T::EmotionalBreakthroughs
    ));
    assert!(has(&talk.say_with("I lost him.", &sad()), T::SadnessOnset));
    assert!(has(
        &talk.say_with("I hate this.", &feels(PrimaryEmotion::Anger, 0.95, -0.9)),
        T::OverwhelmingEmotions
    ));
    assert!(has(
        &talk.say("What should I do? I need advice."),
        T::SupportOpportunities
    ));
    assert!(has(
        &talk.say_with("I passed my exam!", &glad()),
        T::CelebrationMoments
    ));
}

#[test]
fn patterns_that_were_never_produced_are() {
    let pattern = |plan: TurnPlan| plan.emotional.pattern;
    let mut talk = Talk::new("ana");
    let fury = feels(PrimaryEmotion::Anger, 0.8, -0.7);
    assert_eq!(
        pattern(talk.say_with("The bus never comes!", &fury)),
        Some(EmotionalPattern::FrustrationVenting)
    );
    let thrill = feels(PrimaryEmotion::Excitement, 0.9, 0.8);
    assert_eq!(
        pattern(Talk::new("ben").say_with("We leave at dawn!", &thrill)),
        Some(EmotionalPattern::ExcitementSharing)
    );
    for _ in 0..2 {
        talk.say_with("It hurts.", &sad());
        talk.say_with("It is better.", &glad());
    }
    talk.say_with("It hurts.", &sad());
    assert_eq!(
        pattern(talk.say_with("It is good again.", &glad())),
        Some(EmotionalPattern::ResilienceBuilding)
    );
    assert!(
        talk.state
            .emotional_summary()
            .clusters
            .iter()
            .all(|cluster| cluster.frequency >= 3)
    );
}

#[test]
fn sadness_without_trust_is_met_concisely_and_with_trust_warmly() {
    let stranger = Talk::new("ana").say_with("My cat is gone.", &feels(PrimaryEmotion::Sadness, 0.5, -0.5));
    assert_eq!(stranger.emotional.tone, Tone::ProfessionallySupportive);
    assert_eq!(stranger.emotional.length_factor, 0.8);
    let mut talk = Talk::new("ben");
    for _ in 0..40 {
        talk.say(
            "I trust you, I can tell you what I fear: losing the people I love and the meaning of my life.",
        );
    }
    let friend = talk.say_with("My cat is gone.", &sad());
    assert_eq!(friend.emotional.tone, Tone::DeeplyEmpathetic);
    assert!(friend.emotional.share_empathy);
}

#[test]
fn confidence_grows_with_evidence_and_fades_without() {
    let mut talk = Talk::new("ana");
    for _ in 0..6 {
        talk.say("Dear colleagues, kindly consider the quarterly discussion regarding assistance.");
    }
    let style = talk.state.personality_summary();
    let manner = *style.value(PersonalityDimension::CommunicationStyle);
    assert_eq!(manner.evidence, 6);
    assert!(
        manner.confidence > 0.95,
        "stable people are known best: {manner:?}"
    );
    let before = talk.say("Kindly consider the discussion.").style.confidence;
    talk.wait(days(120));
    let after = talk.say("ok then, see you").style.confidence;
    assert!(before > 0.9 && after < 0.5, "{before} -> {after}");
}

#[test]
fn every_dimension_is_written() {
    let mut talk = Talk::new("ana");
    for _ in 0..3 {
        talk.say("Haha, my gut feeling says yes! Did you know that I am stuck and need advice?");
        talk.reply("Tell me.");
    }
    let summary = talk.state.personality_summary();
    for dimension in PersonalityDimension::ALL {
        assert!(summary.value(dimension).evidence >= 2, "{dimension:?}");
    }
    assert!(summary.value(PersonalityDimension::DecisionMaking).value < -0.9);
    assert!(summary.value(PersonalityDimension::HumorStyle).value > 0.9);
}

#[test]
fn engaging_topics_are_filled() {
    let mut talk = Talk::new("ana");
    for _ in 0..4 {
        talk.say("Wow, the guitar concert was amazing, I love every song of that band, tell me more!");
        talk.say("The rent.");
    }
    let topics = talk.state.personality_summary().engaging_topics;
    let score = |theme| {
        topics
            .iter()
            .find(|(other, _)| *other == theme)
            .map(|(_, score)| *score)
    };
    assert!(score(Theme::Hobbies) > score(Theme::Finance), "{topics:?}");
}

#[test]
fn explicit_wishes_win_and_only_wishes_count() {
    let mut talk = Talk::new("ana");
    for _ in 0..10 {
        talk.say("lol yeah gonna chill, u know, haha");
    }
    let style = talk.say("Please be more formal and keep it short.").style;
    assert!(style.explicit && style.casualness <= -0.6 && style.length == ResponseLength::Brief);
    assert_eq!(
        talk.say("Just listen, I don't need advice.").style.support,
        SupportLevel::Reserved
    );
    let mut other = Talk::new("ben");
    assert!(
        !other
            .say("The days are getting longer and the trip took too long this year for all of us.")
            .style
            .explicit
    );
}

#[test]
fn the_relationship_rises_with_time_and_falls_with_distrust() {
    use RelationshipStage as S;

    let mut talk = Talk::new("ana");
    let mut stages = vec![RelationshipStage::Stranger];
    for _ in 0..60 {
        let plan = talk.say(
            "I trust you, I can tell you what I fear: losing the people I love and the meaning of my life.",
        );
        if stages.last() != Some(&plan.relationship.stage) {
            stages.push(plan.relationship.stage);
        }
        talk.wait(days(4));
    }
    assert_eq!(
        stages,
        [
            S::Stranger,
            S::Acquaintance,
            S::Friend,
            S::CloseFriend,
            S::Confidant
        ]
    );
    let report = talk.state.relationship_report(&talk.config, talk.now);
    assert!(report.next.is_none() && report.allows(Gesture::Affection));
    assert_eq!(report.milestones.len(), 4);
    for _ in 0..30 {
        talk.say("You lied to me, I don't trust you, you're useless, shut up.");
    }
    let stage = talk.state.relationship(&talk.config).stage;
    assert_eq!(stage, S::Hostile);
    let fallen = talk.state.relationship_report(&talk.config, talk.now);
    assert!(!fallen.allows(Gesture::Banter) && fallen.trust < -0.5);
    talk.wait(minutes(30));
    assert_eq!(talk.tick(), [], "no initiative towards somebody hostile");
}

#[test]
fn support_given_raises_the_level_by_one() {
    let mut talk = Talk::new("ana");
    for _ in 0..4 {
        talk.say_with("I feel so sad and lonely.", &sad());
    }
    for _ in 0..3 {
        talk.say("The tram is yellow.");
    }
    assert_eq!(
        talk.state.relationship(&talk.config).level,
        RelationshipLevel::Established
    );
}

#[test]
fn importance_weighs_and_decays_as_documented() {
    let plain = ImportanceFactors {
        emotional_intensity: 0.5,
        personal_relevance: 0.5,
        uniqueness: 0.5,
        ..Default::default()
    };
    let strong = ImportanceFactors {
        emotional_intensity: 1.0,
        milestone: 1.0,
        ..plain
    };
    let read = ImportanceFactors { reads: 20, ..plain };
    let old = ImportanceFactors {
        age_days: 60.0,
        ..plain
    };
    assert!(strong.importance() > plain.importance() && read.importance() > plain.importance());
    assert!(old.importance() < plain.importance());
    assert!(
        old.decayed(0.8, 10.0) < read.decayed(0.8, 10.0),
        "what is read lasts"
    );
    assert_eq!(old.decayed(0.8, 10_000.0), 0.1);
    for wild in [f32::NAN, f32::INFINITY, -1.0] {
        let factors = ImportanceFactors {
            emotional_intensity: wild,
            age_days: wild,
            milestone: wild,
            ..plain
        };
        assert!((0.0..=1.0).contains(&factors.importance()));
    }
}

#[test]
fn what_sets_a_pattern_off_is_known() {
    let mut talk = Talk::new("ana");
    for _ in 0..4 {
        talk.say_with(
            "I am so stressed, the deadline is too much.",
            &feels(PrimaryEmotion::Fear, 0.8, -0.7),
        );
    }
    talk.say("The train is late.");
    let summary = talk.state.emotional_summary();
    let (pattern, triggers) = &summary.common_triggers[0];
    assert_eq!(*pattern, summary.clusters[0].pattern);
    assert!(
        triggers.contains(&EmotionalTrigger::StressIndicators),
        "{triggers:?}"
    );
}
