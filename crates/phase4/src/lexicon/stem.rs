//! Lemmas by rule: irregular forms first, then endings.

use super::Table;
use crate::text::hash64;

/// How a language inflects; read from a `.lemmas` file.
#[derive(Debug, Default)]
pub(super) struct Stemmer {
    endings: Vec<Ending>,
    undouble: Vec<u8>,
    drop: Option<u8>,
    irregular: Table<Box<str>>,
    /// Letters that count as others ("ä" as "a").
    fold: Vec<(char, Box<str>)>,
    /// The last letters of the endings, one bit each.
    last: u32,
}

#[derive(Debug)]
struct Ending {
    suffix: Box<str>,
    replacement: Box<str>,
    minimum: usize,
    vowel: bool,
}

impl Stemmer {
    /// Reads the rules; the error names the line that is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut stemmer = Self::default();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            stemmer.line(line).ok_or_else(|| line.to_owned())?;
        }
        Ok(stemmer)
    }

    fn line(&mut self, line: &str) -> Option<()> {
        if let Some(rule) = line.strip_prefix("@fold ") {
            let (from, to) = rule.split_once(' ')?;
            self.fold.push((from.chars().next()?, to.trim().into()));
        } else if let Some(letters) = line.strip_prefix("@undouble ") {
            self.undouble = letters.bytes().collect();
        } else if let Some(letter) = line.strip_prefix("@drop ") {
            self.drop = letter.bytes().next();
        } else if let Some(rule) = line.strip_prefix('-') {
            let mut fields = rule.split_whitespace();
            let suffix: Box<str> = fields.next()?.into();
            self.last |= letter(suffix.as_bytes());
            let replacement = fields.next()?;
            self.endings.push(Ending {
                suffix,
                replacement: if replacement == "." { "" } else { replacement }.into(),
                minimum: fields.next()?.parse().ok()?,
                vowel: fields.next() == Some("vowel"),
            });
        } else {
            let (base, forms) = line.split_once(':')?;
            for form in forms.split_whitespace() {
                *self.irregular.slot(hash64(form.as_bytes())) = base.trim().into();
            }
        }
        Some(())
    }

    /// Writes the stem of the lower-case `word`, whose hash is `hash`, into `out`.
    pub(super) fn stem<'a>(&'a self, word: &'a str, hash: u64, out: &'a mut String) -> &'a str {
        let irregular = self.irregular.get(hash);
        let word = irregular.map_or(word, |base| base);
        // Longer "words" are not words; rules over them would cost time and give nothing.
        if word.len() < 3 || word.len() > 40 || word.as_bytes()[0].is_ascii_digit() {
            return word;
        }
        out.clear();
        if word.is_ascii() || self.fold.is_empty() {
            out.push_str(word);
        } else {
            self.fold_into(word, out);
        }
        if irregular.is_none() {
            self.strip_endings(out);
        }
        let bytes = out.as_bytes();
        if let [.., a, b] = bytes
            && a == b
            && self.undouble.contains(b)
        {
            out.pop();
        }
        if out.len() >= 3 && self.drop.is_some() && out.as_bytes().last().copied() == self.drop {
            out.pop();
        }
        out
    }

    fn fold_into(&self, word: &str, out: &mut String) {
        for c in word.chars() {
            match self.fold.iter().find(|(from, _)| *from == c) {
                Some((_, to)) => out.push_str(to),
                None => out.push(c),
            }
        }
    }

    fn strip_endings(&self, word: &mut String) {
        let mut changed = 0;
        let last = |word: &str| word.as_bytes().last().copied();
        if self.last & letter(word.as_bytes()) == 0 {
            return;
        }
        for ending in &self.endings {
            if last(&ending.suffix) != last(word) {
                continue;
            }
            let Some(rest) = word.strip_suffix(&*ending.suffix) else {
                continue;
            };
            let has_vowel = || rest.bytes().any(|b| b"aeiouy".contains(&b) || !b.is_ascii());
            if rest.len() < ending.minimum || (ending.vowel && !has_vowel()) {
                continue;
            }
            let keep = rest.len();
            if *ending.suffix == *ending.replacement {
                return;
            }
            word.truncate(keep);
            word.push_str(&ending.replacement);
            changed += 1;
            // A plural may hide one more ending ("feelings"); two are the most.
            if changed == 2 {
                return;
            }
        }
    }
}

/// The last letter of a word as a bit; what is none of a to z shares one.
fn letter(word: &[u8]) -> u32 {
    match word.last() {
        Some(last @ b'a'..=b'z') => 1 << (last - b'a'),
        Some(_) => 1 << 26,
        None => 0,
    }
}
