//! What a plan says besides the reply: facts to keep, wellbeing, insights, and which phases were carried out.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use whisperengine_phase4::wellbeing;
use whisperengine_types::*;

#[test]
fn wellbeing_in_the_plan_counts_the_present_message() {
    let mut talk = Talk::new("ana");
    let low = feels(PrimaryEmotion::Sadness, 0.5, -0.5);
    talk.say_with("It rained on the picnic.", &low);
    talk.say_with("The cake fell.", &low);
    let plan = talk.say_with("Nobody came.", &low);
    assert_eq!(plan.wellbeing.alerts[0].kind, AlertKind::MoodDecline);
    assert_eq!(plan.wellbeing, wellbeing(&talk.config, &talk.state, talk.now));
    let care = "They have been low for a while";
    assert!(has_note(&plan, care), "{:?}", plan.notes);
    talk.audience = public("square");
    let public = talk.say_with("Nobody came.", &low);
    assert!(!has_note(&public, care), "{:?}", public.notes);
}

#[test]
fn insights_name_topics_patterns_and_groups_and_keep_them_private() {
    let mut talk = Talk::new("ana");
    let first = talk.say("Hello there.").insights;
    assert_eq!(first, MemoryInsights::default());
    for _ in 0..4 {
        talk.say_with("I played the guitar in my band again!", &glad());
        talk.say_with("My boss shouted at me in the office.", &sad());
    }
    let plan = talk.say("The train is late.");
    let insights = &plan.insights;
    assert!(
        insights.important_topics.contains(&"guitar".to_owned()),
        "{insights:?}"
    );
    assert!(
        !insights.patterns.is_empty() && insights.patterns.len() <= 3,
        "{insights:?}"
    );
    let cluster = |topic: &str| insights.clusters.iter().find(|cluster| cluster.topic == topic);
    assert_eq!(cluster("hobbies").unwrap().messages, 4);
    let work = cluster("work").unwrap();
    assert!(
        work.messages == 4 && work.every_days.is_none(),
        "all on one day: {work:?}"
    );
    let memories = work.memories.iter().map(MemoryId::as_str).collect::<Vec<_>>();
    assert_eq!(
        memories,
        [MemoryId::from_number(3).as_str()],
        "the same words are kept once"
    );
    assert!(
        (0.79..=0.81).contains(&insights.network_strength),
        "8 of 10: {insights:?}"
    );
    assert_eq!(talk.state.insights(&talk.config).clusters, insights.clusters);
    talk.audience = public("square");
    let public = talk.say("The train is late.");
    assert_eq!(public.insights, MemoryInsights::default());
    talk.audience = Audience::Private;
    talk.say("I don't want to talk about the guitar.");
    let refused = talk.say("The train is late.").insights;
    assert!(
        !refused.important_topics.contains(&"guitar".to_owned()),
        "{refused:?}"
    );
}

#[test]
fn phases_are_those_that_were_carried_out() {
    use TurnPhase as P;
    let mut talk = Talk::new("ana");
    let always = [
        P::Emotion,
        P::Interaction,
        P::Threads,
        P::Engagement,
        P::Relationship,
        P::Wellbeing,
        P::Facts,
        P::Insights,
    ];
    talk.say("Hello.");
    assert_eq!(talk.say("The train is late.").phases, always);
    let told = talk.say_with("I won the regatta!", &glad());
    assert!(told.phases.contains(&P::Moments) && !told.phases.contains(&P::Suggestions));
    assert!(told.phases.contains(&P::Notes));
    for _ in 0..8 {
        talk.say("I went to the lake and it was a wonderful long day with my sister!");
    }
    let dull: Vec<TurnPlan> = (0..5).map(|_| talk.say("ok")).collect();
    let pushed = dull
        .iter()
        .find(|plan| plan.engagement.intervene)
        .expect("a push");
    assert!(pushed.phases.contains(&P::Suggestions) && !pushed.engagement.suggestions.is_empty());
}

#[test]
fn what_comes_first_follows_from_the_strain_and_the_wish() {
    let strong = |primary, valence| feels(primary, 0.95, valence);
    let cases: [(&str, EmotionReading, &[Focus]); 6] = [
        ("The train is late.", calm(), &[]),
        ("How does a heat pump work?", calm(), &[Focus::Answer]),
        ("I won the regatta, I am so proud!", glad(), &[Focus::Celebrate]),
        ("I don't trust you.", calm(), &[Focus::RepairTrust]),
        (
            "My laptop is broken, can you help me fix it?",
            calm(),
            &[Focus::Help],
        ),
        (
            "I am so overwhelmed, I can't cope, please help me!",
            strong(PrimaryEmotion::Fear, -0.9),
            &[Focus::Calm, Focus::Help, Focus::RelieveStress],
        ),
    ];
    for (text, emotion, first) in cases {
        let plan = Talk::new("ana").say_with(text, &emotion);
        assert_eq!(plan.emotional.priority_focus, first, "{text}");
    }
}

#[test]
fn a_group_knows_its_memories_and_how_often_it_comes_up() {
    let mut talk = Talk::new("ana");
    for text in [
        "My boss praised the report I wrote.",
        "I got the promotion at work, I am so proud!",
        "My colleague broke the printer in our office.",
        "The deadline for my project is too early.",
    ] {
        talk.say_with(text, &glad());
        talk.wait(days(2));
    }
    let insights = talk.say("The train is late.").insights;
    let work = &insights.clusters[0];
    assert_eq!(
        (work.topic.as_str(), work.messages, work.memories.len()),
        ("work", 4, 3),
        "{insights:?}"
    );
    let plain = MemoryId::from_number(1);
    assert!(
        !work.memories.contains(&plain),
        "the oldest without a mark is left out: {work:?}"
    );
    assert!(
        work.every_days.is_some_and(|days| (1.9..2.1).contains(&days)),
        "{work:?}"
    );
}
