//! How far a captured value reaches.

use super::{Calendar, Capture, Grammar, Special, quantity::calendar_at};
use crate::text::{Apostrophe, Kind, Token, Tokens};

/// Where a value begins, and its shortest and longest end.
pub(super) struct Ends {
    pub start: usize,
    pub shortest: usize,
    pub longest: usize,
}

impl Ends {
    pub(super) fn one(start: usize, end: usize) -> Self {
        Self {
            start,
            shortest: end,
            longest: end,
        }
    }
}

pub(super) fn ends(grammar: &Grammar, tokens: &Tokens, kind: Capture, at: usize, end: usize) -> Option<Ends> {
    let reader = Reader { grammar, tokens, end };
    if at >= end {
        return None;
    }
    match kind {
        Capture::Thing => reader.thing(at, MAX_THING),
        Capture::Things => reader.list(at, |reader, at| reader.thing(at, MAX_THING)),
        Capture::Bare => reader.bare(at),
        Capture::Bares => reader.list(at, Reader::bare),
        Capture::State => reader.state(at),
        Capture::Ending(class) => reader.ending(at, class),
        Capture::Name => reader.name(at),
        Capture::Capital => reader.capital(at),
        Capture::Names => reader.list(at, Reader::name),
        Capture::Place => reader.place(at),
        Capture::Job => reader.job(at),
        Capture::Phone => reader.phone(at),
        Capture::Number => reader.number(at),
        Capture::Code => reader.code(at),
        Capture::Email => (reader.token(at)?.kind == Kind::Email).then(|| Ends::one(at, at + 1)),
        Capture::Date => reader.date(at),
        Capture::Word => (reader.token(at)?.is_text() && !reader.is_stop(at)).then(|| Ends::one(at, at + 1)),
        Capture::Gerund => reader.gerund(at),
        Capture::Rest => reader.rest(at, false),
        Capture::Sentence => reader.rest(at, true),
        Capture::Class(class) => {
            let len = grammar.class_at(Some(class), tokens, at, end);
            (len > 0).then(|| Ends::one(at, at + len))
        }
    }
}

pub(super) struct Reader<'a> {
    pub grammar: &'a Grammar,
    pub tokens: &'a Tokens,
    pub end: usize,
}

impl Reader<'_> {
    pub(super) fn token(&self, at: usize) -> Option<&Token> {
        self.tokens.all[..self.end].get(at)
    }

    fn is(&self, class: Special, at: usize) -> bool {
        self.len(class, at) > 0
    }

    fn len(&self, class: Special, at: usize) -> usize {
        self.grammar
            .class_at(self.grammar.role(class), self.tokens, at, self.end)
    }

    pub(super) fn is_stop(&self, at: usize) -> bool {
        self.is(Special::Stop, at)
    }

    /// Words of the calendar belong to no noun phrase.
    fn is_dated(&self, at: usize) -> bool {
        calendar_at(self.grammar, self.tokens, at, self.end)
            .is_some_and(|(_, unit)| !matches!(unit, Calendar::Number(_) | Calendar::Month(_)))
    }

    /// Korean particles follow their word: a value begins where a word does, and takes one.
    fn is_inside_word(&self, at: usize) -> bool {
        at > 0
            && self.is_hangul(at)
            && !self.tokens.all[at].spaced
            && self.tokens.all[at - 1].kind == Kind::Wide
    }

    fn is_hangul(&self, at: usize) -> bool {
        let first = self.tokens.folded(&self.tokens.all[at]).chars().next();
        first.is_some_and(|c| matches!(c, '\u{1100}'..='\u{11FF}' | '\u{AC00}'..='\u{D7A3}'))
    }

    /// A run of words up to a sign or a word that no noun phrase contains.
    fn run(&self, start: usize, most: usize) -> usize {
        let mut at = start;
        let most = if self.grammar.wide { most * 3 } else { most };
        while at < self.end && at - start < most {
            let token = &self.tokens.all[at];
            let next_word = at > start && token.spaced && self.is_hangul(at);
            if !token.is_text() || self.is_stop(at) || self.is_dated(at) || next_word {
                break;
            }
            at += 1;
        }
        // A phrase that goes on beyond the limit is no noun phrase.
        let goes_on =
            at < self.end && self.tokens.all[at].is_text() && !self.is_stop(at) && !self.is_dated(at);
        if goes_on && !self.grammar.wide { start } else { at }
    }

    fn thing(&self, at: usize, most: usize) -> Option<Ends> {
        let start = at + self.len(Special::Determiner, at);
        if start >= self.end || self.is_inside_word(start) {
            return None;
        }
        let longest = self.run(start, most);
        (longest > start && self.is_sayable(start, longest)).then_some(Ends {
            start,
            shortest: start + 1,
            longest,
        })
    }

    fn bare(&self, at: usize) -> Option<Ends> {
        if self.is(Special::Determiner, at) || self.is(Special::Common, at) {
            return None;
        }
        self.thing(at, MAX_THING)
    }

    fn state(&self, at: usize) -> Option<Ends> {
        let len = self.len(Special::State, at);
        if len == 0 {
            return None;
        }
        let rest = self.rest(at + len, false).map_or(at + len, |rest| rest.longest);
        let joined = |pos: &usize| {
            self.token(*pos)
                .is_some_and(|t| NOTE_ENDS.contains(&self.tokens.folded(t)))
        };
        Some(Ends::one(at, (at + len..rest).find(joined).unwrap_or(rest)))
    }

    fn ending(&self, at: usize, class: usize) -> Option<Ends> {
        let start = at + self.len(Special::Determiner, at);
        let mut ends = Vec::new();
        for pos in start..self.end.min(start + MAX_THING) {
            let len = self.grammar.class_at(Some(class), self.tokens, pos, self.end);
            if len > 0 {
                ends.push(pos + len);
            } else if !self.token(pos)?.is_text() || self.is_stop(pos) {
                break;
            }
        }
        Some(Ends {
            start,
            shortest: *ends.first()?,
            longest: *ends.last()?,
        })
    }

    /// A single letter is no thing, unless the script writes words in one.
    fn is_sayable(&self, start: usize, end: usize) -> bool {
        end - start > 1 || {
            let token = &self.tokens.all[start];
            token.kind == Kind::Wide || self.tokens.folded(token).chars().count() > 1
        }
    }

    fn name(&self, at: usize) -> Option<Ends> {
        let first = self.token(at)?;
        if first.kind == Kind::Sign {
            // A quoted name.
            let inner = self.name(at + 1)?;
            let close = self.token(inner.longest)?;
            return (close.kind == Kind::Sign).then(|| Ends::one(at + 1, inner.longest));
        }
        // Folding makes a Vietnamese name such as Minh the pronoun.
        let capital = first.capital && self.grammar.apostrophe == Apostrophe::Elision;
        let stop = !capital && (self.is_stop(at) || self.is(Special::Determiner, at));
        if !matches!(first.kind, Kind::Word | Kind::Wide) || stop {
            return None;
        }
        let longest = if first.kind == Kind::Wide {
            if self.is_inside_word(at) {
                return None;
            }
            self.wide_name(at, MAX_WIDE_NAME)
        } else if first.capital {
            self.capitals(at, MAX_NAME)
        } else if self.is_caseless_script(first) || (self.tokens.caseless && !self.is(Special::Common, at)) {
            at + 1
        } else {
            at
        };
        (longest > at).then_some(Ends {
            start: at,
            shortest: at + 1,
            longest,
        })
    }

    /// At the beginning of a sentence every word has a capital, so that adverbs must be known.
    fn capital(&self, at: usize) -> Option<Ends> {
        let first = self.token(at)?;
        let shown = first.capital || first.kind == Kind::Wide || self.is_caseless_script(first);
        (shown && !(first.capital && self.is(Special::Common, at))).then(|| self.name(at))?
    }

    /// Scripts without capitals.
    fn is_caseless_script(&self, token: &Token) -> bool {
        let c = self.tokens.folded(token).chars().next().unwrap_or(' ');
        matches!(c, '\u{0600}'..='\u{06FF}' | '\u{0900}'..='\u{097F}')
    }

    fn wide_name(&self, start: usize, most: usize) -> usize {
        let thai = self
            .tokens
            .folded(&self.tokens.all[start])
            .starts_with(|c| matches!(c, '\u{0E00}'..='\u{0E7F}'));
        let most = if thai { most * 3 } else { most };
        let mut at = start;
        while at < self.end && at - start < most {
            let token = &self.tokens.all[at];
            let korean_break = at > start && token.spaced;
            if !matches!(token.kind, Kind::Wide | Kind::Word) || self.is_stop(at) || korean_break {
                break;
            }
            at += 1;
        }
        at
    }

    fn capitals(&self, start: usize, most: usize) -> usize {
        let mut at = start;
        while at < self.end && at - start < most {
            let token = &self.tokens.all[at];
            let dotted = token.kind == Kind::Sign && at > start && !token.spaced && self.dot_goes_on(at);
            let next = token.kind == Kind::Word && token.capital && (at == start || !self.is_stop(at));
            if !next && !dotted {
                break;
            }
            at += 1;
        }
        at
    }

    /// The full stop of `Dr. Vance`.
    fn dot_goes_on(&self, at: usize) -> bool {
        let next = self.token(at + 1);
        let text_is_dot = self.tokens.folded(&self.tokens.all[at]) == ".";
        text_is_dot && next.is_some_and(|next| next.kind == Kind::Word && next.capital)
    }

    fn place(&self, at: usize) -> Option<Ends> {
        let first = self.token(at)?;
        if first.kind == Kind::Wide {
            if self.is_stop(at) || self.is_inside_word(at) {
                return None;
            }
            let longest = self.wide_name(at, MAX_WIDE_PLACE);
            return (longest > at).then_some(Ends {
                start: at,
                shortest: at + 1,
                longest,
            });
        }
        let det = self.len(Special::Determiner, at);
        let start = at + det;
        let first = self.token(start)?;
        if first.kind != Kind::Word || self.is_stop(start) {
            return None;
        }
        if first.capital && !(self.grammar.noun_capitals && det > 0) {
            let longest = self.capitals(start, MAX_PLACE);
            return Some(Ends {
                start,
                shortest: start + 1,
                longest,
            });
        }
        if det > 0 {
            return None;
        }
        if self.is_caseless_script(first) {
            return Some(Ends::one(start, start + 1));
        }
        if !self.tokens.caseless || self.is(Special::Common, start) || !self.is_sayable(start, start + 1) {
            return None;
        }
        let longest = self.run(start, 2);
        (longest > start).then_some(Ends {
            start,
            shortest: longest,
            longest,
        })
    }

    /// A noun phrase whose last word, or the last before a stop, names an occupation.
    fn job(&self, at: usize) -> Option<Ends> {
        let start = at + self.len(Special::Determiner, at);
        if start >= self.end || self.is_inside_word(start) {
            return None;
        }
        let most = if self.grammar.wide { 10 } else { 4 };
        let mut best = None;
        let mut pos = start;
        while pos < self.end && pos - start < most {
            let token = self.token(pos)?;
            let len = self.len(Special::Job, pos);
            if len > 0 {
                best = Some(pos + len);
                pos += len;
                continue;
            }
            if !token.is_text() || (self.is_stop(pos) && !self.is_inner(pos)) {
                break;
            }
            pos += 1;
        }
        let longest = best?;
        // "a teacher's dog" and "a doctor friend" name no occupation.
        let goes_on = self.token(longest).is_some_and(|next| {
            (next.kind == Kind::Word && !self.is_stop(longest) && !self.is(Special::And, longest))
                || self.tokens.folded(next) == "'s"
        });
        let possible = self.grammar.wide || !goes_on || self.grammar.apostrophe == Apostrophe::Elision;
        possible.then_some(Ends::one(start, self.job_tail(longest)))
    }

    /// `ambulance driver`, but also `motorista de ambulância`: one more noun after a preposition.
    fn job_tail(&self, end: usize) -> usize {
        if !self.is_inner(end) {
            return end;
        }
        let after = end + 1;
        match self.token(after) {
            Some(next)
                if next.kind == Kind::Word
                    && !self.is_stop(after)
                    && !self.is(Special::Determiner, after) =>
            {
                after + 1
            }
            _ => end,
        }
    }

    fn is_inner(&self, at: usize) -> bool {
        self.token(at)
            .is_some_and(|token| INNER.contains(&self.tokens.folded(token)))
    }

    fn gerund(&self, at: usize) -> Option<Ends> {
        let token = self.token(at)?;
        let folded = self.tokens.folded(token);
        if token.kind != Kind::Word
            || folded.len() < 5
            || !folded.ends_with("ing")
            || self.is(Special::Common, at)
        {
            return None;
        }
        let mut more = at + 1;
        while let Some(token) = self.token(more).filter(|_| more - at < MAX_GERUND) {
            let folded = self.tokens.folded(token);
            // "a safe, inviting place": a comma between two adjectives.
            let adjectives = folded == ","
                && more > at + 2
                && matches!(self.tokens.folded(&self.tokens.all[more - 2]), "a" | "an");
            if !(token.is_text() || adjectives)
                || self.is(Special::And, more)
                || CONJUNCTIONS.contains(&folded)
            {
                break;
            }
            more += 1;
        }
        // What goes on beyond the limit is cut before its last preposition.
        let cut_off = more - at == MAX_GERUND && self.token(more).is_some_and(Token::is_text);
        let whole = if cut_off {
            (at + 2..more)
                .rev()
                .find(|&end| self.is_stop(end))
                .unwrap_or(at + 1)
        } else {
            more
        };
        let open = |end: usize| self.is_stop(end - 1) || self.is(Special::Determiner, end - 1);
        let longest = (at + 1..=whole)
            .rev()
            .find(|&end| end == at + 1 || !open(end))
            .unwrap_or(at + 1);
        // "drinking while I eat" is not about drinking.
        let next = self.token(at + 1).map(|token| self.tokens.folded(token));
        let alone =
            next.is_some_and(|next| (longest == at + 1 || next == "sure") && NARROWING.contains(&next));
        (!alone).then_some(Ends {
            start: at,
            shortest: at + 1,
            longest,
        })
    }

    fn rest(&self, at: usize, beyond_signs: bool) -> Option<Ends> {
        let mut pos = at;
        while let Some(token) = self.token(pos) {
            let inside = token.is_text()
                || (beyond_signs && token.kind == Kind::Sign)
                || !token.spaced && {
                    let sign = self.tokens.folded(token);
                    matches!(sign, "'" | "-" | "/" | "&" | "%" | "#")
                };
            if !inside || pos - at >= MAX_REST {
                break;
            }
            pos += 1;
        }
        (pos > at).then(|| Ends::one(at, pos))
    }

    fn list(&self, at: usize, item: impl Fn(&Self, usize) -> Option<Ends>) -> Option<Ends> {
        let first = item(self, at)?;
        let mut longest = first.longest;
        loop {
            let mut next = longest;
            if self
                .token(next)
                .is_some_and(|t| matches!(self.tokens.folded(t), "," | "、" | "，" | "&"))
            {
                next += 1;
            }
            next += self.len(Special::And, next);
            if next == longest {
                break;
            }
            match item(self, next) {
                Some(more) => longest = more.longest,
                None => break,
            }
        }
        let shortest = if self.grammar.wide {
            first.shortest
        } else {
            longest
        };
        Some(Ends {
            start: first.start,
            shortest,
            longest,
        })
    }
}

const MAX_THING: usize = 4;
const MAX_NAME: usize = 3;
const MAX_PLACE: usize = 4;
const MAX_WIDE_NAME: usize = 6;
const MAX_WIDE_PLACE: usize = 7;
const MAX_REST: usize = 24;

/// Prepositions within a name of an occupation.
const INNER: &[&str] = &[
    "of", "de", "da", "do", "di", "del", "des", "du", "d'", "van", "para", "的", "の",
];

/// Where a statement about somebody ends.
const NOTE_ENDS: &[&str] = &["and", "but", "so", "because", "which", "while", "when"];

/// What narrows a gerund down to something else.
const NARROWING: &[&str] = &[
    "sure", "while", "when", "as", "if", "that", "how", "with", "to", "it", "you", "your", "them", "him",
    "her",
];

const MAX_GERUND: usize = 9;

/// Where a gerund's object ends.
const CONJUNCTIONS: &[&str] = &[
    "but", "so", "because", "when", "while", "if", "that", "which", "who", "it", "is", "was", "are", "'s",
    "i", "as", "since", "lately", "too", "now", "though", "before", "after", "until", "n't", "not", "we",
    "they", "you", "he", "she", "than",
];
