//! Whether a text speaks of liking or of disliking.
//!
//! "What food do I not like?" and "I love olives" share every word that counts; what tells them apart is
//! the direction, so it is read on both sides.

use super::words;

/// Whether `text` speaks of liking (1), of disliking (-1), or of neither or both (0).
pub(crate) fn polarity(text: &str) -> i8 {
    let lower = text.to_lowercase().replace('\u{2019}', "'");
    let words: Vec<&str> = words(&lower).collect();
    let (mut likes, mut dislikes) = (false, false);
    for (at, word) in words.iter().enumerate() {
        let has = |stems: &[&str]| stems.iter().any(|stem| word.starts_with(stem));
        if has(&DISLIKING) {
            dislikes = true;
        } else if has(&LIKING) || (*word == "like" && !is_comparison(&words, at)) {
            let negated = words[at.saturating_sub(NEGATION_REACH)..at]
                .iter()
                .any(|word| NEGATIONS.contains(word))
                || words
                    .iter()
                    .skip(at + 1)
                    .take(2)
                    .any(|word| NEGATIONS_AFTER.contains(word));
            if negated {
                dislikes = true;
            } else {
                likes = true;
            }
        }
    }
    dislikes |= DISLIKING_PHRASES.iter().any(|phrase| lower.contains(phrase));
    likes |= LIKING_PHRASES.iter().any(|phrase| lower.contains(phrase));
    i8::from(likes && !dislikes) - i8::from(dislikes && !likes)
}

/// Whether a word in lower case is one by which liking or disliking is told.
pub(crate) fn speaks_of_liking(word: &str) -> bool {
    LIKING.iter().chain(&DISLIKING).any(|stem| word.starts_with(stem))
        || matches!(word, "happy" | "stand" | "make")
}

/// "looks like", "feels like", "would like to": no liking.
fn is_comparison(words: &[&str], at: usize) -> bool {
    let before = at.checked_sub(1).map_or("", |at| words[at]);
    matches!(
        before,
        "looks"
            | "look"
            | "looked"
            | "feel"
            | "feels"
            | "felt"
            | "sounds"
            | "sound"
            | "seems"
            | "something"
            | "just"
            | "stuff"
            | "things"
            | "is"
            | "was"
            | "are"
            | "it's"
            | "would"
            | "i'd"
    )
}

/// Words before a liking that turn it round, so many words away at most.
const NEGATION_REACH: usize = 3;
const NEGATIONS: [&str; 26] = [
    "not",
    "don't",
    "dont",
    "doesn't",
    "doesnt",
    "didn't",
    "never",
    "can't",
    "cannot",
    "isn't",
    "no",
    "nicht",
    "keine",
    "kein",
    "ne",
    "n'aime",
    "pas",
    "não",
    "nunca",
    "non",
    "niet",
    "nie",
    "не",
    "değil",
    "لا",
    "नहीं",
];
const NEGATIONS_AFTER: [&str; 5] = ["nicht", "pas", "niet", "gar", "नहीं"];
const LIKING: [&str; 30] = [
    "love",
    "loving",
    "enjoy",
    "adore",
    "favorite",
    "favourite",
    "fond",
    "likes",
    "liked",
    "lieblings",
    "liebe",
    "mag",
    "gefällt",
    "gusta",
    "encanta",
    "favorit",
    "preferid",
    "adoro",
    "gosto",
    "gosta",
    "piace",
    "j'aime",
    "j'adore",
    "préfér",
    "houd",
    "lubię",
    "люблю",
    "нравит",
    "любим",
    "обожаю",
];
const DISLIKING: [&str; 26] = [
    "dislike",
    "hate",
    "hating",
    "loathe",
    "detest",
    "despise",
    "disgust",
    "unbearable",
    "yuck",
    "gross",
    "hasse",
    "verabscheue",
    "eklig",
    "odio",
    "detesto",
    "odeio",
    "déteste",
    "détest",
    "haat",
    "nienawidzę",
    "ненавижу",
    "терпеть",
    "n'aime",
    "disgusto",
    "asco",
    "horror",
];
const DISLIKING_PHRASES: [&str; 20] = [
    "can't stand",
    "cannot stand",
    "cant stand",
    "can't bear",
    "not a fan",
    "not my thing",
    "bores me",
    "bored by",
    "makes me sick",
    "makes me gag",
    "kann ich nicht leiden",
    "nicht ausstehen",
    "no soporto",
    "não suporto",
    "me horripila",
    "嫌い",
    "苦手",
    "讨厌",
    "不喜欢",
    "싫어",
];
const LIKING_PHRASES: [&str; 12] = [
    "makes me happy",
    "make me happy",
    "can't get enough",
    "crazy about",
    "big fan",
    "best thing",
    "好き",
    "大好き",
    "最喜欢",
    "좋아",
    "makes my day",
    "weakness for",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn liking_disliking_and_neither() {
        for (text, expected) in [
            ("I love apples", 1),
            ("I don't really like apples", -1),
            ("Which fruit do I not like?", -1),
            ("Which fruit do I like?", 1),
            ("I can't stand pears", -1),
            ("It looks like rain", 0),
            ("I hate pears but I love plums", 0),
            ("Das mag ich nicht", -1),
            ("The bus was late", 0),
        ] {
            assert_eq!(polarity(text), expected, "{text}");
        }
    }
}
