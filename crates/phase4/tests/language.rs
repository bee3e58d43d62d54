//! The language is a setting: the same engine understands German by German files.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use whisperengine_phase4::{Config, Language, Lexicon, LexiconError, transition_strength};
use whisperengine_types::*;

fn german(user: &str) -> Talk {
    let mut talk = Talk::new(user);
    talk.config.language = Language::German;
    talk
}

#[test]
fn every_language_has_every_word_list() {
    for language in Language::ALL {
        let lexicon = language.lexicon();
        assert_eq!(transition_strength(&lexicon, "Berlin"), 0.0, "{language:?}");
    }
    let config: Config = serde_json::from_str(r#"{"language": "german"}"#).unwrap();
    assert_eq!(config.language, Language::German);
    assert_eq!(Config::default().language, Language::English);
}

#[test]
fn a_file_with_a_gap_is_refused() {
    let missing = Lexicon::parse("[negator]\n=not", "@drop e", "language = None");
    assert!(
        matches!(missing, Err(LexiconError::MissingPhrase { .. })),
        "{missing:?}"
    );
    let unknown = Lexicon::parse(
        "[no_such_family]\nword",
        "",
        include_str!("../lexicon/de.phrases"),
    );
    assert!(
        matches!(unknown, Err(LexiconError::UnknownSection { .. })),
        "{unknown:?}"
    );
}

#[test]
fn german_feelings_follow_inflection_and_negation() {
    let cases = [
        ("Ich bin so glücklich über den Garten!", EmotionalState::Joy),
        ("Ich habe die ganze Nacht geweint.", EmotionalState::Sadness),
        ("Ich bin nicht glücklich damit.", EmotionalState::Sadness),
        (
            "Wir haben uns furchtbar geärgert, ich bin stinksauer.",
            EmotionalState::Anger,
        ),
        (
            "Mein Lampenfieber bringt mich um, ich habe Angst.",
            EmotionalState::Fear,
        ),
        ("Der Download liegt im Ordner.", EmotionalState::Neutral),
    ];
    for (text, state) in cases {
        let plan = german("ana").say_with(text, &EmotionReading::neutral());
        assert_eq!(plan.emotional.state, state, "{text}");
    }
}

#[test]
fn german_nicht_negates_what_stands_before_it() {
    let config = german("ana").config;
    let cases = [
        ("Ich mag das nicht.", -1.0),
        ("Ich mag das.", 1.0),
        ("Das gefällt mir überhaupt nicht.", -1.0),
        ("Ich freue mich nicht auf die Party.", -1.0),
        ("Ich freue mich auf die Party.", 1.0),
        ("Ich liebe ihn nicht mehr.", -1.0),
        ("Ich bin glücklich und nicht allein.", 1.0),
        ("Ich bin froh dass du nicht da bist.", 1.0),
        ("Ich bin froh, ich gehe nicht.", 1.0),
        ("Das macht mich nicht glücklich.", -1.0),
    ];
    for (text, sign) in cases {
        let plan = german("ana").say_with(text, &EmotionReading::neutral());
        assert!(
            plan.wellbeing.mood_score * sign > 0.0,
            "{text}: {:?}",
            plan.wellbeing
        );
    }
    let mut talk = german("ana");
    talk.say("Ich vertraue dir nicht.");
    assert!(
        talk.state.relationship(&talk.config).trust < config.personality.prior,
        "distrust is heard"
    );
}

#[test]
fn german_interaction_types_go_by_german_words() {
    use InteractionType as T;
    let cases = [
        (
            "Mein Drucker ist kaputt und funktioniert nicht, hilfst du mir beim Reparieren?",
            T::ProblemSolving,
        ),
        (
            "Was bedeutet Photosynthese, und wie funktioniert sie?",
            T::InformationSeeking,
        ),
        (
            "Lass uns ein Gedicht dichten und eine Geschichte ausdenken!",
            T::CreativeCollaboration,
        ),
        ("Hallo, wie geht's? Schönes Wetter heute.", T::CasualChat),
    ];
    for (text, kind) in cases {
        assert_eq!(german("ana").say(text).interaction, kind, "{text}");
    }
    let low = "Ich fühle mich so einsam und weine jeden Abend.";
    assert_eq!(
        german("ana").say_with(low, &sad()).interaction,
        T::EmotionalSupport
    );
}

#[test]
fn german_threads_switch_and_come_back_and_the_engine_speaks_german() {
    let mut talk = german("ana");
    let guitar = thread(&talk.say("Meine Gitarre braucht neue Saiten für das Konzert."))
        .id
        .clone();
    let plan = talk.say("Übrigens, der Vermieter renoviert die Küche.");
    let kitchen = thread(&plan);
    assert_ne!(kitchen.id, guitar);
    let transition = kitchen.transition.as_ref().unwrap();
    assert_eq!(transition.kind, TransitionType::ExplicitSwitch);
    assert!(transition.bridge.contains("erst einmal"), "{}", transition.bridge);
    let back = talk.say("Zurück zu den Gitarren: die Saiten sind da.");
    assert_eq!(thread(&back).id, guitar, "an inflected word and a reminder");
    assert_eq!(
        thread(&back).transition.as_ref().unwrap().kind,
        TransitionType::ReminderDriven
    );
}

#[test]
fn a_german_achievement_recalls_the_german_one_before() {
    let mut talk = german("ana");
    talk.say_with("Ich habe meinen ersten Marathon geschafft!", &glad());
    talk.wait(days(5));
    let plan = talk.say_with("Ich habe die Prüfung bestanden, ich bin so stolz!", &glad());
    let moment = plan.moments.first().expect("a moment");
    assert_eq!(moment.kind, MomentType::AchievementCallback);
    assert!(moment.quote.contains("Marathon"));
    assert!(moment.callback.contains("Erfolg"));
}

#[test]
fn german_wishes_and_trust_are_heard() {
    let mut talk = german("ana");
    let plan = talk.say("Kannst du bitte kürzer antworten?");
    assert!(plan.style.explicit);
    assert_eq!(plan.style.length, ResponseLength::Brief);
    talk.say("Schreib mir nicht mehr von dir aus.");
    assert!(!talk.state.proactive_allowed());
    let before = talk.state.relationship(&talk.config).trust;
    for _ in 0..20 {
        talk.say("Ich vertraue dir, dir kann ich mein Geheimnis sagen.");
    }
    assert!(talk.state.relationship(&talk.config).trust > before + 0.2);
}

#[test]
fn the_words_of_one_language_say_nothing_in_the_other() {
    let english = Talk::new("ana").say_with("Ich bin so traurig und einsam.", &EmotionReading::neutral());
    assert_eq!(english.emotional.state, EmotionalState::Neutral);
    let german = german("ben").say_with("I feel so lonely and sad.", &EmotionReading::neutral());
    assert_eq!(german.emotional.state, EmotionalState::Neutral);
}
