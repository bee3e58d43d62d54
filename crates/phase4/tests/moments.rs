//! Which old memories are brought up, when, and what is learnt from it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use whisperengine_phase4::Error;
use whisperengine_types::*;

#[test]
fn nothing_of_the_same_sitting_is_brought_up() {
    let mut talk = Talk::new("ana");
    for _ in 0..6 {
        let plan = talk.say_with("I won the chess tournament and I am proud of myself!", &glad());
        assert_eq!(plan.moments, []);
    }
}

#[test]
fn recalled_memories_connect_by_meaning_and_not_only_the_last_twenty() {
    let mut talk = Talk::new("ana");
    talk.say("Hello there, nice to see you.");
    let long_ago = talk.now;
    for number in 0..30 {
        talk.say(&format!(
            "I hope and dream about a life by the sea, number {number}."
        ));
    }
    talk.wait(days(40));
    talk.recalled = vec![remembered(
        "old-7",
        "My terrier Rex ran away during the thunderstorm",
        long_ago,
        0.75,
    )];
    let plan = talk.say("Our puppy hid from the lightning.");
    let moment = plan.moments.first().expect("near in meaning");
    assert_eq!(moment.memory, Some(MemoryId::new("old-7").unwrap()));
    assert_eq!(
        (moment.quote.as_str(), moment.said_at),
        ("My terrier Rex ran away during the thunderstorm", long_ago)
    );
    assert_eq!(moment.timing, MomentTiming::ConversationStart);
}

#[test]
fn others_words_and_far_memories_are_not_brought_up() {
    let said = "2026-02-20T10:00:00Z".parse().unwrap();
    let text = "My terrier Rex ran away during the thunderstorm";
    let own = remembered("m", text, said, 0.75);
    let with = |change: fn(&mut MemoryRecord)| {
        let mut record = (*own.memory).clone();
        change(&mut record);
        RecalledMemory {
            memory: record.into(),
            ..own.clone()
        }
    };
    let cases = [
        (own.clone(), true),
        (with(|m| m.speaker = Some("ana".to_owned())), true),
        (with(|m| m.speaker = Some("ember".to_owned())), false),
        (with(|m| m.kind = MemoryKind::Document), false),
        (
            with(|m| m.text = "You are a great friend to the terrier, Sam".to_owned()),
            false,
        ),
        (
            with(|m| m.text = "Where did Rex the terrier run during the thunderstorm?".to_owned()),
            false,
        ),
        (
            with(|m| m.text = "Our puppy hid from the lightning.".to_owned()),
            false,
        ),
        (
            RecalledMemory {
                similarity: Some(Similarity::new(0.1)),
                ..own.clone()
            },
            false,
        ),
    ];
    for (index, (memory, expected)) in cases.into_iter().enumerate() {
        let mut talk = Talk::new("ana");
        talk.say("Hello there, nice to see you.");
        talk.wait(days(1));
        talk.recalled = vec![memory];
        assert_eq!(
            !talk.say("Our puppy hid from the lightning.").moments.is_empty(),
            expected,
            "case {index}"
        );
    }
}

#[test]
fn kinds_and_connections_follow_from_both_sides() {
    use ConnectionType as C;
    use MomentType as M;
    let cases = [
        (
            "I want to become a nurse, that is my dream.",
            calm(),
            "I passed my nurse exam!",
            glad(),
            M::AchievementCallback,
            C::GoalProgression,
        ),
        (
            "The printer is broken and I am stuck.",
            calm(),
            "I fixed it: the printer works now!",
            glad(),
            M::ProblemResolution,
            C::ProblemSolution,
        ),
        (
            "I am so angry about the noisy neighbour.",
            feels(PrimaryEmotion::Anger, 0.8, -0.7),
            "The neighbour drilled all night, I am furious.",
            feels(PrimaryEmotion::Anger, 0.9, -0.8),
            M::EmotionalContinuity,
            C::EmotionalResonance,
        ),
        (
            "I love my pottery class on Tuesdays.",
            calm(),
            "My pottery class made bowls today.",
            calm(),
            M::InterestDevelopment,
            C::ThematicSimilarity,
        ),
        (
            "I cried because the office treats me badly.",
            sad(),
            "The office is wonderful now, I love my job.",
            glad(),
            M::PersonalGrowth,
            C::EmotionalResonance,
        ),
        (
            "We danced at the wedding of Clara all night.",
            glad(),
            "Clara and I danced again, such fun!",
            glad(),
            M::CelebrationEcho,
            C::EmotionalResonance,
        ),
    ];
    for (old, old_mood, new, new_mood, kind, connection) in cases {
        let mut talk = Talk::new("ana");
        talk.say_with(old, &old_mood);
        talk.wait(days(3));
        let plan = talk.say_with(new, &new_mood);
        let moment = plan.moments.iter().find(|moment| moment.kind == kind);
        assert!(
            moment.is_some_and(|m| m.connection == connection && m.quote == old),
            "{old} / {new}: {:?}",
            plan.moments
        );
        assert!(moment.is_some_and(|m| m.callback.contains(old.trim_end_matches('.'))));
    }
}

#[test]
fn timing_decides_whether_a_moment_is_offered() {
    let mut talk = Talk::new("ana");
    talk.say("I love my pottery class on Tuesdays.");
    talk.wait(days(3));
    talk.say("Good morning, how are you?");
    talk.say("It is raining here.");
    talk.say("The umbrella is lost.");
    // In the middle of a quiet subject, nothing: no start, no change of subject, no pause.
    let plan = talk.say("It rains on the umbrella of the pottery class.");
    assert!(
        thread(&plan).transition.is_some() || plan.moments.is_empty(),
        "{:?}",
        plan.moments
    );
}

#[test]
fn use_and_success_are_remembered() {
    let mut talk = Talk::new("ana");
    talk.say_with("I won the chess tournament last weekend!", &glad());
    talk.wait(days(2));
    let moment = talk.say_with("I got promoted today!", &glad()).moments.remove(0);
    assert!(matches!(
        talk.reply_with("Hm.", Some("m-unknown")),
        Err(Error::UnknownMoment { .. })
    ));
    talk.reply_with("Like your chess win!", Some(&moment.id)).unwrap();
    talk.say_with(
        "Wow, yes, exactly, I love that you remember it!",
        &feels(PrimaryEmotion::Joy, 1.0, 1.0),
    );
    let record = talk
        .state
        .moment_records()
        .into_iter()
        .find(|record| record.id() == moment.id)
        .unwrap();
    assert_eq!(record.used, 1);
    assert!(record.success > 0.5, "{record:?}");
}

#[test]
fn a_distrusting_person_is_spared() {
    let mut talk = Talk::new("ana");
    talk.say_with("I cried all night because my grandmother died.", &sad());
    for _ in 0..20 {
        talk.say_with(
            "I don't trust you, you lied, stop lying.",
            &feels(PrimaryEmotion::Anger, 0.9, -0.9),
        );
    }
    talk.wait(days(2));
    assert_eq!(
        talk.say_with("I feel so lonely and sad again today.", &sad())
            .moments,
        []
    );
}

#[test]
fn a_milestone_takes_a_risen_relationship_and_words_about_it() {
    let mut talk = Talk::new("ana");
    talk.say_with(
        "I trust you, I can tell you about my stutter at the choir.",
        &sad(),
    );
    talk.wait(days(8));
    for _ in 0..6 {
        let plan = talk.say("The tram to the harbour was late.");
        assert!(
            plan.moments
                .iter()
                .all(|m| m.kind != MomentType::RelationshipMilestone)
        );
    }
    assert!(talk.state.relationship(&talk.config).stage > RelationshipStage::Stranger);
    talk.wait(days(1));
    let plain = talk.say("I bought a kettle for the kitchen.");
    assert!(
        plain
            .moments
            .iter()
            .all(|m| m.kind != MomentType::RelationshipMilestone)
    );
    let plan = talk.say("I feel safe with you, thank you for listening to me.");
    let moment = plan
        .moments
        .iter()
        .find(|m| m.kind == MomentType::RelationshipMilestone)
        .expect("they rose, and say so");
    assert!(moment.quote.contains("stutter"), "{}", moment.quote);
    talk.wait(days(2));
    let again = talk.say("I feel safe with you, thank you for listening to me.");
    assert!(
        again
            .moments
            .iter()
            .all(|m| m.kind != MomentType::RelationshipMilestone)
    );
}

/// Words of mood and encouragement, which everybody uses of everything, tie nothing together.
#[test]
fn commonplaces_in_common_are_no_subject() {
    let said = "2026-02-20T10:00:00Z".parse().unwrap();
    let cases = [
        (
            "I am so grateful for the support of my friends.",
            "I find support and strength in my friends too.",
            false,
        ),
        (
            "You inspire me, your journey matters to me.",
            "I love this inspiring journey of mine.",
            false,
        ),
        (
            "Great that you climbed the Matterhorn!",
            "I want to climb the Matterhorn one day.",
            false,
        ),
        (
            "I slept badly in the cabin below the Matterhorn.",
            "I want to climb the Matterhorn from the cabin.",
            true,
        ),
    ];
    for (old, new, expected) in cases {
        let mut talk = Talk::new("ana");
        talk.say("Hello there, nice to see you.");
        talk.wait(days(1));
        talk.recalled = vec![remembered("m", old, said, 0.6)];
        let plan = talk.say(new);
        assert_eq!(
            !plan.moments.is_empty(),
            expected,
            "{old} / {new}: {:?}",
            plan.moments
        );
    }
}

/// The old message is quoted by the sentence that is about the same thing, not from its beginning.
#[test]
fn the_sentence_that_matters_is_quoted() {
    let said = "2026-02-20T10:00:00Z".parse().unwrap();
    let old = "Thanks, that means a lot! You are too kind. I planted tomatoes behind the greenhouse. What about you?";
    let mut talk = Talk::new("ana");
    talk.say("Hello there, nice to see you.");
    talk.wait(days(1));
    talk.recalled = vec![remembered("m", old, said, 0.6)];
    let plan = talk.say("My tomatoes in the greenhouse are ripe.");
    assert_eq!(
        plan.moments.first().unwrap().quote,
        "I planted tomatoes behind the greenhouse."
    );
}

#[test]
fn a_word_in_common_is_no_thing_in_common() {
    let offered = |old: &str, now: &str, similarity: f32| {
        let mut talk = Talk::new("ana");
        talk.say("Hello there, nice to see you.");
        let said = talk.now;
        talk.wait(days(2));
        talk.recalled = vec![remembered("old", old, said, similarity)];
        talk.say_with(now, &glad()).moments.len()
    };
    let homeless = "I spoke at the homeless shelter where I am a volunteer.";
    let cases = [
        (
            homeless,
            "I am a volunteer at the homeless shelter again!",
            0.6,
            1,
        ),
        (homeless, "I am a volunteer at a dog shelter now!", 0.6, 0),
        (
            homeless,
            "I met a volunteer. I found a shelter for my bicycle.",
            0.6,
            0,
        ),
        (
            "I planted tulips and roses in my garden before the winter came.",
            "I bought some sandwiches, a kayak, two paddles and a helmet for the garden.",
            0.66,
            0,
        ),
        (
            "It was odd. It made me see how crucial the tulips and roses are.",
            "I planted tulips and roses!",
            0.6,
            0,
        ),
        (
            "I'm sorry to hear about Max and his kennel.",
            "Max has a kennel and I love it!",
            0.6,
            0,
        ),
    ];
    for (old, now, similarity, expected) in cases {
        assert_eq!(offered(old, now, similarity), expected, "{old} / {now}");
    }
}

#[test]
fn anothers_trouble_recalls_none_of_ones_own() {
    let offered = |now: &str| {
        let mut talk = Talk::new("ana");
        talk.say_with("I felt so lonely after the funeral of my aunt.", &sad());
        talk.wait(days(3));
        talk.say_with(now, &sad()).moments.len()
    };
    assert_eq!(offered("I feel so sad today."), 1);
    assert_eq!(offered("That is really sad. You did well."), 0);
}
