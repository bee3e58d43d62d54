//! The acceptance cases of the specification, one test each; case 2 is beside the observation it is about.
//!
//! Where each defect of the predecessor is tested (file after the slash; no file: here or in a module):
//!
//! | what went wrong before | test |
//! |---|---|
//! | cues found inside words; "help" makes everything a problem | `case_05`, `interaction_types_go_by_whole_words_and_weight` / profile |
//! | interactions counted in a list of twenty | `case_04` |
//! | an unknown label of emotion is an error | `case_07` |
//! | negation, intensifiers, "down" in "download"; no real sentiment | `case_06` |
//! | strong joy is stress | `case_06`, `triggers_are_raised_by_their_cues_and_history` / profile |
//! | weight of the subject above 1, "died" not seen | `a_subjects_weight_sees_lemmas_and_stays_in_range` |
//! | feelings kept for ever and all read again | `a_thousand_messages_fit_and_a_thousand_more_add_nothing` / bounds |
//! | patterns and triggers that were never produced | `patterns_that_were_never_produced_are` / profile |
//! | a length factor of exactly 0.8 is not concise | `sadness_without_trust_is_met_concisely_and_with_trust_warmly` / profile |
//! | the letter "u" makes a sentence casual | `case_01` |
//! | cues with a capital I never match | `case_02` |
//! | trust stays 0, every gate stays shut | `case_03` |
//! | engaging topics never filled | `engaging_topics_are_filled` / profile |
//! | effective patterns never filled, success of adaptation never learnt | `effective_patterns_are_those_that_the_person_answers_gladly`, `success_of_adaptation_is_learnt_from_the_next_message` / adaptation |
//! | confidence only from change, no decay | `confidence_grows_with_evidence_and_fades_without` / profile |
//! | dimensions that were never written | `every_dimension_is_written` / profile |
//! | profile lost on restart | `a_replay_gives_the_same_bytes_also_through_kept_states` / bounds |
//! | moments rebuilt on each call: no cooldown, no use, no success | `case_11`, `use_and_success_are_remembered` / moments |
//! | sixty similar messages make 950 connections | `case_12` |
//! | resonance gated on the name of an enum | `case_13` |
//! | achievements and interests come out as recurring themes | `case_14`, `kinds_and_connections_follow_from_both_sides` / moments |
//! | depth and trust at creation are constants | `a_distrusting_person_is_spared` / moments |
//! | history and interests grow without bound | `even_the_longest_words_fit` / bounds |
//! | the callback quotes the current message | `case_14`, `others_words_and_far_memories_are_not_brought_up` / moments |
//! | links within one sitting | `nothing_of_the_same_sitting_is_brought_up` / moments |
//! | only the last twenty messages are searched | `recalled_memories_connect_by_meaning_and_not_only_the_last_twenty` / moments |
//! | the timing is never used | `timing_decides_whether_a_moment_is_offered` / moments |
//! | no transition for a new topic, first message counted twice | `case_08` |
//! | a thread about "art" swallows "start"; first match wins | `case_09`, `the_best_match_wins_and_not_the_first` / threads |
//! | "John" announces a change of subject | `case_10` |
//! | a running topic splits as its vocabulary grows | `a_long_thread_does_not_split_because_its_vocabulary_grew` / threads |
//! | priority set once | `priority_rises_and_falls_with_what_is_said` / threads |
//! | open questions and commitments never filled | `questions_stay_open_until_answered_and_commitments_until_done` / threads |
//! | reminder, interruption, completion unreachable | `reminder_driven_is_reachable_and_recalls_what_is_open`, `transitions_are_of_the_kind_that_the_words_or_the_clock_tell` / threads |
//! | ids made of wall-clock seconds | `case_17`, `a_replay_gives_the_same_bytes_also_through_kept_states` / bounds |
//! | lively talk is flagged, dying talk is not | `case_15`, `decline_is_a_slope_over_time` / initiative |
//! | a terse person is thought to be bored | `a_terse_person_is_not_thought_to_be_bored` / initiative |
//! | times that end in Z | `case_16` |
//! | the bot's own messages count as the person's | `the_bot_does_not_nudge_while_it_owes_the_reply` / initiative |
//! | the rhythm is a constant | `rhythm_is_measured` / initiative |
//! | the follow-up asks about "another" | `follow_ups_name_the_subject_and_not_a_filler` / initiative |
//! | the same suggestion twice; five strategies never used | `the_same_suggestion_does_not_come_twice`, `every_strategy_has_its_occasion` / initiative |
//! | suggestions count before they are sent | `suggestions_count_only_when_confirmed` / initiative |
//! | success is never learnt | `success_is_learnt_from_the_next_message` / initiative |
//! | no quiet hours, opt-out, gap or cap | `opt_out_goodbye_and_night_are_respected`, `caps_and_gaps_hold` / initiative |
//! | private talk shows in public | `nothing_private_shows_in_a_public_channel` / threads |
//! | the relationship only rises | `the_relationship_rises_with_time_and_falls_with_distrust` / profile |
//! | use of a memory is a random number | `importance_weighs_and_decays_as_documented` / profile, `recalled_memories_connect_by_meaning_and_not_only_the_last_twenty` / moments |
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use whisperengine_phase4::{
    ConnectionReport, PersonalityDimension, UserState, emotional_state_from_label, transition_strength,
};
use whisperengine_types::*;

#[test]
fn case_01_a_formal_sentence_is_formal() {
    let mut talk = Talk::new("ana");
    talk.say("Distinguished colleagues, our quarterly results warrant discussion.");
    assert!(
        talk.state
            .personality_summary()
            .value(PersonalityDimension::CommunicationStyle)
            .value
            < -0.5
    );
    let mut casual = Talk::new("ben");
    casual.say("lol yeah gonna grab some pizza u coming?");
    assert!(
        casual
            .state
            .personality_summary()
            .value(PersonalityDimension::CommunicationStyle)
            .value
            > 0.3
    );
}

#[test]
fn case_03_forty_trusting_messages_raise_trust_and_confidence() {
    let mut talk = Talk::new("ana");
    let before = talk.say("Hello there.").relationship.trust;
    for _ in 0..40 {
        talk.say(
            "I trust you, I can tell you what I fear: losing the people I love and the meaning of my life.",
        );
    }
    let trait_value = *talk
        .state
        .personality_summary()
        .value(PersonalityDimension::TrustLevel);
    assert!(trait_value.value > 0.8, "{trait_value:?}");
    assert!(trait_value.confidence > 0.95, "{trait_value:?}");
    let after = talk.state.relationship(&talk.config).trust;
    assert!(after > 0.8 && after > before + 0.4, "{before} -> {after}");
}

#[test]
fn case_04_two_hundred_chats_are_a_deep_relationship() {
    let mut talk = Talk::new("ana");
    let levels: Vec<_> = (0..200)
        .map(|_| talk.say("Nice weather today.").relationship.level)
        .collect();
    assert_eq!(levels[0], RelationshipLevel::New);
    assert_eq!(levels[10], RelationshipLevel::Developing);
    assert_eq!(levels[30], RelationshipLevel::Established);
    assert_eq!(levels[199], RelationshipLevel::Deep);
    let kept = UserState::decode(&talk.owner, &talk.state.encode()).unwrap();
    assert_eq!(kept.relationship(&talk.config).interactions, 200);
}

#[test]
fn case_05_prefix_is_no_problem_to_fix() {
    let plan = Talk::new("ana").say("prefix this with a comma");
    assert_ne!(plan.interaction, InteractionType::ProblemSolving);
    assert_eq!(plan.interaction_scores.len(), 5);
}

#[test]
fn case_06_negation_and_whole_words_decide_feelings() {
    let cases = [
        (
            "I am not happy about this.",
            feels(PrimaryEmotion::Joy, 0.6, -0.46),
            false,
            EmotionalState::Joy,
        ),
        (
            "I am not happy about this.",
            EmotionReading::neutral(),
            false,
            EmotionalState::Joy,
        ),
        (
            "the download is broken",
            EmotionReading::neutral(),
            false,
            EmotionalState::Sadness,
        ),
        (
            "I feel so down, I cried all night",
            EmotionReading::neutral(),
            true,
            EmotionalState::Sadness,
        ),
        (
            "I am so happy today!",
            EmotionReading::neutral(),
            true,
            EmotionalState::Joy,
        ),
    ];
    for (text, reading, is, state) in cases {
        let plan = Talk::new("ana").say_with(text, &reading);
        assert_eq!(
            plan.emotional.state == state,
            is,
            "{text}: {:?}",
            plan.emotional.state
        );
    }
    let plan = Talk::new("ana").say_with(
        "I am so very happy, best day ever!",
        &feels(PrimaryEmotion::Joy, 1.0, 0.95),
    );
    assert!(
        !plan
            .emotional
            .triggers
            .contains(&EmotionalTrigger::StressIndicators),
        "{:?}",
        plan.emotional.triggers
    );
}

#[test]
fn case_07_every_label_maps() {
    for primary in PrimaryEmotion::ALL {
        let plan = Talk::new("ana").say_with("Well then.", &feels(primary, 0.6, 0.0));
        assert_eq!(
            plan.emotional.state == EmotionalState::Neutral,
            matches!(primary, PrimaryEmotion::Calm | PrimaryEmotion::Neutral)
        );
    }
    assert_eq!(emotional_state_from_label("excitement"), EmotionalState::Joy);
    assert_eq!(
        emotional_state_from_label("no such feeling"),
        EmotionalState::Neutral
    );
    for emotion in Emotion::ALL {
        let state = emotional_state_from_label(emotion.name());
        assert_eq!(
            state == EmotionalState::Neutral,
            emotion == Emotion::Neutral,
            "{emotion}"
        );
    }
}

#[test]
fn case_08_a_new_topic_makes_a_transition_and_pauses_the_old_thread() {
    for text in [
        "By the way, the quarterly budget is due.",
        "The landlord wants to renovate the kitchen and the bathroom.",
    ] {
        let mut talk = Talk::new("ana");
        let first = talk.say("My guitar teacher showed me a new song for the concert.");
        assert_eq!(thread(&first).messages, 1);
        let second = talk.say(text);
        let (old, new) = (thread(&first), thread(&second));
        assert_ne!(old.id, new.id, "{text}");
        assert_eq!(new.messages, 1);
        let transition = new.transition.as_ref().expect("a change of thread");
        assert_eq!(transition.from, Some(old.id.clone()));
        assert!(transition.strength > 0.6 && !transition.bridge.is_empty());
        let states = talk.state.threads();
        let left = states.iter().find(|report| report.id == old.id).unwrap();
        assert_eq!((left.state, left.messages), (ThreadState::Paused, 1));
    }
}

#[test]
fn case_09_a_thread_about_art_captures_no_parts_of_words() {
    for text in ["start the engine", "my heart hurts", "party tomorrow"] {
        let mut talk = Talk::new("ana");
        let art = thread(&talk.say("I love art, above all modern art.")).id.clone();
        assert_ne!(thread(&talk.say(text)).id, art, "{text}");
        let mut paused = Talk::new("ana");
        let art = thread(&paused.say("I love art, above all modern art."))
            .id
            .clone();
        paused.say("By the way, my laptop battery is dead.");
        assert_ne!(thread(&paused.say(text)).id, art, "{text}");
        assert_eq!(thread(&paused.say("Back to art: the museum opens soon.")).id, art);
    }
}

#[test]
fn case_10_names_announce_no_transition() {
    let english = whisperengine_phase4::Lexicon::english();
    for text in [
        "I know John",
        "Johnson knows it",
        "see you now",
        "today and tomorrow",
        "I will do it right now",
    ] {
        assert_eq!(transition_strength(&english, text), 0.0, "{text}");
    }
    let mut talk = Talk::new("ana");
    talk.say("My neighbour John repairs old clocks.");
    assert_eq!(thread(&talk.say("I know John")).transition, None);
}

#[test]
fn case_11_a_moment_rests_for_a_day() {
    let mut talk = Talk::new("ana");
    talk.say_with("I won the chess tournament last weekend!", &glad());
    talk.wait(days(2));
    let plan = talk.say_with("I got promoted, can you believe it!", &glad());
    let moment = plan
        .moments
        .first()
        .expect("an achievement recalls the other")
        .clone();
    talk.reply_with("Like your chess win!", Some(&moment.id)).unwrap();
    for hour in 1..24 {
        talk.wait(minutes(59));
        let plan = talk.say_with(&format!("I passed my exam number {hour}!"), &glad());
        assert!(
            plan.moments.iter().all(|other| other.id != moment.id),
            "after {hour} hours"
        );
    }
    assert_eq!(
        talk.state
            .moment_records()
            .iter()
            .find(|record| record.id() == moment.id)
            .unwrap()
            .used,
        1
    );
}

#[test]
fn case_12_sixty_similar_messages_are_one_pattern() {
    let mut talk = Talk::new("ana");
    for number in 0..60 {
        talk.say(&format!("We went hiking in the mountains, tour {number}."));
    }
    let connections: Vec<ConnectionReport> = talk.state.connections();
    assert_eq!(connections.len(), 1, "{connections:?}");
    assert_eq!(connections[0].frequency, 60);
    assert_eq!(connections[0].kind, ConnectionType::PatternRecognition);
}

#[test]
fn case_13_sadness_recalls_earlier_sadness() {
    let mut talk = Talk::new("ana");
    talk.say_with("I cried all night because my grandmother died.", &sad());
    talk.wait(days(3));
    let plan = talk.say_with("I feel so lonely and sad again today.", &sad());
    let moment = plan.moments.first().expect("a moment");
    assert_eq!(moment.kind, MomentType::SupportFollowUp);
    assert!(moment.quote.contains("grandmother"));
    assert_eq!(moment.timing, MomentTiming::EmotionalMoment);
}

#[test]
fn case_14_an_achievement_recalls_the_old_one() {
    let mut talk = Talk::new("ana");
    talk.say_with("I finished my first marathon, I am so proud of myself!", &glad());
    talk.wait(days(5));
    let plan = talk.say_with("Guess what, I got the job at the library!", &glad());
    let moment = plan.moments.first().expect("a moment");
    assert_eq!(moment.kind, MomentType::AchievementCallback);
    assert!(
        moment.quote.contains("marathon") && !moment.quote.contains("library"),
        "{}",
        moment.quote
    );
    assert!(has_note(&plan, "Worth bringing up"), "{:?}", plan.notes);
}

#[test]
fn case_15_lively_talk_is_left_alone_and_dying_talk_is_not() {
    let mut lively = Talk::new("ana");
    for text in [
        "We finally painted the living room in a deep green.",
        "It took the whole weekend and two extra buckets.",
        "My brother spilled one of them over the stairs.",
        "So now the stairs are green as well, sort of.",
    ] {
        let plan = lively.say(text);
        assert!(!plan.engagement.intervene, "{text}: {:?}", plan.engagement);
    }
    let mut terse = Talk::new("ben");
    let plans: Vec<_> = ["ok", "fine", "sure"]
        .iter()
        .map(|text| terse.say(text))
        .collect();
    assert!(plans[2].engagement.intervene, "{:?}", plans[2].engagement);
    assert!(!plans[2].engagement.suggestions.is_empty());
    let mut silent = Talk::new("cem");
    silent.say("I am sorting the old photographs of our trip.");
    silent.wait(minutes(2));
    assert_eq!(silent.tick(), []);
    silent.wait(minutes(8));
    assert!(!silent.tick().is_empty());
}

#[test]
fn case_16_times_with_a_z_work() {
    let mut talk = Talk::new("ana");
    talk.now = "2026-03-02T12:00:00.250Z".parse().unwrap();
    talk.say("The train leaves at noon.");
    talk.now = "2026-03-02T14:30:00+02:00".parse().unwrap();
    talk.say("It is late again.");
    assert_eq!(talk.state.rhythm().points, 2);
}

#[test]
fn case_17_two_users_never_share_a_thread() {
    let (mut ana, mut ben) = (Talk::new("ana"), Talk::new("ben"));
    for text in ["The garden needs water.", "By the way, the car broke down."] {
        assert_ne!(thread(&ana.say(text)).id, thread(&ben.say(text)).id);
    }
}
