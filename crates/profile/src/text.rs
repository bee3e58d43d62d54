//! Words and sentences of a message, folded so that case, accents and width do not matter.
//!
//! Chinese, Japanese, Korean and Thai letters are one token each, so that one matcher serves scripts with
//! and without spaces.

/// How a language writes its clitics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Apostrophe {
    /// `I'm` is `i` + `'m`, `don't` is `do` + `n't`.
    English,
    /// `j'habite` is `j'` + `habite`.
    Elision,
}

/// One word, number, wide letter or sign.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    /// Byte range in the message.
    pub start: u32,
    pub end: u32,
    folded: (u32, u32),
    /// The word's number in the grammar; 0 is a word that no rule names.
    pub word: u32,
    pub kind: Kind,
    pub capital: bool,
    pub spaced: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    /// A letter of a script without spaces.
    Wide,
    /// Holds a digit.
    Number,
    Email,
    /// A comma and the like, within a sentence.
    Sign,
    /// Ends a sentence.
    Stop,
    /// Ends a question.
    Question,
    /// Text that is not the person's own: quoted, bracketed, a link.
    Foreign,
}

impl Token {
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Wide | Kind::Number | Kind::Email)
    }
}

/// A message cut into tokens.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub all: Vec<Token>,
    folded: String,
    /// No word begins with a capital, `I` apart: case says nothing about names.
    pub caseless: bool,
}

impl Tokens {
    /// Cuts `text`; only the first [`MAX_BYTES`] bytes and [`MAX_TOKENS`] tokens are read.
    pub(crate) fn new(text: &str, apostrophe: Apostrophe, word: impl Fn(&str) -> u32) -> Self {
        let mut cut = Cutter {
            text,
            apostrophe,
            out: Self::default(),
        };
        let end = floor(text, MAX_BYTES);
        cut.run(end);
        let mut tokens = cut.out;
        for at in 0..tokens.all.len() {
            let token = tokens.all[at];
            tokens.all[at].word = word(tokens.folded(&token));
        }
        tokens.hide_foreign(text);
        tokens.caseless = tokens.is_caseless(text);
        tokens
    }

    pub(crate) fn folded(&self, token: &Token) -> &str {
        &self.folded[token.folded.0 as usize..token.folded.1 as usize]
    }

    /// The token ranges of the sentences, without their last sign, and whether each is a question.
    pub(crate) fn sentences(&self) -> Vec<(std::ops::Range<usize>, bool)> {
        let mut sentences = Vec::new();
        let mut from = 0;
        for (at, token) in self.all.iter().enumerate() {
            if matches!(token.kind, Kind::Stop | Kind::Question) {
                if at > from {
                    sentences.push((from..at, token.kind == Kind::Question));
                }
                from = at + 1;
            }
        }
        if self.all.len() > from {
            sentences.push((from..self.all.len(), false));
        }
        sentences
    }

    fn is_caseless(&self, text: &str) -> bool {
        let lone = |token: &Token| {
            text[token.start as usize..token.end as usize]
                .chars()
                .nth(1)
                .is_none()
        };
        let clitic = |token: &Token| self.folded(token).starts_with('i') && lone(token);
        !self
            .all
            .iter()
            .any(|token| token.kind == Kind::Word && token.capital && !clitic(token))
    }

    /// Marks what stands in quotation marks or square brackets, unless it is a name of one or two words.
    fn hide_foreign(&mut self, text: &str) {
        let mut at = 0;
        while at < self.all.len() {
            let Some(close) = self.closing(at, text) else {
                at += 1;
                continue;
            };
            let far = (at + 1..self.all.len().min(at + 120)).find(|&i| self.sign(i, text) == Some(close));
            let Some(end) = far else {
                at += 1;
                continue;
            };
            let inner = self.all[at + 1..end].iter();
            let short = inner.clone().filter(|t| t.is_text()).count() <= 2
                && inner.clone().all(|t| t.is_text() && t.kind != Kind::Wide);
            let wide_name = close != ']' && end - at <= 7 && inner.clone().all(|t| t.kind == Kind::Wide);
            if close == ']' || !(short || wide_name) {
                for token in &mut self.all[at..=end] {
                    token.kind = Kind::Foreign;
                    token.word = 0;
                }
            }
            at = end + 1;
        }
    }

    fn sign(&self, at: usize, text: &str) -> Option<char> {
        let token = &self.all[at];
        (token.kind == Kind::Sign).then(|| text[token.start as usize..].chars().next())?
    }

    fn closing(&self, at: usize, text: &str) -> Option<char> {
        Some(match self.sign(at, text)? {
            '"' => '"',
            '“' | '„' if text.contains('”') => '”',
            '„' => '“',
            '«' => '»',
            '「' => '」',
            '『' => '』',
            '[' => ']',
            '\'' | '‘' if self.all[at].spaced || at == 0 => {
                if text.contains('’') && text.contains('‘') {
                    '’'
                } else {
                    '\''
                }
            }
            _ => return None,
        })
    }
}

struct Cutter<'a> {
    text: &'a str,
    apostrophe: Apostrophe,
    out: Tokens,
}

impl Cutter<'_> {
    fn run(&mut self, end: usize) {
        let text = &self.text[..end];
        let mut at = 0;
        let mut spaced = true;
        while let Some(c) = text[at..].chars().next() {
            if self.out.all.len() >= MAX_TOKENS {
                return;
            }
            if c == '\n' {
                self.push(at, at + 1, Kind::Stop, spaced);
            }
            if c.is_whitespace() {
                at += c.len_utf8();
                spaced = true;
                continue;
            }
            let next = if let Some(len) = link_len(&text[at..], spaced) {
                self.push(at, at + len.bytes, len.kind, spaced);
                at + len.bytes
            } else if is_wide(c) {
                self.push(at, at + c.len_utf8(), Kind::Wide, spaced);
                at + c.len_utf8()
            } else if is_letter(c) {
                self.word(text, at, spaced)
            } else {
                self.push(at, at + c.len_utf8(), self.sign_kind(text, at, c), spaced);
                at + c.len_utf8()
            };
            at = next;
            spaced = false;
        }
    }

    /// A full stop ends a sentence unless it stands after a title or an initial.
    fn sign_kind(&self, text: &str, at: usize, c: char) -> Kind {
        match c {
            '?' | '？' | '؟' => Kind::Question,
            '!' | '！' | '…' | ';' | '；' | '。' | '।' | '¡' | '¿' => Kind::Stop,
            '.' => {
                let before = self.out.all.last().filter(|t| t.end as usize == at);
                // `3. Oktober`, in languages that write ordinals so.
                let ordinal = self.apostrophe == Apostrophe::Elision
                    && before.is_some_and(|t| t.kind == Kind::Number && t.end - t.start <= 2)
                    && text[at + 1..].trim_start().starts_with(char::is_alphabetic);
                let title = ordinal
                    || before.is_some_and(|t| {
                        let word = self.out.folded(t);
                        TITLES.contains(&word) || (t.capital && word.len() == 1 && word != "i")
                    });
                if title && text[at + 1..].starts_with(' ') {
                    Kind::Sign
                } else {
                    Kind::Stop
                }
            }
            _ => Kind::Sign,
        }
    }

    fn word(&mut self, text: &str, at: usize, spaced: bool) -> usize {
        let mut end = at;
        let mut digit = false;
        let mut chars = text[at..].char_indices().peekable();
        while let Some((offset, c)) = chars.next() {
            if is_letter(c) && !is_wide(c) {
                digit |= c.is_numeric();
                end = at + offset + c.len_utf8();
                continue;
            }
            let next = chars.peek().map(|&(_, c)| c);
            let joins = match c {
                '-' | '_' | '‐' | '@' | '+' => next.is_some_and(|n| is_letter(n) && !is_wide(n)),
                '.' | ',' | ':' | '/' => {
                    let digits = text[..end]
                        .chars()
                        .next_back()
                        .is_some_and(|b| b.is_ascii_digit());
                    digits && next.is_some_and(|n| n.is_ascii_digit())
                }
                _ => false,
            };
            if !joins || offset == 0 {
                break;
            }
        }
        let kind = if digit { Kind::Number } else { Kind::Word };
        let tail = &text[end..];
        let quote = tail.chars().next().filter(|c| matches!(c, '\'' | '’'));
        let (from, to) = (at, end);
        let Some(quote) = quote else {
            self.push_word(from, to, kind, spaced);
            return end;
        };
        let after = &tail[quote.len_utf8()..];
        let clitic = after
            .chars()
            .take_while(|c| c.is_alphabetic())
            .map(char::len_utf8)
            .sum::<usize>();
        match self.apostrophe {
            Apostrophe::Elision if clitic > 0 => {
                self.push(from, to + quote.len_utf8(), kind, spaced);
                to + quote.len_utf8()
            }
            Apostrophe::English if (1..=2).contains(&clitic) => {
                let not = clitic == 1
                    && after.starts_with(['t', 'T'])
                    && text[from..to].ends_with(['n', 'N'])
                    && to - from > 1;
                let cut = if not { to - 1 } else { to };
                self.push(from, cut, kind, spaced);
                let end = to + quote.len_utf8() + clitic;
                self.push(cut, end, Kind::Word, false);
                end
            }
            _ => {
                self.push_word(from, to, kind, spaced);
                end
            }
        }
    }

    /// `im` and `dont` are typed for `I'm` and `don't`.
    fn push_word(&mut self, from: usize, to: usize, kind: Kind, spaced: bool) {
        if self.apostrophe == Apostrophe::English {
            let word = &self.text[from..to];
            let bare = |(bare, _): &&(&str, usize)| bare.eq_ignore_ascii_case(word);
            if let Some((_, cut)) = BARE.iter().find(bare) {
                self.push(from, from + cut, kind, spaced);
                self.push(from + cut, to, kind, false);
                return;
            }
        }
        self.push(from, to, kind, spaced);
    }

    fn push(&mut self, start: usize, end: usize, kind: Kind, spaced: bool) {
        let from = self.out.folded.len() as u32;
        let text = &self.text[start..end];
        match (self.apostrophe, kind, text) {
            (Apostrophe::English, Kind::Word, "m" | "ve" | "s") if !spaced => {
                self.out.folded.push('\'');
                self.out.folded.push_str(text);
            }
            (Apostrophe::English, Kind::Word, "nt") if !spaced => self.out.folded.push_str("n't"),
            _ => fold(text, &mut self.out.folded),
        }
        self.out.all.push(Token {
            start: start as u32,
            end: end as u32,
            folded: (from, self.out.folded.len() as u32),
            word: 0,
            kind,
            capital: text.chars().next().is_some_and(char::is_uppercase),
            spaced,
        });
    }
}

struct Chunk {
    bytes: usize,
    kind: Kind,
}

/// A link, a mention or an e-mail address at the beginning of `text`.
fn link_len(text: &str, spaced: bool) -> Option<Chunk> {
    if !spaced {
        return None;
    }
    let first = text.as_bytes()[0];
    if !(first.is_ascii_alphanumeric() || matches!(first, b'<' | b'@')) {
        return None;
    }
    let chunk = text.split(char::is_whitespace).next().unwrap_or(text);
    let trimmed = chunk.trim_end_matches(['.', ',', '!', '?', ')', ';', ':']);
    if trimmed.contains("://") || trimmed.starts_with("www.") || first == b'@' || trimmed.starts_with("<@") {
        return Some(Chunk {
            bytes: trimmed.len().max(1),
            kind: Kind::Foreign,
        });
    }
    let (name, host) = trimmed.split_once('@')?;
    let address = !name.is_empty() && host.contains('.') && host.is_ascii() && name.is_ascii();
    address.then_some(Chunk {
        bytes: trimmed.len(),
        kind: Kind::Email,
    })
}

/// Whether the script is written without spaces between words (or, as Hangul, with particles attached).
pub(crate) fn is_wide(c: char) -> bool {
    matches!(c, '\u{0E00}'..='\u{0E7F}' | '\u{1100}'..='\u{11FF}' | '\u{3041}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '々')
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(c, '\u{0300}'..='\u{036F}' | '\u{064B}'..='\u{0655}' | '\u{0900}'..='\u{0963}')
}

/// The last character boundary at or before `at`.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}

/// Lower case, without Latin accents, in half width, with one form of apostrophe.
pub(crate) fn fold(text: &str, out: &mut String) {
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c.to_ascii_lowercase());
            continue;
        }
        match c {
            '’' | '‘' | 'ʼ' => out.push('\''),
            '\u{FF01}'..='\u{FF5E}' => {
                let half = char::from_u32(c as u32 - 0xFEE0).unwrap_or(c);
                out.push(half.to_ascii_lowercase());
            }
            '\u{0300}'..='\u{036F}' | '\u{064B}'..='\u{0652}' => {}
            'ß' => out.push_str("ss"),
            'İ' => out.push('i'),
            _ => {
                for lower in c.to_lowercase() {
                    out.push(plain(lower));
                }
            }
        }
    }
}

/// [`fold`] as a new string.
pub(crate) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold(text, &mut out);
    out
}

fn plain(c: char) -> char {
    match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => 'e',
        'ì'..='ï' | 'ī' | 'ı' => 'i',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => 'u',
        'ý' | 'ÿ' => 'y',
        'ł' => 'l',
        'ś' | 'š' | 'ş' => 's',
        'ź' | 'ż' | 'ž' => 'z',
        'ğ' => 'g',
        'ř' => 'r',
        'ё' => 'е',
        'أ' | 'إ' | 'آ' => 'ا',
        _ => c,
    }
}

/// What is read of a message.
pub(crate) const MAX_BYTES: usize = 8 * 1024;
const MAX_TOKENS: usize = 2000;

const TITLES: &[&str] = &[
    "dr", "mr", "mrs", "ms", "st", "prof", "sr", "sra", "dra", "hr", "fr",
];

/// Contractions without their apostrophe, and where to cut them.
const BARE: &[(&str, usize)] = &[
    ("im", 1),
    ("ive", 1),
    ("dont", 2),
    ("doesnt", 4),
    ("didnt", 3),
    ("cant", 2),
    ("isnt", 2),
    ("wasnt", 3),
    ("couldnt", 5),
    ("havent", 4),
    ("arent", 3),
    ("wont", 2),
    ("thats", 4),
    ("whats", 4),
    ("hes", 2),
    ("shes", 3),
];
