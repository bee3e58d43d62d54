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
    /// Endings of adverbs, adjectives and participles, and the nouns that end so.
    modifiers: Vec<Box<str>>,
    nouns: Vec<Box<str>>,
    elisions: Vec<Box<str>>,
    implies_self: bool,
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
        } else if let Some(endings) = line.strip_prefix("@modifier ") {
            self.modifiers.extend(endings.split_whitespace().map(Into::into));
        } else if let Some(letters) = line.strip_prefix("@elide ") {
            self.elisions.extend(letters.split_whitespace().map(Into::into));
        } else if line == "@self" {
            self.implies_self = true;
        } else if let Some(nouns) = line.strip_prefix("@noun ") {
            self.nouns.extend(nouns.split_whitespace().map(Into::into));
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

    /// The hash of the stem of the lower-case `word`, whose own hash is `hash`.
    pub(super) fn stem(&self, word: &[u8], hash: u64, out: &mut Vec<u8>) -> u64 {
        let irregular = self.irregular.get(hash);
        let word = irregular.map_or(word, |base| base.as_bytes());
        // Longer "words" are not words; rules over them would cost time and give nothing.
        if word.len() < 3 || word.len() > 40 || word[0].is_ascii_digit() {
            return if irregular.is_some() { hash64(word) } else { hash };
        }
        out.clear();
        let folded = !(self.fold.is_empty() || word.is_ascii());
        if folded {
            self.fold_into(&String::from_utf8_lossy(word), out);
        } else {
            out.extend_from_slice(word);
        }
        let stripped = irregular.is_none() && self.strip_endings(out);
        let mut changed = irregular.is_some() || folded || stripped;
        if let [.., a, b] = out[..]
            && a == b
            && self.undouble.contains(&b)
        {
            out.pop();
            changed = true;
        }
        if out.len() >= 3 && self.drop.is_some() && out.last().copied() == self.drop {
            out.pop();
            changed = true;
        }
        if changed { hash64(out) } else { hash }
    }

    /// Whether a lower-case word is by its ending no noun.
    pub(super) fn is_modifier(&self, word: &[u8]) -> bool {
        let ends = |ending: &str| word.len() >= ending.len() + 3 && word.ends_with(ending.as_bytes());
        self.modifiers.iter().any(|ending| ends(ending))
            && !self.nouns.iter().any(|noun| noun.as_bytes() == word)
    }

    pub(super) fn implies_self(&self) -> bool {
        self.implies_self
    }

    pub(super) fn elides(&self, letters: &str) -> bool {
        self.elisions.iter().any(|known| **known == *letters)
    }

    fn fold_into(&self, word: &str, out: &mut Vec<u8>) {
        for c in word.chars() {
            match self.fold.iter().find(|(from, _)| *from == c) {
                Some((_, to)) => out.extend_from_slice(to.as_bytes()),
                None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }

    /// Whether an ending was taken off.
    fn strip_endings(&self, word: &mut Vec<u8>) -> bool {
        let mut changed = 0;
        if self.last & letter(word) == 0 {
            return false;
        }
        for ending in &self.endings {
            let suffix = ending.suffix.as_bytes();
            if suffix.last() != word.last() {
                continue;
            }
            let Some(rest) = word.strip_suffix(suffix) else {
                continue;
            };
            let has_vowel = || rest.iter().any(|b| b"aeiouy".contains(b) || !b.is_ascii());
            if rest.len() < ending.minimum || (ending.vowel && !has_vowel()) {
                continue;
            }
            let keep = rest.len();
            if *ending.suffix == *ending.replacement {
                return changed > 0;
            }
            word.truncate(keep);
            word.extend_from_slice(ending.replacement.as_bytes());
            changed += 1;
            // A plural may hide one more ending ("feelings"); two are the most.
            if changed == 2 {
                break;
            }
        }
        changed > 0
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
