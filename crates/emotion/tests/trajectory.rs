//! How a person's course is followed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use whisperengine_emotion::{EmotionTrajectories, EmotionTrajectory, MoodTrend};
use whisperengine_types::{BotId, EmotionReading, MemoryOwner, PrimaryEmotion, Timestamp, UserId};

fn reading(primary: PrimaryEmotion, valence: f32) -> EmotionReading {
    EmotionReading {
        primary,
        valence,
        arousal: 0.5,
        ..EmotionReading::neutral()
    }
}

fn course(valences: &[f32]) -> EmotionTrajectory {
    let mut trajectory = EmotionTrajectory::default();
    for &valence in valences {
        let primary = if valence < 0.0 {
            PrimaryEmotion::Sadness
        } else {
            PrimaryEmotion::Joy
        };
        trajectory.observe(&reading(primary, valence), Timestamp::default());
    }
    trajectory
}

#[test]
fn averages_trend_and_volatility_follow_the_messages() {
    let one = course(&[0.5]);
    assert_eq!((one.valence(), one.volatility(), one.trend()), (0.5, 0.0, 0.0));
    let two = course(&[0.0, 1.0]);
    assert!((two.valence() - 0.3).abs() < 1e-6 && (two.trend() - 0.2).abs() < 1e-6);
    assert_eq!(course(&[-0.6, -0.2, 0.3, 0.7]).mood_trend(), MoodTrend::Rising);
    assert_eq!(course(&[0.6, 0.2, -0.3, -0.7]).mood_trend(), MoodTrend::Falling);
    assert_eq!(course(&[0.4; 20]).mood_trend(), MoodTrend::Steady);
    assert!(course(&[0.8, -0.8, 0.8, -0.8, 0.8, -0.8]).volatility() > 0.5);
    assert!(course(&[0.4; 20]).volatility() < 1e-6);
}

#[test]
fn old_feelings_fade_and_a_clock_that_goes_backwards_is_no_time() {
    let mut trajectory = course(&[-0.9; 8]);
    let before = trajectory.valence();
    let later = Timestamp::default() + Duration::from_secs(3 * 86_400);
    trajectory.observe(&reading(PrimaryEmotion::Neutral, 0.0), later);
    assert!(before < -0.8 && trajectory.valence() > -0.1);
    let now = trajectory.valence();
    trajectory.observe(&reading(PrimaryEmotion::Neutral, now), Timestamp::default());
    assert!((trajectory.valence() - now).abs() < 1e-6);
}

#[test]
fn the_context_reads_as_one_line() {
    assert_eq!(
        EmotionTrajectory::default().context().to_string(),
        "no messages yet"
    );
    let mut trajectory = course(&[-0.8, -0.7, -0.8]);
    trajectory.observe(&reading(PrimaryEmotion::Neutral, 0.0), Timestamp::default());
    assert_eq!(
        trajectory.context().to_string(),
        "now neutral, lately mostly sadness; mood low and rising over 4 messages"
    );
}

#[test]
fn people_are_kept_apart_and_bounded() {
    let owner =
        |bot: &str, user: &str| MemoryOwner::person(BotId::new(bot).unwrap(), UserId::new(user).unwrap());
    let people = EmotionTrajectories::new(100);
    let sad = reading(PrimaryEmotion::Sadness, -0.8);
    people.observe(&owner("ember", "ana"), &sad, Timestamp::default());
    let context = people.observe(&owner("ember", "ana"), &sad, Timestamp::default());
    assert_eq!((context.messages, context.current), (2, PrimaryEmotion::Sadness));
    assert!(people.context(&owner("ember", "ben")).is_none());
    assert!(
        people.context(&owner("flint", "ana")).is_none(),
        "another bot knows nothing"
    );
    let kept = people.trajectory(&owner("ember", "ana")).unwrap();
    people.forget(&owner("ember", "ana"));
    assert!(people.context(&owner("ember", "ana")).is_none());
    people.restore(&owner("ember", "ana"), kept.clone());
    assert_eq!(people.trajectory(&owner("ember", "ana")), Some(kept));
}
