//! What a remembered text tells, read off its words alone, and a small memory of such readings.

use std::sync::Arc;

use whisperengine_types::{EmotionReading, EmotionalState, Timestamp};

use super::note::Marks;
use crate::{
    emotional::{Assessment, EmotionalHistory, assess},
    lexicon::{Cue, Lexicon, Themes},
    number::Byte,
    text::{Sentence, Term, Utterance, fingerprint},
};

/// A text as far as bringing it up later goes. Depends on nothing but the text and the language.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Glance {
    pub(super) marks: Marks,
    pub(super) state: EmotionalState,
    pub(super) intensity: Byte,
    pub(super) themes: Themes,
    pub(super) sayings: Vec<Saying>,
}

/// A sentence that can be quoted and understood without the rest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Saying {
    /// Byte range in the text; the sentence before is part of it when this one only points back at it.
    pub(super) range: (usize, usize),
    /// Its telling words.
    pub(super) terms: Vec<u32>,
    /// What stands before each of them and tells it apart from others ("dog shelter"); 0 for nothing.
    pub(super) modifiers: Vec<u32>,
    /// Whether the person states something about themselves in it.
    pub(super) told: bool,
    /// Whether an achievement of their own is told in it.
    pub(super) achieved: bool,
}

/// Words that a sentence needs to be worth quoting, and telling ones of them.
const MIN_WORDS: usize = 4;
/// Sentences looked at, and telling words kept of each.
const MAX_SAYINGS: usize = 12;
const MAX_TERMS: usize = 12;
/// Weight from which a word tells an achievement by itself.
pub(super) const CLEAR: f32 = 0.8;

impl Glance {
    pub(super) fn of(lexicon: &Lexicon, text: &str) -> Self {
        let utterance = Utterance::read(lexicon, text);
        let emotion = assess(Assessment {
            reading: &EmotionReading::neutral(),
            utterance: &utterance,
            history: &EmotionalHistory::default(),
            depth: 0.0,
            trust: 0.0,
            at: Timestamp::default(),
        });
        Self {
            marks: Marks::of(&utterance),
            state: emotion.state,
            intensity: Byte::new(emotion.intensity),
            themes: utterance.themes,
            sayings: sayings(&utterance),
        }
    }

    /// The saying to quote: the one that shares most words with `wanted`, then one that tells an achievement,
    /// then the most telling one. `told`: only what the person states about themselves.
    pub(super) fn best(&self, wanted: &[u32], told: bool) -> Option<&Saying> {
        let fit = |saying: &&Saying| !saying.terms.is_empty() && (saying.told || !told);
        let shared = |saying: &Saying| saying.terms.iter().filter(|term| wanted.contains(term)).count();
        // The first of equals: people say what they have to say and then explain it.
        let best = |best: &'_ Saying, next: &'_ Saying| {
            (shared(next), next.achieved, next.terms.len()) > (shared(best), best.achieved, best.terms.len())
        };
        self.sayings
            .iter()
            .filter(fit)
            .reduce(|first, next| if best(first, next) { next } else { first })
    }
}

/// The sentences of a message that can stand alone.
pub(super) fn sayings(utterance: &Utterance<'_>) -> Vec<Saying> {
    let mut found: Vec<Saying> = Vec::new();
    let mut words = [0_usize; 64];
    let mut first = [None; 64];
    for token in &utterance.tokens {
        let sentence = usize::from(token.sentence);
        if sentence < 64 && !token.symbol && !token.aside {
            words[sentence] += 1;
            first[sentence].get_or_insert(token.start);
        }
    }
    for (index, sentence) in utterance.sentences.iter().enumerate().take(64) {
        if sentence.question || words[index] < MIN_WORDS {
            continue;
        }
        let mut terms: Vec<u32> = telling(utterance, index).map(|term| term.id).collect();
        terms.truncate(MAX_TERMS);
        let mut from = index;
        let mut start = sentence.start;
        if points_back(utterance, index) {
            let before = index
                .checked_sub(1)
                .map(|before| (before, utterance.sentences[before]));
            let Some((before, Sentence { start: earlier, .. })) = before.filter(|(at, sentence)| {
                let stands = !sentence.question && words[*at] >= MIN_WORDS;
                stands && telling(utterance, *at).next().is_some() && !points_back(utterance, *at)
            }) else {
                continue;
            };
            start = earlier;
            terms.extend(telling(utterance, before).map(|term| term.id));
            terms.truncate(MAX_TERMS);
            from = before;
        }
        found.push(Saying {
            range: (start as usize, sentence.end as usize),
            modifiers: terms
                .iter()
                .map(|&id| utterance.modifier(id, |sentence| (from..=index).contains(&sentence)))
                .collect(),
            terms,
            told: sentence.is_told(),
            achieved: sentence.is_told() && achieved(utterance, index),
        });
        if found.len() == MAX_SAYINGS {
            break;
        }
    }
    found
}

/// Whether a sentence tells an achievement, not only of achieving in general.
fn achieved(utterance: &Utterance<'_>, sentence: usize) -> bool {
    utterance.hits.iter().any(|hit| {
        hit.cue == Cue::Achievement
            && !hit.negated
            && hit.weight >= CLEAR
            && usize::from(utterance.tokens[usize::from(hit.token)].sentence) == sentence
    })
}

fn telling<'u>(utterance: &'u Utterance<'_>, sentence: usize) -> impl Iterator<Item = &'u Term> {
    utterance
        .terms
        .iter()
        .filter(move |term| term.is_telling() && term.sentences & (1 << sentence) != 0)
}

/// Whether a sentence begins with a word that stands for something said before ("It was great").
fn points_back(utterance: &Utterance<'_>, sentence: usize) -> bool {
    let begins = utterance
        .tokens
        .iter()
        .position(|token| usize::from(token.sentence) == sentence);
    let Some(mut at) = begins else { return false };
    let held = |at: usize, cue| {
        utterance.hits.iter().any(|hit| {
            let from = usize::from(hit.token);
            hit.cue == cue && (from..from + usize::from(hit.len)).contains(&at)
        })
    };
    for _ in 0..4 {
        if held(at, Cue::Anaphora) {
            return true;
        }
        if !(held(at, Cue::Continuation) || held(at, Cue::Opener)) {
            return false;
        }
        at += 1;
    }
    false
}

/// Readings of the texts that were recalled lately.
///
/// Only a way to save time: a reading depends on the text alone, so what is in here changes no plan and no
/// state, is not encoded and makes no two states unequal. Texts themselves are not kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Glances {
    known: Vec<(u128, Arc<Glance>)>,
    next: usize,
}

const MAX_KNOWN: usize = 16;

impl Glances {
    pub(super) fn read(&mut self, lexicon: &Lexicon, text: &str) -> Arc<Glance> {
        let key = fingerprint(lexicon.seed(), text.as_bytes());
        if let Some((_, glance)) = self.known.iter().find(|(known, _)| *known == key) {
            return Arc::clone(glance);
        }
        let glance = Arc::new(Glance::of(lexicon, text));
        let entry = (key, Arc::clone(&glance));
        if self.known.len() < MAX_KNOWN {
            self.known.push(entry);
        } else {
            self.known[self.next] = entry;
            self.next = (self.next + 1) % MAX_KNOWN;
        }
        glance
    }
}

impl PartialEq for Glances {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_can_stand_alone() {
        let english = Lexicon::english();
        let cases = [
            (
                "Thanks, Sam! It all started when a friend gave me a painting.",
                None,
            ),
            ("You are right, your garden needs water.", None),
            (
                "Did I tell of my violin? Yes! I play the violin in an orchestra.",
                Some("I play the violin in an orchestra."),
            ),
            (
                "I bought a kayak on Sunday. It leaks at my feet. [shares a picture: a photo of a red kayak]",
                Some("I bought a kayak on Sunday. It leaks at my feet."),
            ),
        ];
        for (text, quote) in cases {
            let glance = Glance::of(&english, text);
            let best = glance
                .best(&[], true)
                .map(|saying| &text[saying.range.0..saying.range.1]);
            assert_eq!(best.map(str::trim), quote, "{text}");
        }
    }

    #[test]
    fn a_remembered_reading_is_the_reading() {
        let english = Lexicon::english();
        let mut glances = Glances::default();
        for round in 0..3 {
            for number in 0..40 {
                let text = format!("My boat number {number} won the regatta in the harbour.");
                assert_eq!(
                    *glances.read(&english, &text),
                    Glance::of(&english, &text),
                    "{round}"
                );
                assert!(glances.known.len() <= MAX_KNOWN);
            }
        }
    }
}
