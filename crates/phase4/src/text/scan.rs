//! Cues, negation, terms and themes of a text.

use super::{Sentence, Token, Word, fold32, token::Tokens};
use crate::lexicon::{Cue, Entry, Lexicon, Theme, Themes};

/// A text and everything that is read off its words.
#[derive(Debug)]
pub(crate) struct Utterance<'t> {
    pub(crate) text: &'t str,
    pub(crate) tokens: Vec<Token>,
    pub(crate) sentences: Vec<Sentence>,
    /// Where cues were seen, in text order; negated ones too.
    pub(crate) hits: Vec<Hit>,
    /// Content words, distinct, at most [`MAX_TERMS`].
    pub(crate) terms: Vec<Term>,
    pub(crate) themes: Themes,
    pub(crate) exclamations: u32,
    lower: String,
    weights: [f32; Cue::COUNT],
    negated: [f32; Cue::COUNT],
}

/// A cue at a place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) cue: Cue,
    /// The first token.
    pub(crate) token: u16,
    /// How many tokens.
    pub(crate) len: u8,
    pub(crate) negated: bool,
    pub(crate) weight: f32,
}

/// A content word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term {
    /// Hash of its stem.
    pub(crate) id: u32,
    pub(crate) word: Word,
    /// How much it says: everyday words little, names more.
    pub(crate) weight: f32,
    /// The sentences it is in, one bit for each of the first 64.
    pub(crate) sentences: u64,
}

impl Term {
    /// Whether the word is telling: no everyday word and no number.
    pub(crate) fn is_telling(&self) -> bool {
        self.weight >= 0.9
    }
}

/// Content words kept of one message.
pub(crate) const MAX_TERMS: usize = 20;
/// Words after a negation that it turns around.
const NEGATION_SCOPE: u8 = 3;

impl<'t> Utterance<'t> {
    pub(crate) fn read(lexicon: &Lexicon, text: &'t str) -> Self {
        let Tokens {
            list: tokens,
            sentences,
            lower,
            exclamations,
        } = Tokens::split(text);
        let mut utterance = Self {
            text,
            tokens,
            sentences,
            hits: Vec::with_capacity(16),
            terms: Vec::with_capacity(8),
            themes: Themes::default(),
            exclamations,
            lower,
            weights: [0.0; Cue::COUNT],
            negated: [0.0; Cue::COUNT],
        };
        utterance.stem(lexicon);
        utterance.negate(lexicon);
        utterance.find_cues(lexicon);
        utterance.find_questions();
        utterance.find_voices();
        utterance.find_terms();
        utterance
    }

    /// Sum of the weights of a family's cues, negated ones left out.
    pub(crate) fn weight(&self, cue: Cue) -> f32 {
        self.weights[cue as usize]
    }

    /// Sum of the weights of a family's negated cues.
    pub(crate) fn negated(&self, cue: Cue) -> f32 {
        self.negated[cue as usize]
    }

    pub(crate) fn has(&self, cue: Cue) -> bool {
        self.weight(cue) > 0.0
    }

    /// How often a family was seen, negated ones left out.
    pub(crate) fn count(&self, cue: Cue) -> u32 {
        self.hits
            .iter()
            .filter(|hit| hit.cue == cue && !hit.negated)
            .count() as u32
    }

    /// Words, without pictographs.
    pub(crate) fn words(&self) -> u32 {
        self.tokens.iter().filter(|token| !token.symbol).count() as u32
    }

    pub(crate) fn lower(&self, token: &Token) -> &str {
        &self.lower[token.lower.0 as usize..token.lower.1 as usize]
    }

    pub(crate) fn is_question(&self) -> bool {
        self.sentences.iter().any(|sentence| sentence.question)
    }

    /// The first `limit` words and phrases of some families, as written in lower case.
    pub(crate) fn cue_words(&self, families: &[Cue], limit: usize) -> String {
        let hits = self
            .hits
            .iter()
            .filter(|hit| !hit.negated && families.contains(&hit.cue));
        let mut words = String::new();
        for hit in hits.take(limit) {
            if !words.is_empty() {
                words.push_str(", ");
            }
            let from = usize::from(hit.token);
            for (index, token) in self.tokens[from..from + usize::from(hit.len)].iter().enumerate() {
                if index > 0 {
                    words.push(' ');
                }
                words.push_str(self.lower(token));
            }
        }
        words
    }

    /// The text of a sentence.
    pub(crate) fn sentence(&self, sentence: &Sentence) -> &'t str {
        self.text
            .get(sentence.start as usize..sentence.end as usize)
            .unwrap_or("")
    }

    fn stem(&mut self, lexicon: &Lexicon) {
        let mut scratch = String::new();
        for token in &mut self.tokens {
            if !token.symbol {
                let word = &self.lower[token.lower.0 as usize..token.lower.1 as usize];
                token.stem = lexicon.stem(word, token.surface, &mut scratch);
            }
        }
    }

    fn negate(&mut self, lexicon: &Lexicon) {
        let mut scope = 0_u8;
        for index in 0..self.tokens.len() {
            let token = self.tokens[index];
            let exact = lexicon.exact.get(token.surface);
            let flags = exact.map_or(0, |entry| entry.flags);
            let is = |flag: u8| flags & flag != 0;
            if token.clause_start || is(Entry::CONTRAST) {
                scope = 0;
            }
            let (stop, filler) = (is(Entry::STOP), is(Entry::STOP | Entry::INTENSIFIER));
            let entry = &mut self.tokens[index];
            entry.negated = scope > 0;
            entry.stop = stop;
            entry.exact = exact.is_some();
            if is(Entry::NEGATOR) || self.lower(&token).ends_with("n't") {
                scope = NEGATION_SCOPE;
            } else if scope > 0 && !filler {
                scope -= 1;
            }
        }
    }

    fn find_cues(&mut self, lexicon: &Lexicon) {
        for index in 0..self.tokens.len() {
            let (surface, stem) = (self.tokens[index].surface, self.tokens[index].stem);
            let from = self.hits.len();
            if let Some(entry) = lexicon.stems.get(stem) {
                self.match_entry(index, entry, from);
            }
            if let Some(entry) = self.tokens[index]
                .exact
                .then(|| lexicon.exact.get(surface))
                .flatten()
            {
                self.match_entry(index, entry, from);
            }
        }
    }

    fn match_entry(&mut self, index: usize, entry: &Entry, from: usize) {
        let token = self.tokens[index];
        let second = self
            .tokens
            .get(index + 1)
            .filter(|next| next.sentence == token.sentence);
        let second = second.map_or(0, |next| next.stem);
        for phrase in entry.phrases.iter().filter(|phrase| phrase.second == second) {
            let following = self.tokens.get(index + 2..).unwrap_or_default();
            let fits = following.len() >= phrase.rest.len()
                && phrase
                    .rest
                    .iter()
                    .zip(following)
                    .all(|(&stem, next)| next.stem == stem && next.sentence == token.sentence);
            if fits {
                self.hit(
                    index,
                    phrase.rest.len() as u8 + 2,
                    phrase.cue,
                    phrase.weight,
                    from,
                );
            }
        }
        for &(cue, weight) in &entry.cues {
            match cue {
                Cue::Stop | Cue::Negator => {}
                Cue::Common => self.tokens[index].common = true,
                _ => self.hit(index, 1, cue, weight, from),
            }
        }
    }

    /// Records a cue unless the same family was seen at this place already, or in a phrase that covers it.
    fn hit(&mut self, index: usize, len: u8, cue: Cue, weight: f32, from: usize) {
        let covers = |hit: &Hit| usize::from(hit.token) + usize::from(hit.len) > index;
        if self
            .hits
            .iter()
            .rev()
            .take(24)
            .any(|hit| hit.cue == cue && covers(hit))
        {
            return;
        }
        let scale = match self.hits[..from].last() {
            Some(before) if usize::from(before.token) + usize::from(before.len) == index => {
                match before.cue {
                    Cue::Intensifier => 1.3,
                    Cue::Diminisher => 0.7,
                    _ => 1.0,
                }
            }
            _ => 1.0,
        };
        let weight = weight * scale;
        let negated = self.tokens[index].negated;
        let sums = if negated {
            &mut self.negated
        } else {
            &mut self.weights
        };
        sums[cue as usize] += weight;
        // What a text is about does not change by denying it.
        if let Some(theme) = Theme::from_cue(cue) {
            self.themes.insert(theme);
        }
        self.hits.push(Hit {
            cue,
            token: index as u16,
            len,
            negated,
            weight,
        });
    }

    fn find_questions(&mut self) {
        for hit in &self.hits {
            let token = self.tokens[usize::from(hit.token)];
            if hit.cue == Cue::Inquiry && token.clause_start {
                let sentence = usize::from(token.sentence);
                let exclaims = self.hits.iter().any(|other| {
                    other.cue == Cue::Exclaim
                        && self.tokens[usize::from(other.token)].sentence == token.sentence
                });
                if !exclaims {
                    self.sentences[sentence].question = true;
                }
            }
        }
    }

    /// Counts in each sentence who it is about. "You" inside a set phrase ("thank you") is nobody.
    fn find_voices(&mut self) {
        for index in 0..self.hits.len() {
            let hit = self.hits[index];
            let phrase = |other: &Hit| {
                let from = usize::from(other.token);
                other.len > 1
                    && matches!(
                        other.cue,
                        Cue::Smalltalk | Cue::Gratitude | Cue::Lively | Cue::Exclaim | Cue::Surprise
                    )
                    && (from..from + usize::from(other.len)).contains(&usize::from(hit.token))
            };
            let sentence = usize::from(self.tokens[usize::from(hit.token)].sentence);
            match hit.cue {
                Cue::Own => self.sentences[sentence].own = self.sentences[sentence].own.saturating_add(1),
                Cue::Address if !self.hits.iter().any(phrase) => {
                    self.sentences[sentence].addressed = self.sentences[sentence].addressed.saturating_add(1);
                }
                _ => {}
            }
        }
    }

    /// Whether the word at `token` stands in a sentence in which the person tells of themselves.
    pub(crate) fn is_told_at(&self, token: u16) -> bool {
        let sentence = self.tokens[usize::from(token)].sentence;
        self.sentences[usize::from(sentence)].is_told()
    }

    /// The sentences in which the person tells of themselves, one bit for each of the first 64.
    pub(crate) fn told(&self) -> u64 {
        let told = self.sentences.iter().take(64).enumerate();
        told.filter(|(_, sentence)| sentence.is_told())
            .fold(0, |mask, (index, _)| mask | 1 << index)
    }

    fn find_terms(&mut self) {
        for index in 0..self.tokens.len() {
            let token = &self.tokens[index];
            let lower = &self.lower[token.lower.0 as usize..token.lower.1 as usize];
            if token.symbol || token.stop || lower.len() < 3 {
                continue;
            }
            let id = fold32(token.stem);
            let sentence = 1_u64.checked_shl(u32::from(token.sentence)).unwrap_or(0);
            if let Some(known) = self.terms.iter_mut().find(|term| term.id == id) {
                known.weight = (known.weight + 0.2).min(1.6);
                known.sentences |= sentence;
                continue;
            }
            let number = lower.as_bytes()[0].is_ascii_digit();
            let weight = match (token.common, token.capital && !token.clause_start) {
                (true, _) => 0.2,
                _ if token.aside => 0.5,
                _ if token.capital && self.is_vocative(index) => 0.2,
                _ if number => 0.4,
                (false, true) => 1.2,
                (false, false) => 1.0,
            };
            self.terms.push(Term {
                id,
                word: Word::new(lower),
                weight,
                sentences: sentence,
            });
            if self.terms.len() == MAX_TERMS {
                return;
            }
        }
    }

    /// Whether a capitalised word addresses somebody ("Thanks, Maria!", "Hey Sam, ..."): nothing but small
    /// talk stands beside it in its clause. A name that is only called says nothing of the subject.
    fn is_vocative(&self, index: usize) -> bool {
        let ends = self
            .tokens
            .get(index + 1)
            .is_none_or(|next| next.clause_start || next.symbol);
        let from = self.tokens[..=index]
            .iter()
            .rposition(|token| token.clause_start)
            .unwrap_or(0);
        let alone = self.tokens.iter().filter(|token| !token.symbol).count() == 1;
        ends && !alone
            && (from..index).all(|before| {
                self.hits.iter().any(|hit| {
                    let first = usize::from(hit.token);
                    matches!(
                        hit.cue,
                        Cue::Smalltalk | Cue::Continuation | Cue::Opener | Cue::Gratitude | Cue::Switch
                    ) && (first..first + usize::from(hit.len)).contains(&before)
                })
            })
    }
}
