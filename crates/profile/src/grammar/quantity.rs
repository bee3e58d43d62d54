//! Values with digits or of the calendar: numbers, codes and dates.

use super::{
    Calendar, Grammar,
    value::{Ends, Reader},
};
use crate::text::{Kind, Tokens};

impl Reader<'_> {
    pub(super) fn phone(&self, at: usize) -> Option<Ends> {
        let mut pos = at;
        let mut digits = 0;
        let mut longest = at;
        while let Some(token) = self.token(pos) {
            let text = self.tokens.folded(token);
            let count = text.bytes().filter(u8::is_ascii_digit).count();
            if token.kind == Kind::Number && text.bytes().all(|b| b.is_ascii_digit() || b"-./+".contains(&b))
            {
                digits += count;
                longest = pos + 1;
            } else if !matches!(text, "+" | "(" | ")" | "-" | "/") {
                break;
            }
            pos += 1;
        }
        (6..=16).contains(&digits).then(|| Ends::one(at, longest))
    }

    pub(super) fn number(&self, at: usize) -> Option<Ends> {
        if self.token(at)?.kind == Kind::Number {
            return Some(Ends::one(at, at + 1));
        }
        let (len, unit) = calendar_at(self.grammar, self.tokens, at, self.end)?;
        matches!(unit, Calendar::Number(_)).then(|| Ends::one(at, at + len))
    }

    /// A code holds a digit, or a hyphen or capitals within; it may consist of several such pieces.
    pub(super) fn code(&self, at: usize) -> Option<Ends> {
        let mut longest = at;
        let mut coded = false;
        while let Some(token) = self.token(longest).filter(|token| token.is_text()) {
            let folded = self.tokens.folded(token);
            let number = token.kind == Kind::Number || folded.contains(['-', '_']);
            let capitals = token.capital && folded.len() <= 4 && !self.is_stop(longest);
            if !(number || capitals) || longest - at >= 5 {
                break;
            }
            coded |= number;
            longest += 1;
            // To the letter: with the signs that belong to it.
            while self
                .token(longest)
                .is_some_and(|t| !t.spaced && CODE_SIGNS.contains(&self.tokens.folded(t)))
            {
                longest += 1;
            }
        }
        coded.then(|| Ends::one(at, longest))
    }

    /// A run of calendar words, numbers and short joining words that holds a month, a weekday or a numeric date.
    pub(super) fn date(&self, at: usize) -> Option<Ends> {
        let (mut pos, mut longest, mut dated) = (at, at, false);
        while let Some(token) = self.token(pos).filter(|_| pos - at < 12) {
            let folded = self.tokens.folded(token);
            if let Some((len, unit)) = calendar_at(self.grammar, self.tokens, pos, self.end) {
                dated |= !matches!(unit, Calendar::Number(_));
                pos += len;
                longest = pos;
            } else if token.kind == Kind::Number {
                let pieces = folded
                    .split(['.', '/', '-'])
                    .filter(|piece| !piece.is_empty())
                    .count();
                dated |= pieces > 1;
                pos += 1;
                longest = pos;
            } else if DATE_JOINS.contains(&folded) {
                dated |= matches!(folded, "月" | "월");
                pos += 1;
                if token.kind == Kind::Wide {
                    longest = pos;
                }
            } else {
                break;
            }
        }
        (dated && longest > at).then(|| Ends::one(at, longest))
    }
}

/// The calendar word or number at a token, and how many tokens it takes.
pub(crate) fn calendar_at(
    grammar: &Grammar,
    tokens: &Tokens,
    at: usize,
    end: usize,
) -> Option<(usize, Calendar)> {
    let first = tokens.all[..end].get(at)?.word;
    if first == 0 {
        return None;
    }
    grammar
        .calendar(first)
        .filter(|(words, _)| at + words.len() <= end)
        .find(|(words, _)| {
            words
                .iter()
                .zip(&tokens.all[at..])
                .all(|(word, t)| *word == t.word)
        })
        .map(|(words, unit)| (words.len(), *unit))
}

const CODE_SIGNS: &[&str] = &["#", "*", "$", "%", "&", "@", "/", "+", "=", "_"];

const DATE_JOINS: &[&str] = &[
    "of", "the", "th", "st", "nd", "rd", ",", ".", "de", "del", "der", "le", "am", "den", "年", "月", "日",
    "号", "號", "년", "월", "일", " ",
];
