//! What a text is described by: hashed words, their neighbours, and n-grams of characters. Part of the weights'
//! format: it must never change without the format version.

use super::{
    fold::{Folded, Kind, fold},
    negators::Negators,
};

/// The features of one text, sentence by sentence.
///
/// A feature is the number of a row: two features with one hash share it.
#[derive(Debug, Clone, Default)]
pub struct Features {
    words: Vec<u32>,
    grams: Vec<u32>,
    sentences: Vec<Sentence>,
    /// The text in folded letters, with one space between words and at both ends.
    folded: String,
    /// Where in the text each byte of it comes from.
    places: Vec<u32>,
    scripts: Scripts,
    word: Word,
    signs: Vec<char>,
    negators: Negators,
    rows: Rows,
}

/// How many rows there are for each kind of feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    /// Rows of words, signs, neighbours and whole-text features.
    pub words: u32,
    /// Rows of n-grams.
    pub grams: u32,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            words: 98_304,
            grams: 106_496,
        }
    }
}

/// Where a sentence ends: in the text, and in both kinds of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sentence {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) words: u32,
    pub(crate) grams: u32,
}

/// How many letters of each script a text has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Scripts {
    pub(crate) latin: u32,
    pub(crate) cyrillic: u32,
    pub(crate) arabic: u32,
    pub(crate) devanagari: u32,
    pub(crate) han: u32,
    pub(crate) kana: u32,
    pub(crate) hangul: u32,
    pub(crate) thai: u32,
    pub(crate) other: u32,
    /// Cyrillic letters that Russian does not have.
    pub(crate) foreign_cyrillic: u32,
    /// Arabic letters that Arabic does not have.
    pub(crate) foreign_arabic: u32,
    /// Words of letters, whatever the script.
    pub(crate) words: u32,
}

/// The word that is being read.
#[derive(Debug, Clone)]
struct Word {
    letters: [char; LONGEST_WORD],
    len: usize,
    kind: Kind,
    /// Hash of the letters with their accents; of use when one has any.
    exact: u64,
    is_accented: bool,
    /// How often its last letter came in a row.
    run: usize,
    is_lengthened: bool,
    capitals: usize,
    is_hashtag: bool,
    before: u64,
    /// How many more words a negation reaches.
    negated: u32,
}

impl Default for Word {
    fn default() -> Self {
        Self {
            letters: [' '; LONGEST_WORD],
            len: 0,
            kind: Kind::Space,
            exact: 0,
            is_accented: false,
            run: 0,
            is_lengthened: false,
            capitals: 0,
            is_hashtag: false,
            before: 0,
            negated: 0,
        }
    }
}

impl Word {
    /// A number alone says nothing: what it counts does.
    #[inline]
    fn is_number(&self) -> bool {
        self.letters[..self.len].iter().all(|&c| c == '0')
    }
}

const LONGEST_WORD: usize = 24;
/// Signs in a row that make one token.
const LONGEST_SIGN: usize = 4;
/// How many words after a negation are negated.
const NEGATION_REACH: u32 = 3;

const BOUNDARY: u64 = 0x3C3C;
const START: u64 = 0x57A2;
const LINK: u64 = 0x11F0;
const NEGATED: u64 = 0x4E07;
const EXACT: u64 = 0xACCE;
const SHORTENED: u64 = 0x50F7;
const SHAPE: u64 = 0x5AAE;

impl Features {
    /// Features for tables of `rows`.
    pub fn new(rows: Rows) -> Self {
        Self {
            rows,
            ..Self::default()
        }
    }

    /// Rows of words, signs, neighbours and whole-text features of the text last read; one may come again.
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// Rows of n-grams of the text last read; one may come again.
    pub fn grams(&self) -> &[u32] {
        &self.grams
    }

    pub(crate) fn sentences(&self) -> &[Sentence] {
        &self.sentences
    }

    /// The text in folded letters without signs and apostrophes, one space between words and at both ends.
    pub(crate) fn folded(&self) -> &str {
        &self.folded
    }

    /// The stretch of `text`, the one last read, that `range` of its folded form comes from.
    pub(crate) fn span(&self, range: std::ops::Range<usize>, text: &str) -> std::ops::Range<u32> {
        let range = range.start..range.end.min(self.folded.len());
        let inside = &self.folded[range.clone()];
        let start = range.start + (inside.len() - inside.trim_start().len());
        let last = range.start + inside.trim_end().len();
        let place = |at: usize| self.places.get(at).copied().unwrap_or(0) as usize;
        let (start, last) = (place(start), place(last.saturating_sub(1)));
        let end = last + text[last..].chars().next().map_or(0, char::len_utf8);
        start as u32..(end as u32).max(start as u32)
    }

    pub(crate) fn scripts(&self) -> &Scripts {
        &self.scripts
    }

    /// Replaces the features by those of `text`.
    pub fn read(&mut self, text: &str) {
        self.words.clear();
        self.grams.clear();
        self.sentences.clear();
        self.folded.clear();
        self.places.clear();
        self.add_space(0);
        self.signs.clear();
        self.scripts = Scripts::default();
        self.word = Word {
            before: START,
            ..Word::default()
        };
        let mut shape = Shape::default();
        let mut sentence_start = 0;
        let mut skip_to = 0;
        let mut last = ' ';
        for (at, c) in text.char_indices() {
            if at < skip_to {
                continue;
            }
            let mut folded = fold(c);
            if folded.kind == Kind::Nothing {
                continue;
            }
            if c == '*' && self.word.len > 0 && self.signs.is_empty() {
                // A masked letter.
                folded.kind = Kind::Letter;
            }
            match folded.kind {
                Kind::Space => {
                    self.add_space(at);
                    self.end_word();
                    self.end_signs();
                    if c == '\n' {
                        self.end_sentence(&mut sentence_start, at);
                    }
                }
                Kind::Sign => {
                    self.add_space(at);
                    self.end_word();
                    shape.sign(c);
                    self.sign(folded.c);
                }
                kind => {
                    if self.word.len == 0 || self.word.kind != kind {
                        self.end_word();
                        if let Some(end) = link_end(text, at) {
                            self.end_signs();
                            self.words.push(self.rows.word(LINK));
                            shape.links += 1;
                            skip_to = end;
                            continue;
                        }
                        if self.is_mouth(c, text, at) {
                            self.signs.push(c);
                            self.end_signs();
                            continue;
                        }
                        let is_hashtag = self.signs.last() == Some(&'#');
                        if ends_sentence(last) && (last != '.' || !folded.c.is_ascii_digit()) {
                            self.end_signs();
                            self.end_sentence(&mut sentence_start, at);
                        }
                        self.end_signs();
                        self.word.kind = kind;
                        self.word.is_hashtag = is_hashtag;
                    }
                    self.scripts.count(c);
                    self.letter(c, folded, at);
                }
            }
            if folded.kind != Kind::Space {
                last = c;
            }
        }
        self.end_word();
        self.end_signs();
        self.add_space(text.len().saturating_sub(1));
        shape.ends_with_question = matches!(last, '?' | '\u{FF1F}' | '\u{61F}');
        self.add_shape(&shape);
        self.end_sentence(&mut sentence_start, text.len());
    }

    /// Ends a word of the folded text.
    #[inline]
    fn add_space(&mut self, at: usize) {
        if !self.folded.ends_with(' ') {
            self.folded.push(' ');
            self.places.push(at as u32);
        }
    }

    #[inline]
    fn letter(&mut self, c: char, folded: Folded, at: usize) {
        let word = &mut self.word;
        if word.len > 0 && word.letters[word.len - 1] == folded.c {
            word.run += 1;
            if word.run > 2 {
                word.is_lengthened = true;
                return;
            }
        } else {
            word.run = 1;
        }
        if folded.c != '\'' {
            self.folded.push(folded.c);
            self.places.resize(self.folded.len(), at as u32);
        }
        // "#LongDayToday" is three words.
        let word = &self.word;
        if word.is_hashtag && c.is_uppercase() && word.len > 0 && word.capitals < word.len {
            self.end_word();
            self.word.is_hashtag = true;
        }
        let word = &mut self.word;
        word.kind = if folded.kind == Kind::Sign {
            word.kind
        } else {
            folded.kind
        };
        word.capitals += usize::from(c.is_uppercase());
        word.is_accented |= folded.is_accented;
        word.exact = mix(
            word.exact,
            u64::from(u32::from(if folded.is_accented { c } else { folded.c })),
        );
        if word.len < LONGEST_WORD {
            word.letters[word.len] = folded.c;
            word.len += 1;
        } else if word.kind == Kind::Dense {
            self.end_word();
            let word = &mut self.word;
            word.kind = Kind::Dense;
            word.letters[0] = folded.c;
            word.len = 1;
        }
    }

    /// Adds what the word that ends here says.
    fn end_word(&mut self) {
        let len = self.word.len;
        if len == 0 {
            return;
        }
        self.scripts.words += 1;
        match self.word.kind {
            Kind::Dense => self.dense_grams(),
            Kind::Hangul => {
                self.whole_word();
                self.marked_grams(1, 3);
            }
            _ => {
                self.whole_word();
                if len > 2 && !self.word.is_number() {
                    self.marked_grams(3, 5);
                }
            }
        }
        let word = &mut self.word;
        word.len = 0;
        word.exact = 0;
        word.is_accented = false;
        word.is_lengthened = false;
        word.is_hashtag = false;
        word.run = 0;
        word.capitals = 0;
    }

    fn whole_word(&mut self) {
        let word = &self.word;
        let letters = &word.letters[..word.len];
        let hash = letters
            .iter()
            .fold(0, |hash, &c| mix(hash, u64::from(u32::from(c))));
        let rows = self.rows;
        if !word.is_number() {
            self.words.push(rows.word(hash));
        }
        self.words.push(rows.word(mix(word.before, hash)));
        if word.is_accented {
            self.words.push(rows.word(mix(EXACT, word.exact)));
        }
        if word.is_lengthened {
            let mut shortened = 0;
            let mut before = ' ';
            for &c in letters {
                if c != before {
                    shortened = mix(shortened, u64::from(u32::from(c)));
                }
                before = c;
            }
            self.words.push(rows.word(shortened));
            self.words.push(rows.word(SHORTENED));
        }
        let is_negated = word.negated > 0;
        if is_negated {
            self.words.push(rows.word(mix(NEGATED, hash)));
        }
        let negates = self.negators.contain(hash);
        let word = &mut self.word;
        word.negated = if negates {
            NEGATION_REACH
        } else {
            word.negated.saturating_sub(1)
        };
        word.before = hash;
    }

    /// The n-grams of `shortest..=longest` characters of the word with its ends marked, the whole of it excepted.
    fn marked_grams(&mut self, shortest: usize, longest: usize) {
        let word = &self.word;
        let mut marked = [BOUNDARY; LONGEST_WORD + 2];
        for (to, &c) in marked[1..].iter_mut().zip(&word.letters[..word.len]) {
            *to = u64::from(u32::from(c));
        }
        let marked = &marked[..word.len + 2];
        for start in 0..marked.len() {
            let mut hash = 0;
            for (len, &c) in (1..=longest).zip(&marked[start..]) {
                hash = mix(hash, c);
                if len >= shortest && len < marked.len() && (len > 1 || c != BOUNDARY) {
                    self.grams.push(self.rows.gram(hash));
                }
            }
        }
    }

    /// The n-grams of a run without spaces.
    fn dense_grams(&mut self) {
        let word = &self.word;
        let letters = &word.letters[..word.len];
        let is_thai = matches!(letters.first(), Some('\u{E00}'..='\u{E7F}'));
        let (shortest, longest) = if is_thai { (2, 6) } else { (1, 4) };
        for start in 0..letters.len() {
            let mut hash = 1;
            for (len, &c) in (1..=longest).zip(&letters[start..]) {
                hash = mix(hash, u64::from(u32::from(c)));
                if len >= shortest {
                    self.grams.push(self.rows.gram(hash));
                }
            }
        }
    }

    fn sign(&mut self, c: char) {
        if !c.is_ascii() {
            self.end_signs();
            self.words.push(self.rows.word(mix(1, u64::from(u32::from(c)))));
            return;
        }
        if self.signs.len() == LONGEST_SIGN {
            if self.signs.iter().all(|&sign| sign == c) {
                return;
            }
            self.end_signs();
        }
        self.signs.push(c);
    }

    fn end_signs(&mut self) {
        if self.signs.is_empty() {
            return;
        }
        let hash = self
            .signs
            .iter()
            .fold(2, |hash, &c| mix(hash, u64::from(u32::from(c))));
        self.words.push(self.rows.word(hash));
        if self
            .signs
            .iter()
            .any(|&c| matches!(c, '.' | '!' | '?' | ';' | ','))
        {
            self.word.negated = 0;
        }
        self.signs.clear();
    }

    /// Whether `c` ends an emoticon such as ":D" or "<3".
    fn is_mouth(&self, c: char, text: &str, at: usize) -> bool {
        let ([.., eyes, '-'] | [.., eyes]) = *self.signs.as_slice() else {
            return false;
        };
        let fits = match eyes {
            ':' | ';' | '=' => matches!(
                c,
                'D' | 'd' | 'P' | 'p' | 'o' | 'O' | 'c' | 'C' | 's' | 'S' | '3' | 'x' | 'X'
            ),
            '<' => c == '3',
            _ => false,
        };
        fits && text[at + 1..]
            .chars()
            .next()
            .is_none_or(|next| fold(next).kind != Kind::Letter)
    }

    fn end_sentence(&mut self, start: &mut usize, end: usize) {
        let before = self
            .sentences
            .last()
            .map_or((0, 0), |last| (last.words, last.grams));
        let now = (self.words.len() as u32, self.grams.len() as u32);
        if now != before {
            self.sentences.push(Sentence {
                start: *start as u32,
                end: end as u32,
                words: now.0,
                grams: now.1,
            });
            *start = end;
            self.word.before = START;
            self.word.negated = 0;
        }
    }

    fn add_shape(&mut self, shape: &Shape) {
        let words = self.scripts.words;
        let mut add = |name: u64, value: u32| {
            self.words
                .push(self.rows.word(mix(mix(SHAPE, name), u64::from(value))));
        };
        add(1, (words + 1).ilog2());
        if shape.ends_with_question {
            add(2, 1);
        }
        if shape.code > 1 {
            add(3, (8 * shape.code / (words + 1)).min(8));
        }
        if shape.exclamations > 0 {
            add(4, shape.exclamations.min(3));
        }
        if shape.links > 0 {
            add(5, 1);
        }
    }
}

impl Rows {
    #[inline]
    fn word(self, hash: u64) -> u32 {
        reduce(finish(hash), self.words)
    }

    #[inline]
    fn gram(self, hash: u64) -> u32 {
        reduce(finish(hash), self.grams)
    }
}

impl Scripts {
    #[inline]
    fn count(&mut self, c: char) {
        let count = match c {
            'a'..='z' | 'A'..='Z' | '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' => &mut self.latin,
            '0'..='9' | '\'' | '*' => return,
            '\u{400}'..='\u{4FF}' => {
                self.foreign_cyrillic +=
                    u32::from(!matches!(c, '\u{410}'..='\u{44F}' | '\u{401}' | '\u{451}'));
                &mut self.cyrillic
            }
            '\u{600}'..='\u{6FF}' => {
                let is_foreign = matches!(c, '\u{679}'..='\u{6A3}' | '\u{6A5}'..='\u{6BF}' | '\u{6C1}'..='\u{6CB}' | '\u{6D2}');
                self.foreign_arabic += u32::from(is_foreign);
                &mut self.arabic
            }
            '\u{900}'..='\u{97F}' => &mut self.devanagari,
            '\u{E00}'..='\u{E7F}' => &mut self.thai,
            '\u{1100}'..='\u{11FF}' | '\u{3131}'..='\u{318E}' | '\u{AC00}'..='\u{D7A3}' => &mut self.hangul,
            '\u{3041}'..='\u{30FF}' => &mut self.kana,
            '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{3005}' => &mut self.han,
            _ => &mut self.other,
        };
        *count += 1;
    }
}

/// What is seen of a text as a whole.
#[derive(Default)]
struct Shape {
    ends_with_question: bool,
    code: u32,
    exclamations: u32,
    links: u32,
}

impl Shape {
    fn sign(&mut self, c: char) {
        match c {
            '{' | '}' | '[' | ']' | '<' | '>' | '=' | '_' | '/' | '\\' | '|' | '`' | '$' | '%' | '&'
            | '@' | ';' | '(' | ')' | ':' => self.code += 1,
            '!' | '\u{FF01}' => self.exclamations += 1,
            _ => {}
        }
    }
}

fn ends_sentence(c: char) -> bool {
    matches!(
        c,
        '.' | '!' | '?' | '\u{2026}' | '\u{3002}' | '\u{FF01}' | '\u{FF1F}' | '\u{61F}' | '\u{964}'
    )
}

/// Where the link that starts at `at` ends, if one does.
fn link_end(text: &str, at: usize) -> Option<usize> {
    let rest = &text.as_bytes()[at..];
    let is_link = matches!(rest[0], b'h' | b'w' | b'H' | b'W')
        && (starts(rest, b"http://") || starts(rest, b"https://") || starts(rest, b"www."));
    is_link.then(|| {
        let len = rest.iter().position(u8::is_ascii_whitespace);
        at + len.unwrap_or(rest.len())
    })
}

fn starts(text: &[u8], with: &[u8]) -> bool {
    text.get(..with.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(with))
}

#[inline]
pub(super) fn mix(hash: u64, value: u64) -> u64 {
    (hash.rotate_left(5) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Spreads what the last values did to all bits.
#[inline]
fn finish(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    hash ^ (hash >> 32)
}

#[inline]
fn reduce(hash: u64, rows: u32) -> u32 {
    (((hash >> 32) * u64::from(rows)) >> 32) as u32
}
