//! Mood, stress, alerts and support.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use whisperengine_phase4::wellbeing;
use whisperengine_types::*;

fn of(talk: &Talk) -> Wellbeing {
    wellbeing(&talk.config, &talk.state, talk.now)
}

fn kinds(wellbeing: &Wellbeing) -> Vec<AlertKind> {
    wellbeing.alerts.iter().map(|alert| alert.kind).collect()
}

#[test]
fn somebody_unknown_is_neutral_and_not_worried_about() {
    let unknown = of(&Talk::new("ana"));
    assert_eq!(
        (unknown.mood, unknown.stress),
        (MoodCategory::Neutral, StressLevel::Minimal)
    );
    assert_eq!(unknown.mood_confidence, 0.3);
    assert_eq!((unknown.alerts, unknown.support), (Vec::new(), None));
}

#[test]
fn agreeing_moods_strengthen_one_another() {
    let mut talk = Talk::new("ana");
    talk.say_with("The sun is out.", &feels(PrimaryEmotion::Joy, 0.6, 0.55));
    let once = of(&talk);
    assert_eq!(once.mood, MoodCategory::Positive);
    for _ in 0..2 {
        talk.say_with("The sun is out.", &feels(PrimaryEmotion::Joy, 0.6, 0.55));
    }
    let thrice = of(&talk);
    assert_eq!(thrice.mood, MoodCategory::VeryPositive);
    assert!(thrice.mood_confidence > once.mood_confidence && thrice.mood_score > once.mood_score);
}

#[test]
fn three_low_moods_are_a_decline_that_asks_for_a_gentle_word() {
    let mut talk = Talk::new("ana");
    let low = feels(PrimaryEmotion::Sadness, 0.5, -0.5);
    talk.say_with("It rained on the picnic.", &low);
    talk.say_with("The cake fell.", &low);
    assert_eq!(kinds(&of(&talk)), []);
    talk.say_with("Nobody came.", &low);
    let declined = of(&talk);
    assert_eq!(kinds(&declined), [AlertKind::MoodDecline]);
    assert_eq!(declined.alerts[0].urgency, 4);
    let advice = declined.support.unwrap();
    assert_eq!(
        (advice.kind, advice.style, advice.timing, advice.due),
        (
            SupportKind::Reactive,
            InterventionStyle::GentleCheckIn,
            SupportTiming::WithinHour,
            true
        )
    );
}

#[test]
fn stress_climbs_with_messages_and_a_crisis_breaks_the_cap_but_not_the_opt_out() {
    let mut talk = Talk::new("ana");
    let afraid = feels(PrimaryEmotion::Fear, 0.95, -0.9);
    let mut levels = Vec::new();
    for _ in 0..10 {
        talk.say_with(
            "I am so stressed and overwhelmed, I can't cope with the deadline.",
            &afraid,
        );
        levels.push(of(&talk).stress);
    }
    assert!(levels.windows(2).all(|pair| pair[0] <= pair[1]), "{levels:?}");
    assert_eq!(levels.last(), Some(&StressLevel::Critical));
    talk.config.engagement.daily_cap = 0;
    let crisis = of(&talk);
    assert_eq!(
        (crisis.alerts[0].kind, crisis.alerts[0].urgency),
        (AlertKind::StressEscalation, 5)
    );
    let advice = crisis.support.unwrap();
    assert_eq!(
        (advice.kind, advice.style, advice.timing, advice.due),
        (
            SupportKind::Crisis,
            InterventionStyle::CrisisIntervention,
            SupportTiming::Immediate,
            true
        )
    );
    talk.feed(&Feedback::Proactive { allowed: false }).unwrap();
    assert!(!of(&talk).support.unwrap().due, "an opt-out is an opt-out");
    talk.wait(days(8));
    assert_eq!(
        of(&talk).stress,
        StressLevel::Minimal,
        "old stress says nothing of now"
    );
}

#[test]
fn jumping_moods_overwhelm_and_silence_are_noticed() {
    let mut talk = Talk::new("ana");
    for number in 0..6 {
        let (primary, valence) = if number % 2 == 0 {
            (PrimaryEmotion::Joy, 0.6)
        } else {
            (PrimaryEmotion::Anger, -0.6)
        };
        talk.say_with("That letter again.", &feels(primary, 0.5, valence));
    }
    assert!(
        kinds(&of(&talk)).contains(&AlertKind::EmotionalVolatility),
        "{:?}",
        of(&talk)
    );
    talk.say_with("I cannot bear it.", &feels(PrimaryEmotion::Sadness, 0.9, -0.9));
    assert!(kinds(&of(&talk)).contains(&AlertKind::OverwhelmIndicators));
    for _ in 0..5 {
        talk.say("The train is late.");
    }
    talk.wait(days(2));
    assert!(!kinds(&of(&talk)).contains(&AlertKind::IsolationPattern));
    talk.wait(days(1));
    let silent = of(&talk);
    assert!(kinds(&silent).contains(&AlertKind::IsolationPattern));
}

#[test]
fn support_keeps_its_distance_after_a_message_of_the_bots_own() {
    let mut talk = Talk::new("ana");
    for _ in 0..3 {
        talk.say_with(
            "Nobody came to the party.",
            &feels(PrimaryEmotion::Sadness, 0.5, -0.5),
        );
    }
    talk.wait(minutes(30));
    let suggestion = talk.tick().remove(0);
    assert!(of(&talk).support.unwrap().due);
    talk.send(&suggestion);
    assert!(!of(&talk).support.unwrap().due);
    talk.wait(hours(3));
    assert!(of(&talk).support.unwrap().due);
}
