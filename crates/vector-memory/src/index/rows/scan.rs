//! Similarities of codes: of all rows, or of some.

use super::{
    CHUNK, Rows,
    codes::{CodeRow, GROUP},
    place,
};
use crate::{
    index::{error::Result, slot_set::SlotSet},
    kernel::{CoarseScale, Int8Query, Kernel, Line, encode_query, prefetch},
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
                    prefetch(self.codes(slot).fine);
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
                prefetch(coarse);
                prefetch(fine);
            }
            visit(self.similarity(kernel, query, slot), slot);
        }
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
        self.chunks[group * GROUP / CHUNK]
            .codes
            .group(group % (CHUNK / GROUP))
    }

    #[inline]
    fn codes(&self, slot: u32) -> CodeRow<'_> {
        let (chunk, row) = place(slot);
        self.chunks[chunk].codes.row(row)
    }
}

/// Rounding of the f32 sums, on top of the codes' error; far above what 65,536 dimensions can add.
const ROUNDING: f32 = 1e-5;

/// No less than the length of a vector of which `Rows::check` says that it is 1.
const LONGEST: f32 = 1.001;

/// Rows fetched ahead of the one being scored: enough to hide the way to memory.
const AHEAD: usize = 8;
