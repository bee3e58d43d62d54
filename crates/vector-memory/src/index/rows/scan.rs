//! Similarities of codes: of all rows, or of some.

use super::{
    Rows,
    codes::{CodeRow, GROUP},
};
use crate::{
    index::{error::Result, rank::Best, slot_set::SlotSet},
    kernel::{CoarseScale, Int8Query, Kernel, Line, encode_query, prefetch_early},
};

/// A query in the forms that the stages of a search want.
#[derive(Debug)]
pub(in crate::index) struct Query<'a> {
    pub(in crate::index) original: &'a [f32],
    pub(in crate::index) rotated: Vec<f32>,
    pub(in crate::index) int8: Int8Query,
    pub(in crate::index) scale: f32,
    /// How far any similarity of codes may be from the true one.
    pub(in crate::index) bound: f32,
    /// What a sum of coarse codes is to be multiplied by, and what is to be added, to be at least the
    /// similarity of the whole codes; in units of a row's scale.
    slope: f32,
    offset: f32,
    /// What is to be added for the sum to be about that similarity, and the deviation of that from it.
    middle: f32,
    deviation: f32,
}

impl Query<'_> {
    /// About the similarity of each of some rows, as the upper plane of their codes tells, to `visit`, with the row's
    /// scale and number. `coarse` gives a row's upper plane, `scale` its scale.
    #[inline]
    pub(in crate::index) fn estimate<'a>(
        &self,
        numbers: &[u32],
        coarse: impl Fn(u32) -> &'a [Line],
        scale: impl Fn(u32) -> &'a f32,
        visit: &mut impl FnMut(f32, f32, u32),
    ) {
        let kernel = Kernel::detect();
        let ask = |numbers: &[u32]| {
            for &number in numbers {
                prefetch_early(coarse(number));
                prefetch_early(std::slice::from_ref(scale(number)));
            }
        };
        let (now, mut ahead) = numbers.split_at(numbers.len().min(2 * GROUP));
        ask(now);
        for group in numbers.chunks(GROUP) {
            let (next, rest) = ahead.split_at(ahead.len().min(GROUP));
            ask(next);
            ahead = rest;
            let mut rows: [&[Line]; GROUP] = [coarse(group[0]); GROUP];
            for (row, &number) in rows.iter_mut().zip(group) {
                *row = coarse(number);
            }
            let mut dots = [0; GROUP];
            kernel.dots_coarse(&rows, &self.int8, &mut dots);
            for (&number, dot) in group.iter().zip(dots) {
                let scale = *scale(number);
                visit(scale * (dot as f32 * self.slope + self.middle), scale, number);
            }
        }
    }
}

impl Rows {
    /// Prepares a query.
    pub(in crate::index) fn query<'a>(&self, original: &'a [f32]) -> Result<Query<'a>> {
        self.check(original)?;
        let mut rotated = original.to_vec();
        self.rotation.apply(&mut rotated);
        let (int8, encoded) = encode_query(&rotated);
        let bound = self.max_error + encoded.error * (1.0 + self.max_error) + ROUNDING;
        let sum = (int8.bias / 128) as f32;
        let norm = LONGEST + encoded.error;
        Ok(Query {
            original,
            rotated,
            scale: encoded.scale,
            bound,
            slope: 16.0 * encoded.scale,
            middle: (7.5 - 128.0) * sum * encoded.scale,
            deviation: self.max_coarse_error * norm / (self.dim as f32).sqrt(),
            // The upper four bits and the middle of the lower, less 128.
            offset: (7.5 - 128.0) * sum * encoded.scale + self.max_coarse_error * norm,
            int8,
        })
    }

    /// Similarity of codes of the present and allowed rows, to `visit`, about in order of slots; rows not above
    /// the threshold that `visit` returned last are left out.
    ///
    /// The upper plane of the codes is read for all, the lower for those that the upper leaves in the running.
    pub(in crate::index) fn scan(
        &self,
        query: &Query<'_>,
        allowed: Option<&SlotSet>,
        visit: &mut impl FnMut(f32, u32) -> f32,
    ) {
        let kernel = Kernel::detect();
        let mut threshold = f32::NEG_INFINITY;
        let mut waiting = Vec::with_capacity(2 * GROUP);
        let groups = (self.slots as usize).div_ceil(GROUP);
        for group in 0..groups {
            let (codes, factors) = self.group(group);
            let scale = CoarseScale {
                factors,
                slope: query.slope,
                offset: query.offset,
                threshold,
            };
            let mut above = kernel.scan_coarse(codes, &query.int8, &scale);
            while above != 0 {
                let slot = (group * GROUP) as u32 + above.trailing_zeros();
                above &= above - 1;
                if allowed.is_none_or(|allowed| allowed.contains(slot)) {
                    prefetch_early(self.codes(slot).fine);
                    waiting.push(slot);
                }
            }
            if waiting.len() >= GROUP || group + 1 == groups {
                for slot in waiting.drain(..) {
                    let similarity = self.similarity(kernel, query, slot);
                    if similarity > threshold {
                        threshold = visit(similarity, slot);
                    }
                }
            }
        }
    }

    /// Similarity of codes of the given slots, all below [`Rows::slots`]; NaN for absent ones.
    pub(in crate::index) fn narrow(
        &self,
        query: &Query<'_>,
        slots: &[u32],
        visit: &mut impl FnMut(f32, u32),
    ) {
        let kernel = Kernel::detect();
        for (at, &slot) in slots.iter().enumerate() {
            if let Some(&ahead) = slots.get(at + AHEAD) {
                let CodeRow { coarse, fine, .. } = self.codes(ahead);
                prefetch_early(coarse);
                prefetch_early(fine);
            }
            visit(self.similarity(kernel, query, slot), slot);
        }
    }

    /// About the similarity of the given slots, all below [`Rows::slots`], as the upper plane of their codes tells, to `visit`,
    /// with the row's scale and slot.
    pub(in crate::index) fn about(
        &self,
        query: &Query<'_>,
        slots: &[u32],
        visit: &mut impl FnMut(f32, f32, u32),
    ) {
        query.estimate(slots, |slot| self.coarse(slot), |slot| self.scale(slot), visit);
    }

    /// Keeps of the given slots, all below [`Rows::slots`] and with a vector, those that can be among the `k` best as far
    /// as the upper plane of the codes tells with near certainty.
    pub(in crate::index) fn sift(&self, query: &Query<'_>, slots: &mut Vec<u32>, k: usize) {
        let mut highest = Vec::with_capacity(slots.len());
        let mut best = Best::new(k);
        self.about(query, slots, &mut |about, scale, slot| {
            highest.push(about + CERTAIN * scale * query.deviation);
            if about > best.threshold() {
                best.offer(about, slot);
            }
        });
        let threshold = best.threshold();
        let mut highest = highest.into_iter();
        slots.retain(|_| highest.next().is_some_and(|highest| highest > threshold));
    }

    /// The query for a vector that is there.
    pub(in crate::index) fn stored_query(&self, slot: u32) -> Query<'_> {
        self.query(self.original_unchecked(slot))
            .expect("a stored vector is a valid query")
    }

    /// A row's codes as the rotated coordinates that they stand for.
    pub(in crate::index) fn decode(&self, slot: u32, out: &mut [f32]) {
        self.codes(slot).decode(out);
    }

    #[inline]
    fn similarity(&self, kernel: &Kernel, query: &Query<'_>, slot: u32) -> f32 {
        let CodeRow { coarse, fine, scale } = self.codes(slot);
        kernel.dot_int8(coarse, fine, &query.int8) as f32 * scale * query.scale
    }

    #[inline]
    fn group(&self, group: usize) -> (&[Line], &[f32; GROUP]) {
        let (chunk, row) = self.place((group * GROUP) as u32);
        self.chunks[chunk].codes.group(row / GROUP)
    }

    /// The upper plane of a row's codes.
    #[inline]
    fn coarse(&self, slot: u32) -> &[Line] {
        let (chunk, row) = self.place(slot);
        self.chunks[chunk].codes.coarse(row)
    }

    /// What one unit of a row's codes stands for.
    #[inline]
    fn scale(&self, slot: u32) -> &f32 {
        let (chunk, row) = self.place(slot);
        self.chunks[chunk].codes.scale(row)
    }

    #[inline]
    fn codes(&self, slot: u32) -> CodeRow<'_> {
        let (chunk, row) = self.place(slot);
        self.chunks[chunk].codes.row(row)
    }
}

/// Rounding of the f32 sums, on top of the codes' error; far above what 65,536 dimensions can add.
const ROUNDING: f32 = 1e-5;

/// No less than the length of a vector of which `Rows::check` says that it is 1.
const LONGEST: f32 = 1.001;

/// Deviations within which the upper plane of the codes is taken to tell the truth.
const CERTAIN: f32 = 4.0;

/// Rows fetched ahead of the one being scored: enough to hide the way to memory.
const AHEAD: usize = 16;
