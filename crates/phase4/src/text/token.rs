//! Words, symbols, clauses and sentences of a text, in one pass over its characters.

use super::hash64;

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
    pub(crate) sentence: u16,
    pub(crate) clause_start: bool,
    pub(crate) capital: bool,
    pub(crate) symbol: bool,
    pub(crate) negated: bool,
    pub(crate) stop: bool,
    pub(crate) common: bool,
    /// Its very form is in the lexicon; filled in by the scan.
    pub(crate) exact: bool,
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

/// The parts of a text; `lower` holds the tokens' lower-case forms back to back.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) list: Vec<Token>,
    pub(crate) sentences: Vec<Sentence>,
    pub(crate) lower: String,
    pub(crate) exclamations: u32,
}

impl Tokens {
    pub(crate) fn split(text: &str) -> Self {
        let mut tokens = Self {
            list: Vec::with_capacity(text.len().min(2048) / 5 + 1),
            sentences: Vec::with_capacity(4),
            lower: String::with_capacity(text.len().min(8192)),
            ..Self::default()
        };
        let mut open = Open::default();
        let bytes = text.as_bytes();
        let mut place = 0;
        while let Some(&byte) = bytes.get(place) {
            let at = place;
            if byte.is_ascii_alphanumeric() {
                // Most of any text: a run of plain letters, taken as a whole.
                let run = bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric());
                place += run.count();
                tokens.begin(&mut open, at, byte.is_ascii_uppercase());
                let from = tokens.lower.len();
                tokens.lower.push_str(&text[at..place]);
                tokens.lower[from..].make_ascii_lowercase();
                continue;
            }
            let mut rest = text[at..].chars();
            let Some(c) = rest.next() else { break };
            place += c.len_utf8();
            let next = rest.next();
            let joins = |next: Option<char>| next.is_some_and(char::is_alphanumeric);
            if c.is_alphanumeric() {
                tokens.extend(&mut open, at, c);
            } else if matches!(c, '\'' | '\u{2019}') && open.word.is_some() && joins(next) {
                tokens.lower.push('\'');
            } else if matches!(c, '.' | ',' | ':') && open.word.is_some() && joins(next) {
                // "3.5", "10:30", "e.g": neither a word nor a clause ends here for good.
                tokens.close(&mut open);
            } else {
                tokens.close(&mut open);
                tokens.mark(&mut open, at, c);
            }
            if tokens.list.len() >= MAX_TOKENS {
                break;
            }
        }
        tokens.close(&mut open);
        tokens.end_sentence(&mut open, text.len());
        tokens
    }

    fn extend(&mut self, open: &mut Open, at: usize, c: char) {
        self.begin(open, at, c.is_uppercase());
        self.lower.extend(c.to_lowercase());
    }

    fn begin(&mut self, open: &mut Open, at: usize, capital: bool) {
        if open.word.is_none() {
            open.word = Some((at, self.lower.len(), capital));
            open.sentence.get_or_insert(at);
        }
    }

    fn close(&mut self, open: &mut Open) {
        if let Some((start, lower, capital)) = open.word.take() {
            self.push(open, start, lower, capital);
        }
    }

    fn push(&mut self, open: &mut Open, start: usize, lower: usize, capital: bool) {
        let surface = hash64(&self.lower.as_bytes()[lower..]);
        self.list.push(Token {
            surface,
            stem: surface,
            start: start as u32,
            lower: (lower as u32, self.lower.len() as u32),
            sentence: self.sentences.len().min(usize::from(u16::MAX)) as u16,
            clause_start: !open.in_clause,
            capital,
            symbol: false,
            negated: false,
            stop: false,
            common: false,
            exact: false,
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
            '.' | '!' | '?' | '\n' | '\u{2026}' | '\u{3002}' | '\u{ff01}' | '\u{ff1f}' => {
                open.question |= matches!(c, '?' | '\u{ff1f}');
                self.end_sentence(open, at + c.len_utf8());
            }
            ',' | ';' | ':' | '(' | ')' | '"' | '\u{2013}' | '\u{2014}' => open.in_clause = false,
            _ if is_pictograph(c) => {
                let lower = self.lower.len();
                self.lower.push(c);
                open.sentence.get_or_insert(at);
                self.push(open, at, lower, false);
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

fn is_pictograph(c: char) -> bool {
    matches!(u32::from(c), 0x203c..=0x3000 | 0x1f000..=0x1fbff) && !c.is_whitespace()
}
