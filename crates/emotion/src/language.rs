//! Which language a text is in: by its script where that is enough, else by the language outputs of the model.

use whisperengine_types::Language;

use crate::multilingual::{
    Scripts,
    lanes::{LANGUAGE, LATIN},
};

/// What is known of the language of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Identified {
    /// The language, where it is clear.
    pub(crate) language: Option<Language>,
    /// Probability that it is English, `0..=1`.
    pub(crate) english: f32,
    /// Whether it is in a language that the model knows, or may be.
    pub(crate) is_readable: bool,
}

impl Identified {
    /// Whether English rules apply: it is English, or likely to be where no language is clear.
    pub(crate) fn is_english(self) -> bool {
        match self.language {
            Some(language) => language == Language::ENGLISH,
            None => self.english >= LIKELY,
        }
    }
}

/// Probability from which a text whose language is not clear is taken for English.
const LIKELY: f32 = 0.2;
/// Probability above which a language is clear.
const CLEAR: f32 = 0.6;
/// Probability of a language that is none of ours above which a text is not read.
const FOREIGN: f32 = 0.9;

/// The language of a text with these letters and outputs of the model.
pub(crate) fn identify(scripts: &Scripts, outputs: &[f32]) -> Identified {
    let of_script = |code: &str| Identified {
        language: Language::new(code).ok(),
        english: 0.0,
        is_readable: true,
    };
    let unclear = Identified {
        language: None,
        english: 0.0,
        is_readable: false,
    };
    let east = scripts.han + scripts.kana;
    let counts = [
        scripts.latin,
        scripts.cyrillic,
        scripts.arabic,
        scripts.devanagari,
        // One of these says as much as a few letters.
        2 * east,
        2 * scripts.hangul,
        scripts.thai,
        scripts.other,
    ];
    let most = counts.iter().copied().max().unwrap_or(0);
    if most == 0 {
        // Emoji and signs are read alike in all.
        return Identified {
            is_readable: true,
            english: 1.0,
            ..unclear
        };
    }
    match counts.iter().position(|&count| count == most) {
        Some(0) => latin(scripts.latin, outputs),
        Some(1) if scripts.foreign_cyrillic == 0 => of_script("ru"),
        Some(2) if scripts.foreign_arabic == 0 => of_script("ar"),
        Some(3) => of_script("hi"),
        Some(4) if 10 * scripts.kana >= east => of_script("ja"),
        Some(4) => of_script("zh"),
        Some(5) => of_script("ko"),
        Some(6) => of_script("th"),
        _ => unclear,
    }
}

fn latin(letters: u32, outputs: &[f32]) -> Identified {
    let logits = &outputs[LANGUAGE];
    let largest = logits.iter().copied().fold(f32::MIN, f32::max);
    let total: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    let odds = |number: usize| (logits[number] - largest).exp() / total;
    let best = (0..LATIN.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    let clear = best.filter(|&best| letters > 2 && odds(best) >= CLEAR);
    Identified {
        language: clear.and_then(|number| Language::new(LATIN[number]).ok()),
        english: odds(0),
        is_readable: odds(LATIN.len()) < FOREIGN,
    }
}
