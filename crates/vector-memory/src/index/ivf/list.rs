//! The lists: the 1-bit codes of their vectors, 64 side by side.
//!
//! A code holds the signs of the coordinates of the rotated residual `r` of a vector to the list's centre, and
//! the factor that makes `factor * <signs, q>` an unbiased estimate of `<r, q>` (RaBitQ; Gao and Long, SIGMOD
//! 2024). Codes are stored byte by byte across a block's vectors, for the kernel's shuffles.
//!
//! The blocks of all lists lie in one piece of memory, so that it can be in huge pages and a code is named by one
//! number, its position. A list is a chain of blocks of which only the last is not full; what a search
//! needs to follow it is small enough to stay in the processor's caches.

use crate::kernel::{
    BLOCK, CODE_GROUP, LINE, Line, from_upper_half, prefer_huge_pages, prefetch_early, upper_half,
};

#[derive(Debug, Clone)]
pub(super) struct Lists {
    /// Of one code, and so lines of one block.
    bytes: usize,
    heads: Vec<Head>,
    /// The codes of all blocks, one after the other.
    codes: Vec<Line>,
    /// Of each block what goes with its codes; no more of it than the block has vectors means anything.
    factors: Vec<Factors>,
    slots: Vec<[u32; BLOCK]>,
    links: Vec<Link>,
    /// Blocks of no list.
    free: Vec<u32>,
}

/// Where a list begins and ends.
#[derive(Debug, Clone, Copy)]
struct Head {
    len: u32,
    first: u32,
    last: u32,
}

/// The blocks before and after one of a list.
#[derive(Debug, Clone, Copy)]
struct Link {
    before: u32,
    after: u32,
}

#[derive(Debug, Clone)]
#[repr(align(64))]
struct Factors([u16; BLOCK]);

/// The code of one vector.
#[derive(Debug, Clone, Default)]
pub(super) struct Code {
    pub(super) bytes: Vec<u8>,
    pub(super) factor: f32,
}

impl Code {
    /// Encodes a residual.
    pub(super) fn new(residual: impl ExactSizeIterator<Item = f32>) -> Self {
        let (mut squares, mut magnitudes) = (0.0_f32, 0.0_f32);
        let mut bytes = vec![0; code_bytes(residual.len())];
        for (at, value) in residual.enumerate() {
            squares += value * value;
            magnitudes += value.abs();
            bytes[at / 8] |= u8::from(value > 0.0) << (at % 8);
        }
        let factor = if magnitudes > 0.0 {
            squares / magnitudes
        } else {
            0.0
        };
        Self { bytes, factor }
    }
}

/// The bytes that a code of `dim` bits takes: whole groups.
pub(super) fn code_bytes(dim: usize) -> usize {
    dim.div_ceil(8 * CODE_GROUP) * CODE_GROUP
}

/// One block of a list, as the kernel takes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockRef<'a> {
    pub(super) codes: &'a [Line],
    /// Upper halves of f32.
    pub(super) factors: &'a [u16; BLOCK],
    /// As many slots as the block has vectors, 1 to 64.
    pub(super) slots: &'a [u32],
    /// The position of the first code.
    pub(super) start: u32,
}

impl Lists {
    /// So many empty lists, with room for the vectors that each is to have, of codes of `bits`.
    pub(super) fn for_members(members: impl ExactSizeIterator<Item = usize>, bits: usize) -> Self {
        let bytes = code_bytes(bits);
        let empty = Head {
            len: 0,
            first: NONE,
            last: NONE,
        };
        let heads = vec![empty; members.len()];
        let blocks = members.map(|vectors| vectors.div_ceil(BLOCK)).sum();
        let mut lists = Self {
            bytes,
            heads,
            codes: Vec::with_capacity(blocks * bytes),
            factors: Vec::with_capacity(blocks),
            slots: Vec::with_capacity(blocks),
            links: Vec::with_capacity(blocks),
            free: Vec::new(),
        };
        lists.prefer_huge_pages();
        lists
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    /// Blocks of all lists; positions are below 64 times as many.
    pub(super) fn block_count(&self) -> usize {
        self.links.len()
    }

    /// The numbers of a list's blocks.
    #[inline]
    pub(super) fn numbers(&self, list: u32) -> impl Iterator<Item = u32> + Clone + '_ {
        let there = |block| (block != NONE).then_some(block);
        let first = self.heads[list as usize].first;
        std::iter::successors(there(first), move |&block| {
            there(self.links[block as usize].after)
        })
    }

    /// The blocks of a list.
    #[inline]
    pub(super) fn blocks(&self, list: u32) -> impl Iterator<Item = BlockRef<'_>> + Clone {
        let Head { len, last, .. } = self.heads[list as usize];
        self.numbers(list).map(move |number| {
            let vectors = if number == last {
                (len as usize - 1) % BLOCK + 1
            } else {
                BLOCK
            };
            let block = number as usize;
            BlockRef {
                codes: self.codes(number),
                factors: &self.factors[block].0,
                slots: &self.slots[block][..vectors],
                start: number * BLOCK as u32,
            }
        })
    }

    #[inline]
    pub(super) fn codes(&self, block: u32) -> &[Line] {
        &self.codes[block as usize * self.bytes..][..self.bytes]
    }

    /// Asks for what every estimate of a block needs beside the codes.
    #[inline]
    pub(super) fn prefetch_factors(&self, block: u32) {
        prefetch_early(std::slice::from_ref(&self.factors[block as usize]));
    }

    /// The slots of the vectors at some positions, in that order.
    pub(super) fn slots(&self, positions: &[u32]) -> Vec<u32> {
        let slot = |position: u32| &self.slots[position as usize / BLOCK][position as usize % BLOCK];
        let (now, ahead) = positions.split_at(positions.len().min(SLOTS_AHEAD));
        let ask = |&position: &u32| prefetch_early(std::slice::from_ref(slot(position)));
        now.iter().for_each(ask);
        let mut ahead = ahead.iter();
        let found = positions.iter().map(|&position| {
            ahead.next().into_iter().for_each(ask);
            *slot(position)
        });
        found.collect()
    }

    /// Adds a vector at the end of a list; its position.
    pub(super) fn push(&mut self, list: u32, slot: u32, code: &Code) -> u32 {
        let Head { len, last, .. } = self.heads[list as usize];
        let lane = len as usize % BLOCK;
        let block = if lane == 0 { self.append_block(list) } else { last };
        self.heads[list as usize].len += 1;
        let at = block * BLOCK as u32 + lane as u32;
        self.write(at, slot, code);
        at
    }

    /// Takes the vector at a position out of its list, moving the list's last one there; the slot that moved, if any.
    pub(super) fn swap_remove(&mut self, list: u32, at: u32) -> Option<u32> {
        let Head { len, last: block, .. } = self.heads[list as usize];
        let lane = (len - 1) % BLOCK as u32;
        let last = block * BLOCK as u32 + lane;
        let moved = (at != last).then(|| {
            let (slot, code) = self.read(last);
            self.write(at, slot, &code);
            slot
        });
        self.heads[list as usize].len -= 1;
        if lane == 0 {
            self.remove_last_block(list);
        }
        moved
    }

    fn append_block(&mut self, list: u32) -> u32 {
        let head = &mut self.heads[list as usize];
        let link = Link {
            before: head.last,
            after: NONE,
        };
        let block = self.free.pop().unwrap_or(self.links.len() as u32);
        if block as usize == self.links.len() {
            let room = self.codes.capacity();
            self.codes.resize(self.codes.len() + self.bytes, Line([0; LINE]));
            self.factors.push(Factors([0; BLOCK]));
            self.slots.push([0; BLOCK]);
            self.links.push(link);
            if self.codes.capacity() != room {
                prefer_huge_pages(&self.codes);
            }
        }
        self.links[block as usize] = link;
        match head.last {
            NONE => head.first = block,
            before => self.links[before as usize].after = block,
        }
        head.last = block;
        block
    }

    fn remove_last_block(&mut self, list: u32) {
        let head = &mut self.heads[list as usize];
        self.free.push(head.last);
        head.last = self.links[head.last as usize].before;
        match head.last {
            NONE => head.first = NONE,
            last => self.links[last as usize].after = NONE,
        }
    }

    fn write(&mut self, at: u32, slot: u32, code: &Code) {
        let (block, lane) = (at as usize / BLOCK, at as usize % BLOCK);
        self.factors[block].0[lane] = upper_half(code.factor);
        self.slots[block][lane] = slot;
        for (line, &byte) in self.codes[block * self.bytes..].iter_mut().zip(&code.bytes) {
            line.0[lane] = byte;
        }
    }

    fn read(&self, at: u32) -> (u32, Code) {
        let (block, lane) = (at as usize / BLOCK, at as usize % BLOCK);
        let code = Code {
            bytes: self.codes(block as u32).iter().map(|line| line.0[lane]).collect(),
            factor: from_upper_half(self.factors[block].0[lane]),
        };
        (self.slots[block][lane], code)
    }

    fn prefer_huge_pages(&mut self) {
        prefer_huge_pages(&self.codes);
        prefer_huge_pages(&self.factors);
        prefer_huge_pages(&self.slots);
    }

    pub(super) fn bytes(&self) -> usize {
        self.heads.capacity() * size_of::<Head>()
            + self.factors.capacity() * size_of::<Factors>()
            + self.slots.capacity() * size_of::<[u32; BLOCK]>()
            + self.codes.capacity() * size_of::<Line>()
            + self.links.capacity() * size_of::<Link>()
            + self.free.capacity() * size_of::<u32>()
    }
}

/// No block.
const NONE: u32 = u32::MAX;

/// Slots asked for ahead of the one being read.
const SLOTS_AHEAD: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Code, Lists, code_bytes};
    use crate::kernel::from_upper_half;

    const DIM: usize = 24;

    fn code(slot: u32) -> Code {
        let bytes = vec![slot as u8; code_bytes(DIM)];
        let factor = (slot % 256) as f32;
        Code { bytes, factor }
    }

    proptest! {
        #[test]
        fn lists_hold_what_was_added_and_not_removed(
            changes in prop::collection::vec((0_u32..3, 0_usize..4, any::<prop::sample::Index>()), 0..1_000),
        ) {
            let mut lists = Lists::for_members([0, 10, 100].into_iter(), DIM);
            // By list: each member's slot and position.
            let mut expected: [Vec<(u32, u32)>; 3] = Default::default();
            for (slot, (list, change, which)) in (0..).zip(changes) {
                let members = &mut expected[list as usize];
                if change > 0 || members.is_empty() {
                    members.push((slot, lists.push(list, slot, &code(slot))));
                    continue;
                }
                let (_, at) = members.swap_remove(which.index(members.len()));
                if let Some(moved) = lists.swap_remove(list, at) {
                    let moved = members.iter_mut().find(|member| member.0 == moved);
                    moved.expect("what moved is a member").1 = at;
                }
            }
            for (list, expected) in (0..).zip(&mut expected) {
                let mut got = Vec::new();
                for block in lists.blocks(list) {
                    prop_assert!(!block.slots.is_empty());
                    for (lane, &slot) in block.slots.iter().enumerate() {
                        got.push((slot, block.start + lane as u32));
                        prop_assert_eq!(from_upper_half(block.factors[lane]), (slot % 256) as f32);
                        prop_assert!(block.codes.iter().all(|line| line.0[lane] == slot as u8));
                    }
                }
                let positions: Vec<u32> = got.iter().map(|member| member.1).collect();
                let slots: Vec<u32> = got.iter().map(|member| member.0).collect();
                prop_assert_eq!(lists.slots(&positions), slots);
                got.sort_unstable();
                expected.sort_unstable();
                prop_assert_eq!(&got, expected);
            }
        }
    }
}
