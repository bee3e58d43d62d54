use super::{Cue, Entry, Lexicon, Phrase, Table, stem::Stemmer};
use crate::text::{HashedMap, hash64};

/// Why files are not a lexicon.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LexiconError {
    /// A section of the cue file is none that the engine uses.
    #[error("unknown section [{section}] of cues")]
    UnknownSection {
        /// Its name.
        section: String,
    },
    /// A line of one of the files cannot be read.
    #[error("cannot read line {line:?}")]
    Syntax {
        /// The line.
        line: String,
    },
    /// A phrase that the engine says has no text.
    #[error("phrase {key} is missing")]
    MissingPhrase {
        /// Its key.
        key: String,
    },
}

impl Lexicon {
    /// Reads a language from the contents of its three files.
    ///
    /// Without any phrase the engine says nothing in this language.
    ///
    /// # Errors
    /// [`LexiconError`] names the section, line or phrase that is wrong or missing.
    pub fn parse(cues: &str, lemmas: &str, phrases: &str) -> Result<Self, LexiconError> {
        let stemmer = Stemmer::parse(lemmas).map_err(|line| LexiconError::Syntax { line })?;
        let said = read_phrases(phrases)?;
        let mut lexicon = Self {
            exact: Table::default(),
            stems: Table::default(),
            stemmer,
            phrases: said,
            seed: [cues, lemmas, phrases]
                .iter()
                .fold(0_u64, |seed, file| seed.rotate_left(21) ^ hash64(file.as_bytes())),
        };
        lexicon.read_cues(cues)?;
        for entry in lexicon.exact.values_mut() {
            entry.stem_place = lexicon.stems.place(entry.stem);
        }
        for entry in lexicon.exact.values_mut().chain(lexicon.stems.values_mut()) {
            entry
                .phrases
                .sort_by_key(|phrase| std::cmp::Reverse(phrase.rest.len()));
        }
        Ok(lexicon)
    }

    fn read_cues(&mut self, text: &str) -> Result<(), LexiconError> {
        let mut family = None;
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                let found = Cue::ALL.iter().find(|(_, text)| *text == name);
                let (cue, _) = found.ok_or_else(|| LexiconError::UnknownSection {
                    section: name.to_owned(),
                })?;
                family = Some(*cue);
                continue;
            }
            let cue = family.ok_or_else(|| LexiconError::Syntax {
                line: line.to_owned(),
            })?;
            for item in line.split(',').map(str::trim).filter(|item| !item.is_empty()) {
                self.add(cue, item).ok_or_else(|| LexiconError::Syntax {
                    line: item.to_owned(),
                })?;
            }
        }
        Ok(())
    }

    fn add(&mut self, cue: Cue, item: &str) -> Option<()> {
        let (text, weight) = match item.rsplit_once(':') {
            Some((text, weight)) => (text.trim(), weight.parse().ok()?),
            None => (item, 1.0),
        };
        let (text, exact) = match text.strip_prefix('=') {
            Some(text) => (text, true),
            None => (text, false),
        };
        let mut scratch = Vec::new();
        let text = self.part_elisions(text);
        let words = || {
            text.split_whitespace()
                .map(|word| (word, hash64(word.as_bytes())))
        };
        let keys: Vec<u64> = words()
            .map(|(word, hash)| self.stem(word.as_bytes(), hash, &mut scratch))
            .collect();
        let (&stem, rest) = keys.split_first()?;
        let entry = if exact {
            let (_, surface) = words().next()?;
            self.exact.slot(surface)
        } else {
            self.stems.slot(stem)
        };
        entry.stem = stem;
        if let Some((&second, rest)) = rest.split_first().filter(|_| !exact) {
            entry.phrases.push(Phrase {
                second,
                rest: rest.into(),
                cue,
                weight,
            });
        } else if rest.is_empty() {
            entry.flags |= Entry::flag(cue);
            if matches!(cue, Cue::Intensifier) || Entry::flag(cue) == 0 {
                entry.cues.push((cue, weight));
            }
        } else {
            // A phrase is matched by lemma; an exact one would never be found.
            return None;
        }
        Some(())
    }
}

impl Lexicon {
    /// "j'ai" as it is read: two words.
    fn part_elisions(&self, item: &str) -> String {
        let word = |word: &str| match word.split_once('\'') {
            Some((letters, rest)) if self.elides(letters) && !rest.is_empty() => format!("{letters} {rest}"),
            _ => word.to_owned(),
        };
        let words: Vec<String> = item.split_whitespace().map(word).collect();
        words.join(" ")
    }
}

fn read_phrases(text: &str) -> Result<HashedMap<Box<str>>, LexiconError> {
    let mut phrases = HashedMap::default();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').ok_or_else(|| LexiconError::Syntax {
            line: line.to_owned(),
        })?;
        phrases.insert(hash64(key.trim().as_bytes()), value.trim().into());
    }
    if phrases.is_empty() {
        return Ok(phrases);
    }
    match required_phrases().find(|key| !phrases.contains_key(&hash64(key.as_bytes()))) {
        Some(key) => Err(LexiconError::MissingPhrase { key }),
        None => Ok(phrases),
    }
}

/// Every key that the engine asks for.
fn required_phrases() -> impl Iterator<Item = String> {
    const BRIDGES: [&str; 12] = [
        "natural_flow",
        "explicit_switch",
        "reminder_driven",
        "interruption",
        "emotional_driven",
        "time_driven",
        "priority_driven",
        "completion_driven",
        "first",
        "nothing",
        "resume_question",
        "resume_commitment",
    ];
    const MOMENTS: [&str; 10] = [
        "achievement_callback",
        "emotional_continuity",
        "interest_development",
        "relationship_milestone",
        "problem_resolution",
        "shared_experience",
        "personal_growth",
        "recurring_theme",
        "celebration_echo",
        "support_follow_up",
    ];
    const SUGGESTIONS: [&str; 11] = [
        "topic_suggestion",
        "follow_up_question",
        "follow_up_question.commitment",
        "follow_up_question.question",
        "memory_connection",
        "emotional_check_in",
        "shared_interest",
        "curiosity_prompt",
        "curiosity_prompt.topic",
        "celebration",
        "support_offer",
    ];
    let bridges = BRIDGES.into_iter().map(|key| format!("bridge.{key}"));
    let moments = MOMENTS.into_iter().map(|key| format!("callback.{key}"));
    let suggestions = SUGGESTIONS.into_iter().map(|key| format!("suggest.{key}"));
    let explorations = (1..=8).map(|n| format!("explore.{n}"));
    bridges.chain(moments).chain(suggestions).chain(explorations)
}
