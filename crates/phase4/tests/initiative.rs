//! When the bot speaks of its own accord, what it says, and what it learns from the answer.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use whisperengine_phase4::{Error, UserState};
use whisperengine_types::*;

/// Somebody who said something and fell silent for ten minutes.
fn silent(last: &str) -> Talk {
    let mut talk = Talk::new("ana");
    talk.say("I practise the guitar every evening.");
    talk.say(last);
    talk.wait(minutes(10));
    talk
}

fn strategies(suggestions: &[Suggestion]) -> Vec<EngagementStrategy> {
    suggestions.iter().map(|suggestion| suggestion.strategy).collect()
}

#[test]
fn silence_is_broken_once_and_then_waited_out() {
    let mut talk = silent("The chord change is tricky.");
    let due = talk.tick();
    assert!(!due.is_empty());
    assert_eq!(talk.tick(), due, "asking again gives the same answer");
    talk.send(&due[0]);
    talk.wait(hours(5));
    assert_eq!(talk.tick(), [], "unanswered: wait for the person");
    talk.say("Sorry, I was cooking for my family and the neighbours.");
    talk.wait(minutes(10));
    assert_ne!(talk.tick(), []);
}

#[test]
fn nothing_is_sent_before_the_person_or_the_app_allows_it() {
    let mut talk = silent("The chord change is tricky.");
    talk.state = UserState::new(&talk.owner);
    talk.say("I practise the guitar every evening.");
    talk.say_with(
        "Nobody came to the concert.",
        &feels(PrimaryEmotion::Sadness, 0.9, -0.8),
    );
    talk.wait(minutes(20));
    assert!(!talk.state.proactive_allowed());
    assert_eq!(talk.tick(), []);
    let support = whisperengine_phase4::wellbeing(&talk.config, &talk.state, talk.now).support;
    assert!(support.is_none_or(|support| !support.due), "{support:?}");
    talk.say("You can message me first.");
    talk.wait(minutes(20));
    assert_ne!(talk.tick(), [], "the person allowed it");
}

#[test]
fn suggestions_count_only_when_confirmed() {
    let mut talk = silent("The chord change is tricky.");
    let due = talk.tick();
    let strategy = due[0].strategy;
    assert_eq!(talk.state.strategy_record(strategy).0, 0);
    talk.send(&due[0]);
    assert_eq!(talk.state.strategy_record(strategy), (1, 0.5));
    let unknown = Feedback::SuggestionSent {
        suggestion: "made up".to_owned(),
        at: talk.now,
    };
    assert!(matches!(
        talk.feed(&unknown),
        Err(Error::UnknownSuggestion { .. })
    ));
}

#[test]
fn success_is_learnt_from_the_next_message() {
    let answers = [
        (
            "Wow, yes, tell me more about that, I would love to hear it!",
            true,
        ),
        ("k", false),
    ];
    for (answer, worked) in answers {
        let mut talk = silent("The chord change is tricky.");
        let due = talk.tick();
        talk.send(&due[0]);
        talk.wait(minutes(if worked { 0 } else { 25 }));
        talk.say(answer);
        let (_, success) = talk.state.strategy_record(due[0].strategy);
        assert_eq!(success > 0.5, worked, "{answer}: {success}");
    }
}

#[test]
fn opt_out_goodbye_and_night_are_respected() {
    let mut told = silent("Please stop messaging me first.");
    assert_eq!(told.tick(), []);
    told.say("Feel free to check in on me again, you can message me.");
    told.wait(minutes(10));
    assert_ne!(told.tick(), []);

    let mut fed = silent("The chord change is tricky.");
    fed.feed(&Feedback::Proactive { allowed: false }).unwrap();
    assert_eq!(fed.tick(), []);

    assert_eq!(silent("I have to go to bed, good night!").tick(), []);

    // Noon in UTC is an hour before midnight on Tongatapu.
    let mut asleep = silent("The chord change is tricky.");
    asleep
        .feed(&Feedback::TimeZone {
            name: "Pacific/Tongatapu".to_owned(),
        })
        .unwrap();
    assert_eq!(asleep.tick(), []);
    asleep.wait(hours(9));
    assert_ne!(asleep.tick(), [], "nine in the morning there");
    let nowhere = Feedback::TimeZone {
        name: "Mars/Olympus".to_owned(),
    };
    assert!(matches!(
        asleep.feed(&nowhere),
        Err(Error::UnknownTimeZone { .. })
    ));
}

#[test]
fn caps_and_gaps_hold() {
    let mut talk = silent("The chord change is tricky.");
    let mut sent = 0;
    for _ in 0..18 {
        if let Some(first) = talk.tick().first().cloned() {
            talk.send(&first);
            sent += 1;
        }
        talk.say("I was away for a moment, the guitar is still there.");
        talk.wait(minutes(31));
    }
    // Noon to ten in the evening: one every two hours at most, three a day.
    assert_eq!(sent, 3);
    let mut gap = silent("The chord change is tricky.");
    let first = gap.tick().remove(0);
    gap.send(&first);
    gap.say("Yes, it gets better with practice.");
    gap.wait(minutes(60));
    assert_eq!(gap.tick(), [], "within two hours of the last one");
    gap.wait(minutes(60));
    assert_ne!(gap.tick(), []);
}

#[test]
fn the_bot_does_not_nudge_while_it_owes_the_reply() {
    let mut talk = Talk::new("ana");
    talk.say("I practise the guitar every evening.");
    talk.reply("How long have you played?");
    talk.say("For three years now.");
    talk.wait(minutes(20));
    assert_eq!(talk.tick(), [], "the person spoke last");
    talk.reply("That shows.");
    talk.wait(minutes(10));
    assert_ne!(talk.tick(), []);
}

#[test]
fn every_strategy_has_its_occasion() {
    use EngagementStrategy as S;

    let mut seen = std::collections::BTreeSet::new();
    let mut note = |talk: &mut Talk| seen.extend(strategies(&talk.tick()));
    note(&mut silent("The chord change is tricky."));
    note(&mut silent("I need to call the luthier about the neck."));
    let mut proud = Talk::new("ana");
    proud.say_with("I won the chess tournament!", &glad());
    proud.wait(minutes(10));
    note(&mut proud);
    let mut low = Talk::new("ana");
    low.say_with("Everything at home went wrong today.", &sad());
    low.wait(minutes(10));
    note(&mut low);
    let mut blue = Talk::new("ana");
    blue.say_with("A grey sort of day.", &feels(PrimaryEmotion::Sadness, 0.4, -0.3));
    blue.wait(minutes(10));
    note(&mut blue);
    let mut returning = Talk::new("ana");
    for _ in 0..4 {
        returning.say("My pottery kiln fires the clay bowls slowly.");
    }
    returning.say("I want to become a potter with a shop of my own.");
    returning.wait(days(2));
    returning.say("The tram was late.");
    returning.wait(minutes(10));
    note(&mut returning);
    let mut resting = Talk::new("ana");
    resting.say("The violin has a crack.");
    resting.say("The violin crack grows.");
    resting.say("By the way, kittens moved in next door.");
    resting.wait(minutes(10));
    note(&mut resting);
    let all = [
        S::TopicSuggestion,
        S::FollowUpQuestion,
        S::MemoryConnection,
        S::EmotionalCheckIn,
        S::SharedInterest,
        S::CuriosityPrompt,
        S::Celebration,
        S::SupportOffer,
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn follow_ups_name_the_subject_and_not_a_filler() {
    let mut talk = Talk::new("ana");
    talk.say("Another thing about my accordion today.");
    talk.wait(minutes(10));
    let due = talk.tick();
    assert!(
        due.iter()
            .any(|suggestion| suggestion.text.contains("'accordion'")),
        "{due:?}"
    );
    assert!(
        due.iter()
            .all(|suggestion| !suggestion.text.contains("'another'") && !suggestion.text.contains("'thing'"))
    );
}

#[test]
fn the_same_suggestion_does_not_come_twice() {
    let mut talk = Talk::new("ana");
    talk.say("Hm.");
    let mut texts = Vec::new();
    for _ in 0..6 {
        talk.wait(hours(24) + minutes(10));
        if let Some(first) = talk.tick().first().cloned() {
            talk.send(&first);
            texts.push(first.text.clone());
        }
        talk.say("Hm.");
    }
    let distinct: std::collections::BTreeSet<_> = texts.iter().collect();
    assert!(texts.len() >= 4 && distinct.len() == texts.len(), "{texts:?}");
}

#[test]
fn a_terse_person_is_not_thought_to_be_bored() {
    let mut talk = Talk::new("ana");
    let mut advised = 0;
    for number in 0..120 {
        let plan = talk.say(["yes", "two today", "green", "at home", "my cat"][number % 5]);
        if number >= 60 {
            advised += usize::from(plan.engagement.intervene);
        }
    }
    assert_eq!(advised, 0);
}

#[test]
fn decline_is_a_slope_over_time() {
    let mut talk = Talk::new("ana");
    for _ in 0..12 {
        talk.say("We talked for hours about the orchestra and I loved every single minute of it!");
    }
    let lively = talk
        .say("The orchestra plays Dvorak next month, I can hardly wait for the second movement!")
        .engagement;
    let mut last = lively.clone();
    for text in [
        "It is fine I guess, nothing special.",
        "Not really sure.",
        "I guess so.",
        "whatever",
        "ok",
    ] {
        talk.wait(minutes(4));
        last = talk.say(text).engagement;
    }
    assert!(lively.trend.abs() < 0.05 && !lively.intervene, "{lively:?}");
    assert!(
        last.trend < -0.02 && last.score < lively.score && last.flow > lively.flow,
        "{last:?}"
    );
}

#[test]
fn rhythm_is_measured() {
    let mut talk = Talk::new("ana");
    for _ in 0..60 {
        talk.wait(minutes(3));
        talk.say("Is the oven warm enough for the bread now?");
    }
    let rhythm = talk.state.rhythm();
    assert!((150.0..230.0).contains(&rhythm.mean_gap_s), "{rhythm:?}");
    assert!(rhythm.question_frequency > 0.7 && rhythm.confidence == 0.6);
    assert!(rhythm.peak_hours.contains(&13), "{rhythm:?}");
}

#[test]
fn the_rhythm_knows_how_talks_end_and_what_brings_the_person_back() {
    let mut talk = Talk::new("ana");
    let before = talk.state.rhythm();
    assert!(before.fade_signals.is_empty() && before.reengagement_triggers.is_empty());
    for _ in 0..3 {
        for _ in 0..4 {
            talk.say("We rehearsed the second movement with the whole orchestra and it was a joy!");
        }
        for _ in 0..3 {
            talk.say("ok");
        }
        talk.wait(hours(24));
    }
    let due = talk.tick().first().cloned().expect("a long silence");
    talk.send(&due);
    talk.say("Oh yes, I love that! We play Dvorak tonight, can you believe it?");
    let rhythm = talk.state.rhythm();
    assert!(
        rhythm.fade_signals.contains(&StagnationKind::ShortResponses),
        "{rhythm:?}"
    );
    assert_eq!(rhythm.reengagement_triggers, [due.strategy]);
    let kept = UserState::decode(&talk.owner, &talk.state.encode()).unwrap();
    assert_eq!(kept.rhythm(), rhythm);
}
