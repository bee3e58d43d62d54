//! The distinct words of one owner's memories, in the order in which the lexicon met them.

use super::Lexicon;

/// Words by number: what came to the lexicon after some time is found at once.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    /// Number in the lexicon and hash, ascending.
    numbered: Vec<(u32, u32)>,
    /// Hashes of words that are to be numbered.
    new: Vec<u32>,
}

impl Vocabulary {
    /// Adds a word that is not there yet, by hash.
    pub(crate) fn add(&mut self, word: u32) {
        self.new.push(word);
    }

    /// Numbers the words that were added; those that the lexicon does not know wait for the next time.
    pub(crate) fn number(&mut self, lexicon: &Lexicon) {
        if self.new.is_empty() {
            return;
        }
        let many = self.new.len() > FEW;
        let (words, numbered) = (lexicon.read(), &mut self.numbered);
        self.new.retain(|&hash| {
            let Some(number) = words.number(hash) else {
                return true;
            };
            let last = numbered.last().map(|&(number, _)| number);
            if many || last < Some(number) {
                numbered.push((number, hash));
            } else {
                let at = numbered.partition_point(|&(other, _)| other < number);
                numbered.insert(at, (number, hash));
            }
            false
        });
        if many {
            numbered.sort_unstable();
        }
    }

    /// The words whose numbers are `number` and above.
    pub(super) fn since(&self, number: usize) -> &[(u32, u32)] {
        let covers_all = self
            .numbered
            .last()
            .is_none_or(|&(last, _)| (last as usize) < number);
        let from = if covers_all {
            self.numbered.len()
        } else {
            self.numbered
                .partition_point(|&(other, _)| (other as usize) < number)
        };
        &self.numbered[from..]
    }

    /// Forgets the words that `keep` refuses, by hash.
    pub(crate) fn retain(mut self, keep: impl Fn(u32) -> bool) -> Self {
        self.numbered.retain(|&(_, hash)| keep(hash));
        self.new.retain(|&hash| keep(hash));
        self
    }

    /// Gives back what was reserved in vain.
    pub(crate) fn shrink_to_fit(&mut self) {
        self.numbered.shrink_to_fit();
        self.new.shrink_to_fit();
    }

    pub(crate) fn bytes(&self) -> usize {
        self.numbered.capacity() * 8 + self.new.capacity() * 4
    }
}

/// Up to so many words are put in their places one by one.
const FEW: usize = 16;
