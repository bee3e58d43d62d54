//! The language is a setting: the same engine understands German by German files.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::*;
use whisperengine_phase4::{Config, Lexicon, LexiconError, transition_strength};
use whisperengine_types::*;

fn german(user: &str) -> Talk {
    let mut talk = Talk::new(user);
    talk.config.language = Language::new("de").unwrap();
    talk
}

const SPOKEN: [&str; 5] = ["en", "de", "es", "fr", "pt"];
const FEW_CUES: [&str; 13] = [
    "ar", "hi", "id", "it", "ja", "ko", "nl", "pl", "ru", "th", "tr", "vi", "zh",
];

fn language(code: &str) -> Language {
    Language::new(code).unwrap()
}

/// A reading in a language.
fn in_language(code: &str, reading: EmotionReading) -> EmotionReading {
    EmotionReading {
        language: Some(language(code)),
        ..reading
    }
}

#[test]
fn every_language_can_be_read() {
    for code in SPOKEN.iter().chain(&FEW_CUES).chain(&["xx"]) {
        let lexicon = Lexicon::of(language(code));
        assert_eq!(transition_strength(&lexicon, "Berlin"), 0.0, "{code}");
    }
    let config: Config = serde_json::from_str(r#"{"language": "de"}"#).unwrap();
    assert_eq!(config.language, language("de"));
    assert_eq!(Config::default().language, Language::ENGLISH);
}

#[test]
fn the_language_of_a_message_decides_and_the_setting_stands_in() {
    let mut talk = Talk::new("ana");
    talk.config.language = language("de");
    let sad = |talk: &mut Talk, text: &str, code: Option<&str>| {
        let mut reading = EmotionReading::neutral();
        reading.language = code.map(language);
        talk.say_with(text, &reading).emotional.state == EmotionalState::Sadness
    };
    assert!(sad(&mut talk, "I cried, I feel so lonely and sad.", Some("en")));
    assert!(
        !sad(&mut talk, "I cried, I feel so lonely and sad.", None),
        "German is assumed"
    );
    assert!(sad(&mut talk, "Ich bin so traurig und einsam.", None));
    assert!(!sad(&mut talk, "Ich bin so traurig und einsam.", Some("es")));
    assert!(
        !sad(&mut talk, "sad sad sad lonely", Some("xx")),
        "English words are no words elsewhere"
    );
}

#[test]
fn feelings_are_read_by_the_words_of_each_spoken_language() {
    use EmotionalState as S;
    let cases = [
        ("es", "Estoy muy feliz con mi jardín.", S::Joy),
        ("es", "Lloré toda la noche, estoy muy triste.", S::Sadness),
        ("es", "No estoy feliz con esto.", S::Sadness),
        ("es", "Tengo mucho miedo del examen.", S::Fear),
        ("es", "Estoy furiosa con mi jefe.", S::Anger),
        ("fr", "Je suis tellement heureuse de ce jardin.", S::Joy),
        ("fr", "J'ai pleuré toute la nuit, je suis triste.", S::Sadness),
        ("fr", "Je ne suis pas heureux de ça.", S::Sadness),
        ("fr", "J'ai peur de l'examen.", S::Fear),
        ("fr", "Je suis furieux contre mon patron.", S::Anger),
        ("pt", "Estou muito feliz com o meu jardim.", S::Joy),
        ("pt", "Chorei a noite toda, estou muito triste.", S::Sadness),
        ("pt", "Não estou feliz com isso.", S::Sadness),
        ("pt", "Tenho muito medo da prova.", S::Fear),
        ("pt", "Estou furiosa com o meu chefe.", S::Anger),
    ];
    for (code, text, state) in cases {
        let plan = Talk::new("ana").say_with(text, &in_language(code, EmotionReading::neutral()));
        assert_eq!(plan.emotional.state, state, "{text}");
    }
}

#[test]
fn triggers_commitments_goodbyes_and_wishes_are_heard_in_each_spoken_language() {
    use EmotionalTrigger as T;
    struct Words(&'static str, [&'static str; 5]);
    let all = [
        Words(
            "es",
            [
                "Estoy muy agobiado, no puedo más.",
                "¡Por fin aprobé el examen!",
                "Necesito consejo, ¿qué hago?",
                "Tengo que llamar al fontanero.",
                "¿Puedes responder más corto?",
            ],
        ),
        Words(
            "fr",
            [
                "Je suis débordée, je n'en peux plus.",
                "J'ai réussi mon examen !",
                "J'ai besoin d'un conseil, que faire ?",
                "Je dois appeler le plombier.",
                "Peux-tu faire plus court, s'il te plaît ?",
            ],
        ),
        Words(
            "pt",
            [
                "Estou sobrecarregado, não aguento mais.",
                "Finalmente passei na prova!",
                "Preciso de um conselho, o que faço?",
                "Tenho que ligar para o encanador.",
                "Pode responder mais curto, por favor?",
            ],
        ),
    ];
    let goodbyes = [
        ("es", "Me voy a dormir, buenas noches."),
        ("fr", "Je vais me coucher, bonne nuit."),
        ("pt", "Vou dormir, boa noite."),
    ];
    for Words(code, [stress, achievement, support, commitment, wish]) in all {
        let plan = |text: &str, reading| Talk::new("ana").say_with(text, &in_language(code, reading));
        let triggers = |text: &str, reading| plan(text, reading).emotional.triggers;
        let afraid = feels(PrimaryEmotion::Fear, 0.5, -0.5);
        assert!(
            triggers(stress, afraid).contains(&T::StressIndicators),
            "{stress}"
        );
        assert!(
            triggers(achievement, glad()).contains(&T::CelebrationMoments),
            "{achievement}"
        );
        assert!(
            triggers(support, calm()).contains(&T::SupportOpportunities),
            "{support}"
        );
        let commitments = thread(&plan(commitment, calm())).commitments.clone();
        assert_eq!(commitments.len(), 1, "{commitment}");
        let style = plan(wish, calm()).style;
        assert!(
            style.explicit && style.length == ResponseLength::Brief,
            "{wish}: {style:?}"
        );
    }
    for (code, text) in goodbyes {
        let mut talk = Talk::new("ana");
        talk.say_with(text, &in_language(code, calm()));
        talk.wait(minutes(20));
        assert_eq!(talk.tick(), [], "{text}");
    }
}

#[test]
fn topics_are_words_of_the_language() {
    let cases = [
        (
            "es",
            "Mi perro se comió los zapatos de mi hermana.",
            vec!["hermana", "perro", "zapatos"],
        ),
        (
            "fr",
            "L'école de mon fils est près de l'aéroport.",
            vec!["aéroport", "fils", "près", "école"],
        ),
        (
            "pt",
            "O meu cachorro comeu os sapatos da vizinha.",
            vec!["cachorro", "sapatos", "vizinha"],
        ),
        ("zh", "我的猫喜欢沙发。", vec!["猫", "沙发"]),
        ("ja", "父と東京に行きました。", vec!["東京"]),
    ];
    for (code, text, expected) in cases {
        let plan = Talk::new("ana").say_with(text, &in_language(code, calm()));
        let mut topics = thread(&plan).topics.clone();
        topics.sort();
        for word in &expected {
            assert!(topics.contains(&(*word).to_owned()), "{word} in {topics:?}");
        }
        assert!(topics.len() <= expected.len() + 1, "{topics:?}");
    }
}

#[test]
fn the_engine_speaks_only_languages_that_it_knows() {
    for (code, first, second, words) in [
        (
            "es",
            "Terminé mi primer maratón, ¡qué orgulloso de mí!",
            "¡Me dieron el trabajo en la biblioteca!",
            "Una vez me contaste",
        ),
        (
            "fr",
            "J'ai terminé mon premier marathon, je suis si fière de moi !",
            "J'ai décroché le poste à la bibliothèque !",
            "Tu m'as raconté",
        ),
        (
            "pt",
            "Terminei a minha primeira maratona, que orgulho!",
            "Consegui o emprego na biblioteca!",
            "Uma vez você me contou",
        ),
    ] {
        let mut talk = Talk::new("ana");
        let pride = in_language(code, feels(PrimaryEmotion::Pride, 0.8, 0.8));
        talk.say_with(first, &pride);
        talk.wait(days(4));
        let plan = talk.say_with(second, &pride);
        let moment = plan.moments.first().expect(second);
        assert!(moment.callback.starts_with(words), "{}", moment.callback);
    }
    let mut talk = Talk::new("ana");
    talk.say_with("Я купил новую гитару.", &in_language("ru", calm()));
    talk.wait(minutes(20));
    assert_eq!(talk.tick(), [], "there are no words to say it with");
    let plan = talk.say_with(
        "Я выиграл турнир!",
        &in_language("ru", feels(PrimaryEmotion::Pride, 0.8, 0.8)),
    );
    assert!(
        plan.emotional
            .triggers
            .contains(&EmotionalTrigger::CelebrationMoments),
        "the reading says so"
    );
    assert!(
        plan.thread
            .unwrap()
            .transition
            .is_none_or(|transition| transition.bridge.is_empty())
    );
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
