//! Words, symbols, clauses and sentences of a text, in one pass over its characters.

use super::{Fnv, hash64};
use crate::lexicon::{Lexicon, Place};

/// One word or pictograph.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent marks, read one at a time"
)]
pub(crate) struct Token {
    /// Hash of the lower-case form.
    pub(crate) surface: u64,
    /// Hash of the stem; filled in by the scan.
    pub(crate) stem: u64,
    /// First byte in the text.
    pub(crate) start: u32,
    /// Byte range in the lower-case copy.
    pub(crate) lower: (u32, u32),
    /// Where the lexicon has its very form, and where its stem; filled in by the scan.
    pub(crate) exact: Place,
    pub(crate) cues: Place,
    pub(crate) sentence: u16,
    pub(crate) clause_start: bool,
    pub(crate) capital: bool,
    pub(crate) symbol: bool,
    pub(crate) negated: bool,
    /// Negated by a word behind it.
    pub(crate) undone: bool,
    pub(crate) stop: bool,
    pub(crate) common: bool,
    /// An adjective, adverb or verb: it tells, but nobody talks about it.
    pub(crate) quality: bool,
    /// Inside square brackets: a caption or stage direction, not the person's own words.
    pub(crate) aside: bool,
}

/// A stretch of the text between full stops, question or exclamation marks or line ends.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sentence {
    /// Byte range in the text, its end mark included.
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) question: bool,
    /// Words for the person themselves, and for whom they talk to; filled in by the scan.
    pub(crate) own: u8,
    pub(crate) addressed: u8,
}

impl Sentence {
    /// Whether the person states something about themselves: no question, and more of "I" than of "you".
    pub(crate) fn is_told(&self) -> bool {
        !self.question && self.own > self.addressed
    }
}

/// Texts longer than this many tokens are read up to here; no chat message is.
const MAX_TOKENS: usize = 1024;

/// The parts of a text; `lower` holds the tokens' lower-case forms.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) list: Vec<Token>,
    pub(crate) sentences: Vec<Sentence>,
    pub(crate) lower: String,
    pub(crate) exclamations: u32,
}

impl Tokens {
    pub(crate) fn split(text: &str, lexicon: &Lexicon) -> Self {
        let tokens = Self {
            list: Vec::with_capacity(text.len().min(2048) / 5 + 1),
            sentences: Vec::with_capacity(4),
            ..Self::default()
        };
        if text.is_ascii() {
            tokens.split_ascii(text, lexicon)
        } else {
            tokens.split_any(text, lexicon)
        }
    }

    /// [`Self::split_any`] of plain text, as nearly every message is: the lower-case copy is made in one go.
    fn split_ascii(mut self, text: &str, lexicon: &Lexicon) -> Self {
        let mut open = Open::default();
        let bytes = text.as_bytes();
        let lower = text.to_ascii_lowercase();
        let folded = lower.as_bytes();
        let joins = |at: usize| bytes.get(at).is_some_and(|&byte| is_word(byte));
        let mut place = 0;
        while let Some(&byte) = bytes.get(place) {
            let at = place;
            if !is_word(byte) {
                place += 1;
                // "3.5", "10:30", "e.g": neither a clause nor a sentence ends here for good.
                let inside = matches!(byte, b'.' | b',' | b':') && joins(place) && at > 0 && joins(at - 1);
                if byte != b' ' && !inside {
                    self.mark(&mut open, at, char::from(byte));
                }
                if self.list.len() >= MAX_TOKENS {
                    break;
                }
                continue;
            }
            let mut hash = Fnv::new();
            while joins(place)
                || (bytes.get(place) == Some(&b'\'')
                    && joins(place + 1)
                    && !lexicon.elides(&lower[at..place]))
            {
                hash.feed(folded[place]);
                place += 1;
            }
            open.sentence.get_or_insert(at);
            self.push(
                &mut open,
                at,
                (at, place),
                byte.is_ascii_uppercase(),
                hash.finish(),
            );
        }
        self.end_sentence(&mut open, text.len());
        self.lower = lower;
        self
    }

    fn split_any(mut self, text: &str, lexicon: &Lexicon) -> Self {
        self.lower.reserve(text.len().min(8192));
        let tokens = &mut self;
        let mut open = Open::default();
        let mut rest = text.char_indices().peekable();
        while let Some((at, c)) = rest.next() {
            let joins = rest.peek().is_some_and(|(_, next)| next.is_alphanumeric());
            if is_unspaced(c) {
                tokens.close(&mut open);
                let run = text[at..].split(|c| !is_unspaced(c)).next().unwrap_or("");
                tokens.part(&mut open, at, run, lexicon);
                while rest.next_if(|(next, _)| *next < at + run.len()).is_some() {}
                continue;
            }
            if c.is_alphanumeric() {
                tokens.extend(&mut open, at, c);
                continue;
            }
            if is_joiner(c) && open.word.is_some() {
                tokens.lower.push(c);
                continue;
            }
            if matches!(c, '\'' | '\u{2019}')
                && joins
                && open
                    .word
                    .is_some_and(|(_, from, _)| !lexicon.elides(&tokens.lower[from..]))
            {
                tokens.lower.push('\'');
                continue;
            }
            let inside = matches!(c, '.' | ',' | ':') && open.word.is_some() && joins;
            tokens.close(&mut open);
            if !inside {
                tokens.mark(&mut open, at, c);
            }
            if tokens.list.len() >= MAX_TOKENS {
                break;
            }
        }
        tokens.close(&mut open);
        tokens.end_sentence(&mut open, text.len());
        self
    }

    fn extend(&mut self, open: &mut Open, at: usize, c: char) {
        if open.word.is_none() {
            open.word = Some((at, self.lower.len(), c.is_uppercase()));
            open.sentence.get_or_insert(at);
        }
        if c.is_ascii() {
            self.lower.push(c.to_ascii_lowercase());
        } else {
            self.lower.extend(c.to_lowercase());
        }
    }

    fn close(&mut self, open: &mut Open) {
        if let Some((start, from, capital)) = open.word.take() {
            let surface = hash64(&self.lower.as_bytes()[from..]);
            self.push(open, start, (from, self.lower.len()), capital, surface);
        }
    }

    /// Words of a script without blanks: the longest known ones, and what lies between them where the kind of
    /// letter changes.
    fn part(&mut self, open: &mut Open, start: usize, run: &str, lexicon: &Lexicon) {
        open.sentence.get_or_insert(start);
        let places: Vec<usize> = run.char_indices().map(|(at, _)| at).chain([run.len()]).collect();
        let (mut place, mut unknown) = (0, 0);
        while place + 1 < places.len() {
            let longest = (place + 1..places.len().min(place + 1 + MAX_KNOWN)).rev();
            let known = longest
                .into_iter()
                .find(|&end| lexicon.knows(&run[places[place]..places[end]]));
            let kind = |at: usize| run[places[at]..].chars().next().map(Kind::of);
            if known.is_some() || kind(place) != kind(unknown) {
                self.piece(
                    open,
                    start,
                    run,
                    (places[unknown], places[place]),
                    known.is_none(),
                );
                unknown = place;
            }
            if let Some(end) = known {
                self.piece(open, start, run, (places[place], places[end]), false);
                unknown = end;
            }
            place = known.unwrap_or(place + 1);
        }
        self.piece(
            open,
            start,
            run,
            (places[unknown.min(places.len() - 1)], run.len()),
            false,
        );
    }

    /// One word of a run; `inflected`: letters of another kind go on with it.
    fn piece(
        &mut self,
        open: &mut Open,
        start: usize,
        run: &str,
        (from, until): (usize, usize),
        inflected: bool,
    ) {
        let word = &run[from..until];
        let Some(first) = word.chars().next() else { return };
        let lower = self.lower.len();
        self.lower.push_str(word);
        self.push(
            open,
            start + from,
            (lower, self.lower.len()),
            false,
            hash64(word.as_bytes()),
        );
        if let Some(token) = self.list.last_mut() {
            // Kana alone are grammar, and what they go on with is a verb; a long stretch is no single word.
            token.quality = Kind::of(first) == Kind::Hiragana || inflected || word.chars().count() > MAX_NOUN;
        }
    }

    fn push(&mut self, open: &mut Open, start: usize, lower: (usize, usize), capital: bool, surface: u64) {
        self.list.push(Token {
            surface,
            stem: surface,
            start: start as u32,
            lower: (lower.0 as u32, lower.1 as u32),
            exact: None,
            cues: None,
            sentence: self.sentences.len().min(usize::from(u16::MAX)) as u16,
            clause_start: !open.in_clause,
            capital,
            symbol: false,
            negated: false,
            undone: false,
            stop: false,
            common: false,
            quality: false,
            aside: open.aside,
        });
        open.in_clause = true;
    }

    fn mark(&mut self, open: &mut Open, at: usize, c: char) {
        if matches!(c, '!' | '\u{ff01}') {
            self.exclamations += 1;
        }
        match c {
            '[' | ']' => {
                self.end_sentence(open, at);
                open.aside = c == '[';
            }
            '.' | '!' | '?' | '\n' | '\u{2026}' | '\u{3002}' | '\u{ff01}' | '\u{ff1f}' | '\u{61f}'
            | '\u{964}' => {
                open.question |= matches!(c, '?' | '\u{ff1f}' | '\u{61f}');
                self.end_sentence(open, at + c.len_utf8());
            }
            ',' | ';' | ':' | '(' | ')' | '"' | '\u{2013}' | '\u{2014}' | '\u{a1}' | '\u{bf}'
            | '\u{3001}' | '\u{ff0c}' | '\u{60c}' => open.in_clause = false,
            _ if is_pictograph(c) => {
                let from = self.lower.len();
                self.lower.push(c);
                open.sentence.get_or_insert(at);
                let surface = hash64(&self.lower.as_bytes()[from..]);
                self.push(open, at, (from, self.lower.len()), false, surface);
                if let Some(token) = self.list.last_mut() {
                    token.symbol = true;
                }
            }
            _ => {}
        }
    }

    fn end_sentence(&mut self, open: &mut Open, end: usize) {
        open.in_clause = false;
        let question = std::mem::take(&mut open.question);
        if let Some(start) = open.sentence.take() {
            self.sentences.push(Sentence {
                start: start as u32,
                end: end as u32,
                question,
                ..Sentence::default()
            });
        } else if let Some(last) = self.sentences.last_mut() {
            // A second mark ("?!", "...") belongs to the sentence before.
            last.question |= question;
        }
    }
}

/// What has begun and not ended at a place of the text.
#[derive(Debug, Default)]
struct Open {
    word: Option<(usize, usize, bool)>,
    sentence: Option<usize>,
    in_clause: bool,
    question: bool,
    aside: bool,
}

/// Letters and digits of plain text.
fn is_word(byte: u8) -> bool {
    const WORD: [bool; 256] = {
        let mut word = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            word[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        word
    };
    WORD[usize::from(byte)]
}

/// Letters of a known word in a script without blanks, at most.
const MAX_KNOWN: usize = 12;
/// Letters of a noun there, at most.
const MAX_NOUN: usize = 6;

/// The kinds of letters that part words where there are no blanks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Hiragana,
    Katakana,
    Thai,
    Other,
}

impl Kind {
    fn of(c: char) -> Self {
        match u32::from(c) {
            0x3041..=0x309f => Self::Hiragana,
            0x30a0..=0x30ff => Self::Katakana,
            0xe00..=0xe7f => Self::Thai,
            _ => Self::Other,
        }
    }
}

/// Chinese characters, kana and Thai.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0xe01..=0xe3a | 0xe40..=0xe59 | 0x3005..=0x3007 | 0x3041..=0x30fa | 0x30fc..=0x30ff
        | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3134f)
}

/// Marks inside words of Devanagari and combining accents.
fn is_joiner(c: char) -> bool {
    matches!(u32::from(c), 0x300..=0x36f | 0x93c | 0x94d | 0x200d)
}

fn is_pictograph(c: char) -> bool {
    matches!(u32::from(c), 0x203c..=0x3000 | 0x1f000..=0x1fbff) && !c.is_whitespace()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_text_is_split_as_any_text(text in "[ -~\\n]{0,60}|([a-c'.,: ]{0,12}[?!A-C]){0,9}|(a\\. ){1020,1030}[.b? ]{0,9}") {
            let english = Lexicon::english();
            let (plain, any) = (Tokens::default().split_ascii(&text, &english), Tokens::default().split_any(&text, &english));
            let parts = |tokens: &Tokens| -> Vec<_> {
                let word = |token: &Token| tokens.lower[token.lower.0 as usize..token.lower.1 as usize].to_owned();
                let list = tokens.list.iter();
                list.map(|t| (t.surface, t.start, t.sentence, t.clause_start, t.capital, t.aside, word(t))).collect()
            };
            prop_assert_eq!(parts(&plain), parts(&any));
            prop_assert_eq!(format!("{:?}", plain.sentences), format!("{:?}", any.sentences));
            prop_assert_eq!(plain.exclamations, any.exclamations);
        }
    }
}
