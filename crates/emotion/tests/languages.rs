//! What a careful friend would read in everyday lines, in every language.

use proptest::prelude::*;
use whisperengine_emotion::{EmotionEngine, Readings};
use whisperengine_types::{EmotionReading, PrimaryEmotion as P, SafetyLevel as L};

fn read(text: &str) -> EmotionReading {
    EmotionEngine::new().analyze(text)
}

fn is_pleasant(emotion: P) -> Option<bool> {
    match emotion {
        P::Joy | P::Love | P::Gratitude | P::Pride | P::Excitement | P::Calm => Some(true),
        P::Sadness | P::Anger | P::Fear | P::Disgust | P::Shame => Some(false),
        P::Surprise | P::Neutral => None,
    }
}

const FEELINGS: &[(&str, &str, &[P])] = &[
    ("en", "our old cat died this morning", &[P::Sadness]),
    (
        "en",
        "I'm so proud of my niece, she learned to swim",
        &[P::Pride, P::Joy],
    ),
    (
        "en",
        "My dog Biscuit has surgery on Friday and I can't stop worrying.",
        &[P::Fear],
    ),
    ("en", "could you help me with a cover letter?", &[P::Neutral]),
    ("de", "mein Opa ist letzte Woche gestorben", &[P::Sadness]),
    ("de", "danke, dass du mir zugehört hast", &[P::Gratitude]),
    ("es", "estoy enamorada de mi vecino", &[P::Love]),
    ("es", "tengo miedo de la operación de mañana", &[P::Fear]),
    ("fr", "merci pour ton aide, vraiment", &[P::Gratitude]),
    ("fr", "j'ai tellement honte de ce que j'ai dit", &[P::Shame]),
    ("pt", "meu cachorro morreu ontem", &[P::Sadness]),
    ("it", "sono orgogliosa di mio fratello", &[P::Pride]),
    ("nl", "ik ben zo bang voor de uitslag", &[P::Fear]),
    ("pl", "jestem wściekła na sąsiada", &[P::Anger]),
    ("ru", "мне очень страшно за маму", &[P::Fear]),
    ("ru", "спасибо тебе за поддержку", &[P::Gratitude]),
    ("tr", "ablamla gurur duyuyorum", &[P::Pride]),
    ("ar", "توفي جدي أمس", &[P::Sadness]),
    ("hi", "मुझे बहुत डर लग रहा है", &[P::Fear]),
    ("zh", "我和女朋友分手了，好难过", &[P::Sadness]),
    ("ja", "手伝ってくれてありがとう", &[P::Gratitude]),
    ("ko", "할머니가 어제 돌아가셨어", &[P::Sadness]),
    ("id", "aku takut banget sama hasil tesnya", &[P::Fear]),
    ("vi", "mình buồn quá, nhớ nhà", &[P::Sadness]),
    ("th", "ขอบคุณมากนะที่ช่วย", &[P::Gratitude]),
];

#[test]
fn everyday_lines_are_read_in_every_language() {
    for &(language, text, accepted) in FEELINGS {
        let reading = read(text);
        assert!(
            accepted.contains(&reading.primary),
            "{language}: {text}: {:?}",
            reading.primary
        );
        match is_pleasant(reading.primary) {
            Some(true) => assert!(reading.valence > 0.0, "{text}"),
            Some(false) => assert!(reading.valence < 0.0, "{text}"),
            None => assert!(reading.valence.abs() <= 0.25, "{text}"),
        }
    }
}

#[test]
fn languages_are_told_apart() {
    for (code, text) in [
        ("en", "I went to the market with my sister yesterday"),
        ("de", "ich war gestern mit meiner Schwester auf dem Markt"),
        ("es", "ayer fui al mercado con mi hermana y compramos fruta"),
        ("fr", "hier je suis allée au marché avec ma sœur"),
        ("pt", "ontem eu fui na feira com a minha irmã"),
        ("it", "ieri sono andata al mercato con mia sorella"),
        ("nl", "ik ben gisteren met mijn zus naar de markt geweest"),
        ("pl", "wczoraj byłam z siostrą na targu"),
        ("ru", "вчера мы с сестрой ходили на рынок"),
        ("tr", "dün ablamla pazara gittik"),
        ("ar", "ذهبت أمس إلى السوق مع أختي"),
        ("hi", "कल मैं बहन के साथ बाज़ार गई"),
        ("zh", "昨天我和姐姐去了市场"),
        ("ja", "昨日は姉と市場に行きました"),
        ("ko", "어제 언니랑 시장에 갔어"),
        ("id", "kemarin aku ke pasar sama kakak"),
        ("vi", "hôm qua mình đi chợ với chị gái"),
        ("th", "เมื่อวานไปตลาดกับพี่สาว"),
    ] {
        let language = read(text).language;
        assert_eq!(
            language.as_ref().map(whisperengine_types::Language::code),
            Some(code),
            "{text}"
        );
    }
}

#[test]
fn danger_is_found_and_idioms_are_none() {
    for (text, level) in [
        ("I want to kill myself", L::Crisis),
        ("ich will mich umbringen", L::Crisis),
        ("quiero suicidarme", L::Crisis),
        ("je veux me suicider ce soir", L::Crisis),
        ("хочу умереть", L::Crisis),
        ("我不想活了", L::Crisis),
        ("死にたい", L::Crisis),
        ("자살하고 싶어", L::Crisis),
        ("أريد أن أنتحر", L::Crisis),
        ("bunuh diri aja rasanya", L::Crisis),
        ("he stopped moving and he is not breathing", L::Crisis),
        ("this crossword is killing me", L::None),
        ("how do I kill a process in Linux?", L::None),
        ("my tomato plant died in the frost", L::None),
        ("the car park has 40 spaces", L::None),
        ("笑死我了", L::None),
        ("배고파 죽겠어", L::None),
        ("умираю с голоду", L::None),
    ] {
        assert_eq!(read(text).safety.level, level, "{text}");
    }
}

#[test]
fn the_cue_of_a_danger_lies_in_the_text() {
    let text = "Hey. So, ich kann nicht mehr, ich will mich umbringen!";
    let safety = read(text).safety;
    let span = safety.cue.expect("the danger has a cue").span;
    assert!(
        text.get(span.start as usize..span.end as usize)
            .is_some_and(|cue| cue.contains("umbringen"))
    );
}

#[test]
fn code_and_logs_say_nothing() {
    for text in [
        "Traceback (most recent call last):",
        "npm ERR! missing script: start",
        "git commit -m 'fix typo'",
        "1234567890",
    ] {
        let reading = read(text);
        assert_eq!(reading.primary, P::Neutral, "{text}");
        assert!(reading.valence.abs() <= 0.25, "{text}");
    }
}

#[test]
fn an_unknown_language_is_neutral_with_low_confidence() {
    for text in [
        "sut mae'r tywydd yng Nghaerdydd heddiw",
        "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ",
        "xqzv brrk wlptk",
    ] {
        let reading = read(text);
        assert_eq!(reading.primary, P::Neutral, "{text}");
        assert!(reading.confidence < 0.8, "{text}: {}", reading.confidence);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_text_has_a_reading_in_range(text in "\\PC{0,80}", other in "[a-zäöéñ 0-9!?.,:'#\n]{0,120}") {
        let engine = EmotionEngine::new();
        let texts = [text.as_str(), other.as_str()];
        let mut batch = Readings::default();
        engine.analyze_into(&texts, &mut batch);
        for (text, together) in texts.iter().zip(batch.iter()) {
            let reading = engine.analyze(text);
            prop_assert_eq!(&reading, &together);
            prop_assert_eq!(&reading, &EmotionEngine::new().analyze(text));
            prop_assert!((-1.0..=1.0).contains(&reading.valence));
            for share in [reading.intensity, reading.confidence, reading.arousal, reading.dominance] {
                prop_assert!((0.0..=1.0).contains(&share));
            }
            match is_pleasant(reading.primary) {
                Some(true) => prop_assert!(reading.valence > 0.0 || reading.mixed),
                Some(false) => prop_assert!(reading.valence < 0.0 || reading.mixed),
                None => (),
            }
            if let Some(cue) = &reading.safety.cue {
                prop_assert!(text.get(cue.span.start as usize..cue.span.end as usize).is_some());
            }
        }
    }
}
