//! Which words are like a word that is asked for.
//!
//! Of a language's words only some dozens are like any one of them. For a word that is asked for often they
//! are looked up among all and kept, complete for the words below some number. The words of the owner's own
//! memories that came later are compared as they are; that is all that a rare word costs. When a word has
//! cost as much that way as looking further would, it is looked up further: never more than twice the least
//! possible (Karlin et al., "Competitive snoopy caching", 1988).

use std::sync::{Arc, atomic::Ordering};

use super::{Lexicon, Vocabulary, Words};
use crate::kernel::{Int8Query, Kernel, LINE, ZERO, padded_lines, prefetch};

/// What is kept of a word that was asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// How many words it was compared with apart from the list, since the list was extended.
    debt: usize,
    list: Arc<List>,
}

#[cfg(test)]
impl Asked {
    /// How many words the list holds.
    pub(super) fn listed(&self) -> usize {
        self.list.words.len()
    }
}

/// The words like one word.
#[derive(Debug, Default, Clone)]
struct List {
    /// Words below this number have been compared.
    compared: usize,
    /// Hashes, each with how much it means the same, above 0; 1 for one stem.
    words: Vec<(u32, f32)>,
}

/// For each word of a question the words like it: all of one owner's, and others.
#[derive(Debug)]
pub(crate) struct AlikeWords {
    lists: Vec<Arc<List>>,
    /// The place in the question, the hash and the likeness of those that no list covers, ascending.
    later: Vec<(usize, u32, f32)>,
}

impl AlikeWords {
    /// The hash of each word that is like that at `place` in the question, and how much they mean the same:
    /// 1 for one stem, else what of the cosine lies above the threshold.
    pub(crate) fn of(&self, place: usize) -> impl Iterator<Item = (u32, f32)> {
        let from = self.later.partition_point(|&(other, ..)| other < place);
        let later = self.later[from..].iter();
        let later = later.take_while(move |&&(other, ..)| other == place);
        let listed = self.lists[place].words.iter().copied();
        listed.chain(later.map(|&(_, hash, likeness)| (hash, likeness)))
    }
}

impl Lexicon {
    /// The words of `vocabulary` that are like the words with the numbers `asked`.
    pub(crate) fn alike(&self, asked: &[u32], vocabulary: &Vocabulary) -> AlikeWords {
        let lists: Vec<Arc<List>> = asked.iter().map(|&asked| self.list(asked, vocabulary)).collect();
        let mut later = self.compare_later(asked, &lists, vocabulary);
        later.sort_unstable_by_key(|&(place, ..)| place);
        AlikeWords { lists, later }
    }

    /// The list of a word, extended when that is due.
    fn list(&self, asked: u32, vocabulary: &Vocabulary) -> Arc<List> {
        if let Some(kept) = self.asked.get(&asked)
            && vocabulary.since(kept.list.compared).is_empty()
        {
            return Arc::clone(&kept.list);
        }
        let known = self.read().len();
        let list = {
            let mut kept = self.asked.entry(asked).or_default();
            kept.debt += vocabulary.since(kept.list.compared).len();
            if kept.debt <= known.saturating_sub(kept.list.compared) {
                return Arc::clone(&kept.list);
            }
            kept.debt = 0;
            Arc::clone(&kept.list)
        };
        let added = list.words.len();
        let list = Arc::new(self.extended(asked, &list));
        let added = list.words.len() - added;
        if self.kept_words.fetch_add(added, Ordering::Relaxed) > MOST_KEPT {
            self.kept_words.store(added, Ordering::Relaxed);
            self.asked.clear();
        }
        let mut kept = self.asked.entry(asked).or_default();
        if kept.list.compared < list.compared {
            kept.list = Arc::clone(&list);
        }
        list
    }

    /// `list` with the words that have come since it was made. Those who learn words wait for a step only.
    fn extended(&self, asked: u32, list: &List) -> List {
        let mut list = list.clone();
        let mut dots = Vec::new();
        loop {
            let words = self.read();
            let from = list.compared;
            list.compared = words.len().min(from + COMPARED_AT_ONCE);
            if from == list.compared {
                return list;
            }
            let asked = words.asked(asked);
            let range = from..list.compared;
            let embedded = words.steps.len().clamp(from, list.compared);
            dots.clear();
            dots.resize(embedded - from, 0);
            if let Some(query) = &asked.query {
                let codes = &words.codes[from * words.dim..embedded * words.dim];
                Kernel::detect().scan_signed(codes, words.dim, query, &mut dots);
            }
            let (stems, hashes) = (&words.stems[range.clone()], &words.hashes[range]);
            let steps = &words.steps[from.min(words.steps.len())..][..dots.len()];
            let mut add = |at: usize, likeness| list.words.push((hashes[at], likeness));
            asked.visit_alike(&stems[..dots.len()], steps, &dots, self.threshold, &mut add);
            let unembedded = stems.iter().enumerate().skip(dots.len());
            unembedded
                .filter(|&(_, &stem)| stem == asked.stem)
                .for_each(|(at, _)| add(at, 1.0));
        }
    }

    /// Compares each of the words asked for with those of `vocabulary` that its list does not cover.
    fn compare_later(
        &self,
        asked: &[u32],
        lists: &[Arc<List>],
        vocabulary: &Vocabulary,
    ) -> Vec<(usize, u32, f32)> {
        let Some(least) = lists.iter().map(|list| list.compared).min() else {
            return Vec::new();
        };
        let later = vocabulary.since(least);
        if later.is_empty() {
            return Vec::new();
        }
        let mut found = Vec::with_capacity(FEW_FOUND);
        let words = self.read();
        let from = |list: &List| later.partition_point(|&(number, _)| (number as usize) < list.compared);
        let open = asked.iter().zip(lists).enumerate();
        let open = open.map(|(place, (&asked, list))| (place, asked, from(list)));
        let open: Vec<(usize, usize, AskedWord)> = open
            .filter(|&(.., from)| from < later.len())
            .map(|(place, asked, from)| (place, from, words.asked(asked)))
            .collect();
        let fetch = |words_ahead: &[(u32, u32)]| {
            let codes = words_ahead.iter().filter_map(|&(number, _)| words.code(number));
            codes.for_each(prefetch);
        };
        let upto = |at: usize| later.len().min(at);
        fetch(&later[..upto(AHEAD)]);
        for at in (0..later.len()).step_by(BLOCK) {
            let block = &later[at..upto(at + BLOCK)];
            fetch(&later[upto(at + AHEAD)..upto(at + AHEAD + BLOCK)]);
            let side_by_side = SideBySide::of(&words, block);
            for &(place, from, ref asked) in &open {
                if from < at + block.len() {
                    side_by_side.visit_alike(asked, block.len(), self.threshold, |other, likeness| {
                        if at + other >= from {
                            found.push((place, block[other].1, likeness));
                        }
                    });
                }
            }
        }
        found
    }
}

impl Vocabulary {
    /// Has the words fetched from memory ahead of their use.
    pub(crate) fn prefetch(&self) {
        prefetch(self.since(0));
    }
}

/// What is compared of some words. The codes stay where they are.
struct SideBySide<'a> {
    codes: [&'a [i8]; BLOCK],
    steps: [f32; BLOCK],
    stems: [u32; BLOCK],
}

impl<'a> SideBySide<'a> {
    fn of(words: &'a Words, block: &[(u32, u32)]) -> Self {
        let mut side_by_side = Self {
            // With a step of 0 it does not matter which code stands for one that is not there.
            codes: [words.code(0).unwrap_or_default(); BLOCK],
            steps: [0.0; BLOCK],
            stems: [0; BLOCK],
        };
        for (place, &(number, _)) in block.iter().enumerate() {
            side_by_side.steps[place] = words.step(number);
            side_by_side.stems[place] = words.stem(number);
            if let Some(code) = words.code(number) {
                side_by_side.codes[place] = code;
            }
        }
        side_by_side
    }

    /// Calls `visit` with the place of each of the first `len` words that is like `asked`, and how much.
    fn visit_alike(&self, asked: &AskedWord, len: usize, threshold: f32, mut visit: impl FnMut(usize, f32)) {
        let mut dots = [0; BLOCK];
        if let Some(query) = &asked.query {
            Kernel::detect().dots_signed(&self.codes, query, &mut dots);
        }
        let (stems, steps) = (&self.stems[..len], &self.steps[..len]);
        asked.visit_alike(stems, steps, &dots[..len], threshold, &mut visit);
    }
}

/// A word that is asked for, ready to be compared.
struct AskedWord {
    stem: u32,
    step: f32,
    /// `None` for a word without embedding.
    query: Option<Int8Query>,
}

impl AskedWord {
    /// Calls `visit` with the place of each word that is like this one, and how much. Few are, so that most
    /// blocks of words end with one comparison.
    fn visit_alike(
        &self,
        stems: &[u32],
        steps: &[f32],
        dots: &[i32],
        threshold: f32,
        visit: &mut impl FnMut(usize, f32),
    ) {
        let likeness = |at: usize| self.likeness(stems[at], steps[at], dots[at], threshold);
        let whole = stems.len() / BLOCK * BLOCK;
        let blocks = stems.as_chunks::<BLOCK>().0.iter();
        let blocks = blocks
            .zip(steps.as_chunks::<BLOCK>().0)
            .zip(dots.as_chunks::<BLOCK>().0);
        for (block, ((stems, steps), dots)) in blocks.enumerate() {
            let some = Kernel::detect().wide(|| {
                let words = stems.iter().zip(steps).zip(dots);
                // No branch in it, so that the whole block is compared at once.
                words.fold(0, |some, ((&stem, &step), &dot)| {
                    let is_alike = self.above(step, dot, threshold) > 0.0;
                    some | u32::from(stem == self.stem) | u32::from(is_alike)
                })
            }) != 0;
            if some {
                (block * BLOCK..(block + 1) * BLOCK)
                    .map(|at| (at, likeness(at)))
                    .filter(|&(_, likeness)| likeness > 0.0)
                    .for_each(|(at, likeness)| visit(at, likeness));
            }
        }
        (whole..stems.len())
            .map(|at| (at, likeness(at)))
            .filter(|&(_, likeness)| likeness > 0.0)
            .for_each(|(at, likeness)| visit(at, likeness));
    }

    #[inline]
    fn likeness(&self, stem: u32, step: f32, dot: i32, threshold: f32) -> f32 {
        if stem == self.stem {
            1.0
        } else {
            self.above(step, dot, threshold)
        }
    }

    /// What of the cosine lies above the threshold.
    #[inline]
    fn above(&self, step: f32, dot: i32, threshold: f32) -> f32 {
        let cosine = dot as f32 * self.step * step;
        ((cosine - threshold) / (1.0 - threshold)).min(1.0)
    }
}

impl Words {
    fn asked(&self, number: u32) -> AskedWord {
        AskedWord {
            stem: self.stem(number),
            step: self.step(number),
            query: self.code(number).map(query_of),
        }
    }

    /// 0 for a word without embedding.
    fn step(&self, number: u32) -> f32 {
        self.steps.get(number as usize).copied().unwrap_or(0.0)
    }

    fn code(&self, number: u32) -> Option<&[i8]> {
        let from = number as usize * self.dim;
        self.codes
            .get(from..from + self.dim)
            .filter(|code| !code.is_empty())
    }
}

/// A code as it is compared with others.
fn query_of(code: &[i8]) -> Int8Query {
    let mut values = Vec::with_capacity(padded_lines(code.len()) * LINE);
    values.extend_from_slice(code);
    values.resize(padded_lines(code.len()) * LINE, 0);
    let sum: i32 = code.iter().map(|&code| i32::from(code)).sum();
    Int8Query {
        values,
        bias: i32::from(ZERO) * sum,
    }
}

/// Room for so many at first: of a few hundred words compared, that many are alike as a rule.
const FEW_FOUND: usize = 32;
/// Words in all the lists together; 8 MiB.
const MOST_KEPT: usize = 1 << 20;
/// So many words are compared in one go where all are; some 100 us.
const COMPARED_AT_ONCE: usize = 1 << 12;
/// Rows that the kernel reads side by side.
const BLOCK: usize = 16;
/// So many words ahead codes are fetched: while the kernel compares those that are there.
const AHEAD: usize = 32;
