//! Lemmas by rule: irregular forms first, then endings.

use crate::text::{HashedMap, hash64};

/// How a language inflects; read from a `.lemmas` file.
#[derive(Debug, Default)]
pub(super) struct Stemmer {
    endings: Vec<Ending>,
    undouble: Vec<u8>,
    drop: Option<u8>,
    irregular: HashedMap<Box<str>>,
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
        if let Some(letters) = line.strip_prefix("@undouble ") {
            self.undouble = letters.bytes().collect();
        } else if let Some(letter) = line.strip_prefix("@drop ") {
            self.drop = letter.bytes().next();
        } else if let Some(rule) = line.strip_prefix('-') {
            let mut fields = rule.split_whitespace();
            let suffix = fields.next()?.into();
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
                self.irregular.insert(hash64(form.as_bytes()), base.trim().into());
            }
        }
        Some(())
    }

    /// Writes the stem of the lower-case `word`, whose hash is `hash`, into `out`.
    pub(super) fn stem<'a>(&'a self, word: &'a str, hash: u64, out: &'a mut String) -> &'a str {
        let irregular = self.irregular.get(&hash);
        let word = irregular.map_or(word, |base| base);
        // Longer "words" are not words; rules over them would cost time and give nothing.
        if word.len() < 3 || word.len() > 40 || word.as_bytes()[0].is_ascii_digit() {
            return word;
        }
        out.clear();
        out.push_str(word);
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

    fn strip_endings(&self, word: &mut String) {
        let mut changed = 0;
        let last = |word: &str| word.as_bytes().last().copied();
        if !self
            .endings
            .iter()
            .any(|ending| last(&ending.suffix) == last(word))
        {
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
