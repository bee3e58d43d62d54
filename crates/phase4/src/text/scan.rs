//! Cues, negation, terms and themes of a text.

use super::{Sentence, Token, Word, fold32, mask::words_only, token::Tokens};
use crate::lexicon::{Cue, Entry, Lexicon, Phrase, Theme, Themes};

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
    /// Whether the language has function words only: nothing is known of what the words mean.
    pub(crate) is_mute: bool,
    lower: String,
    weights: [f32; Cue::COUNT],
    negated: [f32; Cue::COUNT],
    /// Families seen, negated ones left out, one bit each.
    seen: u128,
    /// The token after the last hit of each family.
    ends: [u16; Cue::COUNT],
}

const _: () = assert!(Cue::COUNT <= 128, "one bit for each family");

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
    /// Whether it may be what the talk is about.
    pub(crate) subject: bool,
}

impl Term {
    /// Whether the word is telling: no everyday word and no number.
    pub(crate) fn is_telling(&self) -> bool {
        self.weight >= TELLING
    }
}

/// Weight from which a word tells something.
const TELLING: f32 = 0.9;
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
        } = Tokens::split(&words_only(text), lexicon);
        let mut utterance = Self {
            text,
            tokens,
            sentences,
            hits: Vec::with_capacity(16),
            terms: Vec::with_capacity(8),
            themes: Themes::default(),
            exclamations,
            is_mute: !lexicon.speaks(),
            lower,
            weights: [0.0; Cue::COUNT],
            negated: [0.0; Cue::COUNT],
            seen: 0,
            ends: [0; Cue::COUNT],
        };
        utterance.look_up(lexicon);
        utterance.negate(lexicon);
        utterance.find_cues(lexicon);
        utterance.find_questions();
        utterance.find_voices(lexicon);
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
        self.seen & cue.bit() != 0
    }

    /// Whether one of the families in a mask of [`Cue::bit`]s was seen, negated ones left out.
    pub(crate) fn has_any(&self, families: u128) -> bool {
        self.seen & families != 0
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

    fn look_up(&mut self, lexicon: &Lexicon) {
        let mut scratch = Vec::with_capacity(48);
        for token in &mut self.tokens {
            token.exact = lexicon.exact.place(token.surface);
            if let Some(exact) = token.exact {
                let entry = lexicon.exact.at(exact);
                (token.stem, token.cues) = (entry.stem, entry.stem_place);
            } else {
                if !token.symbol {
                    let word = &self.lower.as_bytes()[token.lower.0 as usize..token.lower.1 as usize];
                    token.stem = lexicon.stem(word, token.surface, &mut scratch);
                    token.quality |= lexicon.is_modifier(word);
                }
                token.cues = lexicon.stems.place(token.stem);
            }
        }
    }

    fn negate(&mut self, lexicon: &Lexicon) {
        let (mut scope, mut trailing) = (0_u8, false);
        for index in 0..self.tokens.len() {
            let token = self.tokens[index];
            let flags = token.exact.map_or(0, |place| lexicon.exact.at(place).flags);
            let is = |flag: u16| flags & flag != 0;
            if token.clause_start || is(Entry::CONTRAST) {
                scope = 0;
            }
            trailing |= is(Entry::TRAILING);
            let (stop, filler) = (is(Entry::STOP), is(Entry::STOP | Entry::INTENSIFIER));
            let entry = &mut self.tokens[index];
            entry.negated = scope > 0;
            entry.stop = stop;
            if is(Entry::NEGATOR) || self.lower.as_bytes()[..token.lower.1 as usize].ends_with(b"n't") {
                scope = NEGATION_SCOPE;
            } else if scope > 0 && !filler {
                scope -= 1;
            }
        }
        if trailing {
            self.negate_before(lexicon);
        }
    }

    /// A negator may stand behind what it negates ("ich mag das nicht"): when nothing telling follows in its
    /// clause, or what follows is tied to what was said before ("nicht auf die Party", "nicht mehr").
    fn negate_before(&mut self, lexicon: &Lexicon) {
        let flags = |token: &Token| token.exact.map_or(0, |place| lexicon.exact.at(place).flags);
        for at in 0..self.tokens.len() {
            if flags(&self.tokens[at]) & Entry::TRAILING == 0 {
                continue;
            }
            let goes_on = |token: &&Token| !token.clause_start && flags(token) & Entry::CLAUSE == 0;
            let mut after = self.tokens[at + 1..].iter().take_while(goes_on).peekable();
            let tied = after.peek().is_some_and(|next| flags(next) & Entry::LINK != 0);
            if !tied && after.any(|token| flags(token) & (Entry::STOP | Entry::INTENSIFIER) == 0) {
                continue;
            }
            for token in self.tokens[..at].iter_mut().rev() {
                if flags(token) & (Entry::CLAUSE | Entry::CONTRAST) != 0 {
                    break;
                }
                token.undone = true;
                if token.clause_start {
                    break;
                }
            }
        }
    }

    fn find_cues(&mut self, lexicon: &Lexicon) {
        for index in 0..self.tokens.len() {
            let Token { exact, cues, .. } = self.tokens[index];
            let from = self.hits.len();
            if let Some(place) = cues {
                self.match_entry(index, lexicon.stems.at(place), from);
            }
            if let Some(place) = exact {
                self.match_entry(index, lexicon.exact.at(place), from);
            }
        }
    }

    fn match_entry(&mut self, index: usize, entry: &Entry, from: usize) {
        self.tokens[index].common |= entry.flags & Entry::COMMON != 0;
        self.tokens[index].quality |= entry.flags & Entry::QUALITY != 0;
        if !entry.phrases.is_empty() {
            self.match_phrases(index, &entry.phrases, from);
        }
        for &(cue, weight) in &entry.cues {
            self.hit(index, 1, cue, weight, from);
        }
    }

    fn match_phrases(&mut self, index: usize, phrases: &[Phrase], from: usize) {
        let sentence = self.tokens[index].sentence;
        let next = self.tokens.get(index + 1);
        let Some(second) = next.filter(|next| next.sentence == sentence) else {
            return;
        };
        let second = second.stem;
        for phrase in phrases.iter().filter(|phrase| phrase.second == second) {
            let following = &self.tokens[index + 2..];
            let fits = following.len() >= phrase.rest.len()
                && phrase
                    .rest
                    .iter()
                    .zip(following)
                    .all(|(&stem, next)| next.stem == stem && next.sentence == sentence);
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
    }

    /// Records a cue unless the same family was seen at this place already, or in a phrase that covers it.
    fn hit(&mut self, index: usize, len: u8, cue: Cue, weight: f32, from: usize) {
        let end = &mut self.ends[cue as usize];
        if usize::from(*end) > index {
            return;
        }
        *end = index as u16 + u16::from(len);
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
        // What holds its own negator is not negated by it.
        let covered = &self.tokens[index..index + usize::from(len)];
        let negated = covered[0].negated || covered.iter().all(|token| token.undone);
        if negated {
            self.negated[cue as usize] += weight;
        } else {
            self.weights[cue as usize] += weight;
            self.seen |= cue.bit();
        }
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
    fn find_voices(&mut self, lexicon: &Lexicon) {
        if lexicon.implies_self() {
            self.sentences.iter_mut().for_each(|sentence| sentence.own = 1);
        }
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

    /// What stands right before a term and tells it apart ("dog shelter"), in the first of the sentences that
    /// `within` accepts; 0 for nothing.
    pub(crate) fn modifier(&self, term: u32, within: impl Fn(usize) -> bool) -> u32 {
        let here = |token: &Token| within(usize::from(token.sentence)) && fold32(token.stem) == term;
        let Some(at) = self.tokens.iter().position(here) else {
            return 0;
        };
        let before = at.checked_sub(1).map(|before| self.tokens[before]);
        before
            .filter(|before| !(self.tokens[at].clause_start || before.stop || before.common || before.symbol))
            .map_or(0, |before| fold32(before.stem))
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
            if token.symbol || token.stop || lower.len() < 3 || is_id(lower) {
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
                subject: weight >= TELLING && !token.quality,
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

/// Whether a word is the number or code of something: long digits, or many of them among letters.
fn is_id(lower: &str) -> bool {
    let digits = lower.bytes().filter(u8::is_ascii_digit).count();
    let hex = lower.len() >= 12 && lower.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits > 0
        && (digits >= 7 || hex || (digits < lower.len() && lower.len() >= 6 && 2 * digits >= lower.len()))
}
