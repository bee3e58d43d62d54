//! Which words are like a word that is asked for.
//!
//! Of a language's words only some dozens are like any one of them. For a word that is asked for often they
//! are looked up among all and kept, complete for the words below some number. The words of the owner's own
//! memories that came later are compared as they are; that is all that a rare word costs. When a word has
//! cost as much that way as looking further would, it is looked up further: never more than twice the least
//! possible (Karlin et al., "Competitive snoopy caching", 1988).

use std::{
    cell::RefCell,
    ops::Range,
    sync::{Arc, atomic::Ordering},
};

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
        let mut found = Vec::new();
        let Some(least) = lists.iter().map(|list| list.compared).min() else {
            return found;
        };
        let later = vocabulary.since(least);
        if later.is_empty() {
            return found;
        }
        let words = self.read();
        let asked: Vec<AskedWord> = asked.iter().map(|&asked| words.asked(asked)).collect();
        SIDE_BY_SIDE.with_borrow_mut(|gathered| {
            for group in later.chunks(GATHERED) {
                gathered.take(&words, group);
                for (place, (asked, list)) in asked.iter().zip(lists).enumerate() {
                    let from = group.partition_point(|&(number, _)| (number as usize) < list.compared);
                    gathered.visit_alike(asked, from..group.len(), self.threshold, |at, likeness| {
                        found.push((place, group[at].1, likeness));
                    });
                }
            }
        });
        found
    }
}

/// What is compared of some words, side by side.
struct Gathered {
    dim: usize,
    codes: Vec<i8>,
    dots: [i32; GATHERED],
    steps: [f32; GATHERED],
    stems: [u32; GATHERED],
}

impl Gathered {
    fn take(&mut self, words: &Words, group: &[(u32, u32)]) {
        self.dim = words.dim;
        self.codes.resize(GATHERED * words.dim, 0);
        for (place, &(number, _)) in group.iter().enumerate() {
            if let Some(later) = group.get(place + AHEAD).and_then(|&(later, _)| words.code(later)) {
                prefetch(later);
            }
            self.steps[place] = words.step(number);
            self.stems[place] = words.stem(number);
            if let Some(code) = words.code(number) {
                self.codes[place * words.dim..(place + 1) * words.dim].copy_from_slice(code);
            }
        }
    }

    /// Calls `visit` with the place of each in `range` that is like `asked`, and how much.
    fn visit_alike(
        &mut self,
        asked: &AskedWord,
        range: Range<usize>,
        threshold: f32,
        mut visit: impl FnMut(usize, f32),
    ) {
        if range.is_empty() {
            return;
        }
        if let Some(query) = &asked.query {
            // Whole blocks of rows are faster than an exact range.
            let blocks = range.start / BLOCK * BLOCK..range.end.next_multiple_of(BLOCK);
            let codes = &self.codes[blocks.start * self.dim..blocks.end * self.dim];
            Kernel::detect().scan_signed(codes, self.dim, query, &mut self.dots[blocks]);
        } else {
            self.dots.fill(0);
        }
        let from = range.start;
        asked.visit_alike(
            &self.stems[range.clone()],
            &self.steps[range.clone()],
            &self.dots[range],
            threshold,
            &mut |at, likeness| visit(from + at, likeness),
        );
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
                words.fold(false, |some, ((&stem, &step), &dot)| {
                    some | (self.likeness(stem, step, dot, threshold) > 0.0)
                })
            });
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
            return 1.0;
        }
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

thread_local! {
    static SIDE_BY_SIDE: RefCell<Gathered> = const {
        RefCell::new(Gathered {
            dim: 0,
            codes: Vec::new(),
            dots: [0; GATHERED],
            steps: [0.0; GATHERED],
            stems: [0; GATHERED],
        })
    };
}

/// Words in all the lists together; 8 MiB.
const MOST_KEPT: usize = 1 << 20;
/// So many words are compared in one go where all are; some 100 us.
const COMPARED_AT_ONCE: usize = 1 << 12;
/// So many codes are put side by side at a time; they stay in the cache nearest to the processor.
const GATHERED: usize = 64;
/// Rows that the kernel reads side by side.
const BLOCK: usize = 16;
/// So many words ahead codes are fetched.
const AHEAD: usize = 8;
