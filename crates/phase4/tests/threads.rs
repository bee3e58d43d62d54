//! Where messages go, and how threads live and end.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use whisperengine_phase4::PauseReason;
use whisperengine_types::*;

fn state_of(talk: &Talk, id: &ThreadId) -> ThreadState {
    talk.state
        .threads()
        .iter()
        .find(|report| report.id == *id)
        .expect("the thread is known")
        .state
}

#[test]
fn transitions_are_of_the_kind_that_the_words_or_the_clock_tell() {
    let start = "My guitar teacher showed me a new song for the concert.";
    let cases = [
        (
            "By the way, the landlord raised the rent.",
            0,
            TransitionType::ExplicitSwitch,
        ),
        (
            "Hold on, the oven and the cake need me.",
            0,
            TransitionType::Interruption,
        ),
        (
            "The landlord wants to renovate the kitchen.",
            0,
            TransitionType::NaturalFlow,
        ),
        (
            "The landlord wants to renovate the kitchen.",
            300,
            TransitionType::TimeDriven,
        ),
        (
            "Emergency, the kitchen pipe burst in the apartment!",
            0,
            TransitionType::PriorityDriven,
        ),
    ];
    for (text, gap, kind) in cases {
        let mut talk = Talk::new("ana");
        talk.say(start);
        talk.wait(minutes(gap));
        let plan = talk.say(text);
        assert_eq!(
            thread(&plan).transition.as_ref().map(|t| t.kind),
            Some(kind),
            "{text}"
        );
    }
    let mut talk = Talk::new("ana");
    talk.say(start);
    let plan = talk.say_with("My grandmother is in hospital.", &sad());
    assert_eq!(
        thread(&plan).transition.as_ref().map(|t| t.kind),
        Some(TransitionType::EmotionalDriven)
    );
}

#[test]
fn reminder_driven_is_reachable_and_recalls_what_is_open() {
    let mut talk = Talk::new("ana");
    let guitar = thread(&talk.say("I will call my guitar teacher about the concert."))
        .id
        .clone();
    talk.say("By the way, the landlord raised the rent.");
    let plan = talk.say("Back to the guitar: the teacher has not answered.");
    assert_eq!(thread(&plan).id, guitar);
    let transition = thread(&plan).transition.as_ref().unwrap();
    assert_eq!(transition.kind, TransitionType::ReminderDriven);
    assert!(
        transition.bridge.contains("call my guitar teacher"),
        "{}",
        transition.bridge
    );
}

#[test]
fn completion_driven_follows_a_settled_thread() {
    let mut talk = Talk::new("ana");
    let old = thread(&talk.say("The printer in the office is broken."))
        .id
        .clone();
    let settled = talk.say("That's settled, the printer is fixed.");
    assert_eq!(thread(&settled).state, ThreadState::Resolved);
    assert_eq!(thread(&settled).phase, ThreadPhase::Resolving);
    let next = talk.say("My sister plans a trip to Lisbon.");
    assert_eq!(
        thread(&next).transition.as_ref().map(|t| t.kind),
        Some(TransitionType::CompletionDriven)
    );
    assert_eq!(state_of(&talk, &old), ThreadState::Resolved);
    let again = talk.say("About that printer: the office printer is broken again.");
    assert_eq!(
        (thread(&again).id.clone(), thread(&again).state),
        (old, ThreadState::Active)
    );
}

#[test]
fn an_announcement_alone_opens_the_thread_of_the_next_message() {
    let mut talk = Talk::new("ana");
    let old = thread(&talk.say("My guitar teacher showed me a new song."))
        .id
        .clone();
    assert_eq!(thread(&talk.say("Anyway.")).id, old);
    assert_ne!(thread(&talk.say("Kittens moved in next door.")).id, old);
}

#[test]
fn a_long_thread_does_not_split_because_its_vocabulary_grew() {
    let mut talk = Talk::new("ana");
    let first = thread(&talk.say("I started to learn the guitar.")).id.clone();
    for number in 0..60 {
        let text =
            format!("The guitar chord number{number} from lesson page{number} sounds strange{number}.");
        assert_eq!(thread(&talk.say(&text)).id, first, "message {number}");
    }
    let plan = talk.say("My guitar fingers hurt a lot.");
    assert_eq!((thread(&plan).id.clone(), thread(&plan).messages), (first, 62));
    assert_eq!(thread(&plan).phase, ThreadPhase::Deepening);
    assert!(thread(&plan).topics.contains(&"guitar".to_owned()));
}

#[test]
fn the_best_match_wins_and_not_the_first() {
    let mut talk = Talk::new("ana");
    talk.say("The garden needs a new fence and some paint.");
    let tomatoes = thread(&talk.say("By the way, the tomatoes in the garden have a fungus."))
        .id
        .clone();
    talk.say("By the way, my laptop battery is dead.");
    assert_eq!(
        thread(&talk.say("Back to the garden tomatoes, the fungus is spreading.")).id,
        tomatoes
    );
}

#[test]
fn questions_stay_open_until_answered_and_commitments_until_done() {
    let mut talk = Talk::new("ana");
    talk.say("Which strings should I buy for the guitar? I need to order the strings tonight.");
    talk.reply("Let me check and get back to you.");
    let plan = talk.say("The guitar strings are worn out.");
    assert_eq!(
        thread(&plan).open_questions,
        ["Which strings should I buy for the guitar?"]
    );
    assert_eq!(
        thread(&plan).commitments,
        ["I need to order the strings tonight."]
    );
    talk.reply("For your guitar I would buy nylon strings, they are soft.");
    let plan = talk.say("I ordered them, finished: the strings are on their way.");
    assert_eq!(thread(&plan).open_questions, Vec::<String>::new());
    assert_eq!(thread(&plan).commitments, Vec::<String>::new());
}

#[test]
fn manners_of_speaking_are_no_commitments() {
    for text in [
        "I have to say, the guitar sounds great.",
        "I will never forget that guitar.",
        "I don't need to practise the guitar.",
        "Should I will the guitar away?",
    ] {
        let plan = Talk::new("ana").say(text);
        assert_eq!(thread(&plan).commitments, Vec::<String>::new(), "{text}");
    }
}

#[test]
fn priority_rises_and_falls_with_what_is_said() {
    let mut talk = Talk::new("ana");
    let calm_start = thread(&talk.say("The doctor has a new office.")).priority;
    let mut urgent = calm_start;
    for _ in 0..4 {
        urgent = thread(&talk.say_with(
            "Emergency, the doctor said I must come to the hospital today, wow!",
            &feels(PrimaryEmotion::Fear, 1.0, -0.9),
        ))
        .priority;
    }
    assert!(urgent < calm_start, "{urgent:?} is not above {calm_start:?}");
    let mut later = urgent;
    for _ in 0..8 {
        later = thread(&talk.say("The doctor says the hospital was fine.")).priority;
    }
    assert!(later > urgent, "{later:?} is not below {urgent:?}");
}

#[test]
fn threads_rest_are_suspended_and_archived_and_come_back() {
    let mut talk = Talk::new("ana");
    let guitar = thread(&talk.say("I need to restring the guitar for the concert."))
        .id
        .clone();
    let rent = thread(&talk.say("By the way, the landlord raised the rent."))
        .id
        .clone();
    assert_eq!(state_of(&talk, &guitar), ThreadState::Paused);
    talk.wait(hours(13));
    talk.say("The landlord called about the rent again.");
    assert_eq!(state_of(&talk, &guitar), ThreadState::Suspended);
    talk.wait(hours(49));
    talk.say("A hedgehog lives under the porch.");
    assert_eq!(state_of(&talk, &guitar), ThreadState::Archived);
    assert_eq!(state_of(&talk, &rent), ThreadState::Archived);
    let plan = talk.say("Back to the guitar concert, it went well.");
    assert_eq!(
        (thread(&plan).id.clone(), thread(&plan).state),
        (guitar, ThreadState::Active)
    );
}

#[test]
fn at_most_five_threads_are_open_and_the_rest_wait() {
    let mut talk = Talk::new("ana");
    let subjects = [
        "guitar", "landlord", "hedgehog", "marathon", "laptop", "recipe", "dentist", "violin", "passport",
    ];
    for subject in subjects {
        talk.say(&format!("By the way, the {subject} is interesting."));
    }
    let reports = talk.state.threads();
    let open = |s| matches!(s, ThreadState::Active | ThreadState::Paused);
    assert_eq!(reports.iter().filter(|report| open(report.state)).count(), 5);
    assert_eq!(
        reports
            .iter()
            .filter(|report| report.state == ThreadState::Background)
            .count(),
        4
    );
    assert_eq!(
        reports
            .iter()
            .filter(|report| report.state == ThreadState::Active)
            .count(),
        1
    );
    for number in 0..60 {
        talk.say(&format!("By the way, the subject{number} is interesting."));
    }
    assert!(talk.state.threads().len() <= 34);
}

#[test]
fn threads_that_became_one_subject_are_merged() {
    let mut talk = Talk::new("ana");
    let first = thread(&talk.say("The violin lesson with Clara was hard."))
        .id
        .clone();
    talk.say("The violin lesson and Clara again.");
    talk.say("By the way, something else: the orchestra rehearses.");
    for _ in 0..6 {
        talk.say("The orchestra wants a violin, so Clara gives me a lesson.");
    }
    let merged = talk
        .state
        .threads()
        .iter()
        .any(|report| report.state == ThreadState::Merged && report.merged_into.is_some());
    let same = thread(&talk.say("Clara and the violin lesson.")).id == first;
    assert!(merged || same, "{:?}", talk.state.threads());
}

#[test]
fn pausing_and_resuming_on_request_keeps_the_context() {
    let mut talk = Talk::new("ana");
    let guitar = thread(&talk.say("I need to restring the guitar.")).id.clone();
    assert!(talk.state.pause_thread(&guitar));
    assert_eq!(state_of(&talk, &guitar), ThreadState::Paused);
    assert!(!talk.state.pause_thread(&ThreadId::new("nobody's").unwrap()));
    talk.say("The landlord raised the rent.");
    let now = talk.now;
    assert!(talk.state.resume_thread(&guitar, now));
    assert_eq!(state_of(&talk, &guitar), ThreadState::Active);
    let plan = talk.say("The strings are steel.");
    assert_eq!(thread(&plan).id, guitar);
    assert_eq!(thread(&plan).commitments, ["I need to restring the guitar."]);
}

#[test]
fn a_waiting_thread_is_pointed_out() {
    let mut talk = Talk::new("ana");
    let tax = thread(&talk.say("I have to send the tax papers today."))
        .id
        .clone();
    let plan = talk.say("By the way, kittens moved in next door.");
    let waiting = thread(&plan).waiting.as_ref().expect("the papers wait");
    assert_eq!(
        (&waiting.id, waiting.because.as_str()),
        (&tax, "I have to send the tax papers today.")
    );
}

#[test]
fn nothing_private_shows_in_a_public_channel() {
    let mut talk = Talk::new("ana");
    let secret = thread(&talk.say_with(
        "I need to tell my boss about my divorce and the therapist.",
        &sad(),
    ))
    .id
    .clone();
    talk.say_with("I won the court case about the divorce!", &glad());
    talk.wait(days(2));
    talk.recalled = vec![remembered(
        "old",
        "My divorce made me cry for weeks and weeks",
        talk.now,
        0.9,
    )];
    talk.audience = public("square");
    talk.wait(days(1));
    for (text, mood) in [
        ("About the divorce: what did I say?", sad()),
        ("I won the raffle, a divorce cake!", glad()),
        ("ok", calm()),
        ("ok", calm()),
        ("ok", calm()),
    ] {
        let plan = talk.say_with(text, &mood);
        assert_ne!(thread(&plan).id, secret);
        assert_eq!(plan.moments, [], "{text}");
        for word in ["therapist", "boss", "court", "weeks"] {
            let shown = format!("{plan:?}");
            assert!(!shown.contains(word), "{word} in {shown}");
        }
    }
    talk.wait(minutes(30));
    assert!(!format!("{:?}", talk.tick()).contains("divorce and"));
    talk.audience = Audience::Private;
    assert_eq!(
        thread(&talk.say("Back to the divorce and the therapist.")).id,
        secret
    );
}

#[test]
fn changes_of_thread_and_the_habit_of_them_are_kept() {
    let mut talk = Talk::new("ana");
    talk.say("I tuned my guitar and changed the strings of the guitar.");
    talk.say("By the way, my landlord wants to renovate the kitchen.");
    talk.say("The landlord starts with the kitchen tiles on Monday.");
    let changes = talk.state.transitions();
    assert_eq!(changes.len(), 2);
    assert_eq!(
        (changes[0].kind, changes[0].accepted),
        (TransitionType::ExplicitSwitch, Some(true))
    );
    assert_eq!(changes[1].from, None);
    let habits = talk.state.switching_habits();
    let switch = habits
        .iter()
        .find(|habit| habit.kind == TransitionType::ExplicitSwitch);
    assert_eq!(switch.map(|habit| (habit.times, habit.stayed)), Some((1, 1)));
    let left = changes[0].from.clone().unwrap();
    let report = talk
        .state
        .threads()
        .into_iter()
        .find(|thread| thread.id == left)
        .unwrap();
    assert_eq!(report.paused_because, Some(PauseReason::Switched));
    assert!(report.urgency <= 1.0 && report.time_sensitivity <= 1.0);
}
