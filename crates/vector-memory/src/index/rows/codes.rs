//! The int8 codes of some rows, in two planes: the upper four bits of each code and the lower four.
//!
//! The upper plane alone is a code of four bits, half as long to read. What it leaves out is bounded: the lower
//! four bits are within 7.5 of 7.5. A byte holds the nibbles of two coordinates, 64 apart.

use crate::kernel::{LINE, Line, ZERO, encode_row, padded_lines, prefer_huge_pages};

/// Rows scored by one call of the kernel; there is room for a whole number of such groups.
pub(in crate::index) const GROUP: usize = 16;

#[derive(Debug, Clone, Default)]
pub(in crate::index) struct Codes {
    coarse: Vec<Line>,
    fine: Vec<Line>,
    /// What one unit of a row's codes stands for; NaN for rows that are absent.
    scales: Vec<f32>,
    /// Lines of each plane that a row takes.
    lines: usize,
}

/// One row's codes.
#[derive(Debug, Clone, Copy)]
pub(in crate::index) struct CodeRow<'a> {
    pub(in crate::index) coarse: &'a [Line],
    pub(in crate::index) fine: &'a [Line],
    pub(in crate::index) scale: &'a f32,
}

/// How far a row's codes are off.
#[derive(Debug, Clone, Copy)]
pub(in crate::index) struct CodeError {
    /// From the row, by Euclid.
    pub(in crate::index) whole: f32,
    /// The upper four bits and the middle of the lower, from the codes; in units of the codes.
    pub(in crate::index) coarse: f32,
}

impl Codes {
    /// None yet, with room for so many rows in huge pages.
    pub(in crate::index) fn with_room(rows: usize, dim: usize) -> Self {
        let lines = padded_lines(dim) / 2;
        let codes = Self {
            coarse: Vec::with_capacity(rows * lines),
            fine: Vec::with_capacity(rows * lines),
            scales: Vec::with_capacity(rows),
            lines,
        };
        prefer_huge_pages(&codes.coarse);
        prefer_huge_pages(&codes.fine);
        codes
    }

    /// Adds the codes of other rows after these, which are a whole number of groups.
    pub(in crate::index) fn append(&mut self, others: &Self) {
        self.coarse.extend_from_slice(&others.coarse);
        self.fine.extend_from_slice(&others.fine);
        self.scales.extend_from_slice(&others.scales);
    }

    /// Writes the codes of a rotated row, the next one or one that there is.
    pub(in crate::index) fn write(&mut self, row: usize, rotated: &[f32]) -> CodeError {
        let lines = padded_lines(rotated.len()) / 2;
        self.lines = lines;
        if row == self.scales.len() {
            let room = row + GROUP;
            self.coarse.resize(room * lines, NOTHING);
            self.fine.resize(room * lines, NOTHING);
            self.scales.resize(room, f32::NAN);
        }
        let mut codes = vec![NOTHING; 2 * lines];
        let encoded = encode_row(rotated, &mut codes);
        self.scales[row] = encoded.scale;
        let planes = self.coarse[row * lines..]
            .iter_mut()
            .zip(&mut self.fine[row * lines..]);
        for ((coarse, fine), pair) in planes.zip(codes.as_chunks::<2>().0) {
            for (at, (&first, &second)) in pair[0].0.iter().zip(&pair[1].0).enumerate() {
                coarse.0[at] = first >> 4 | second & 0xF0;
                fine.0[at] = first & 15 | second << 4;
            }
        }
        let rest = codes.iter().flat_map(|line| &line.0).take(rotated.len());
        let squares: f32 = rest.map(|code| (f32::from(code & 15) - 7.5).powi(2)).sum();
        CodeError {
            whole: encoded.error,
            coarse: squares.sqrt(),
        }
    }

    /// Wipes a row.
    pub(in crate::index) fn wipe(&mut self, row: usize) {
        let lines = self.lines();
        self.scales[row] = f32::NAN;
        self.coarse[row * lines..][..lines].fill(NOTHING);
        self.fine[row * lines..][..lines].fill(NOTHING);
    }

    /// The upper plane and the scales of a group of rows.
    #[inline]
    pub(in crate::index) fn group(&self, group: usize) -> (&[Line], &[f32; GROUP]) {
        let lines = self.lines();
        let scales = self.scales.as_chunks().0;
        (
            &self.coarse[group * GROUP * lines..][..GROUP * lines],
            &scales[group],
        )
    }

    #[inline]
    pub(in crate::index) fn row(&self, row: usize) -> CodeRow<'_> {
        let lines = self.lines();
        CodeRow {
            coarse: self.coarse(row),
            fine: &self.fine[row * lines..][..lines],
            scale: self.scale(row),
        }
    }

    /// The upper plane of a row.
    #[inline]
    pub(in crate::index) fn coarse(&self, row: usize) -> &[Line] {
        &self.coarse[row * self.lines()..][..self.lines()]
    }

    #[inline]
    pub(in crate::index) fn scale(&self, row: usize) -> &f32 {
        &self.scales[row]
    }

    #[inline]
    fn lines(&self) -> usize {
        self.lines
    }

    pub(in crate::index) fn bytes(&self) -> usize {
        (self.coarse.capacity() + self.fine.capacity()) * LINE + self.scales.capacity() * size_of::<f32>()
    }
}

impl CodeRow<'_> {
    /// The codes, in the order of the coordinates, padded.
    fn codes(&self) -> impl Iterator<Item = u8> + '_ {
        self.coarse.iter().zip(self.fine).flat_map(|(coarse, fine)| {
            let pairs = move || coarse.0.iter().zip(&fine.0);
            let first = pairs().map(|(coarse, fine)| coarse << 4 | fine & 15);
            first.chain(pairs().map(|(coarse, fine)| coarse & 0xF0 | fine >> 4))
        })
    }

    /// The rotated coordinates that the codes stand for.
    pub(in crate::index) fn decode(&self, out: &mut [f32]) {
        for (out, code) in out.iter_mut().zip(self.codes()) {
            *out = (f32::from(code) - f32::from(ZERO)) * *self.scale;
        }
    }
}

const NOTHING: Line = Line([ZERO; LINE]);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::{CoarseScale, Kernel, encode_query};

    proptest! {
        #[test]
        fn both_planes_are_the_codes_and_the_upper_one_is_off_by_no_more_than_it_says(
            pairs in prop::collection::vec((-1.0_f32..1.0, -1.0_f32..1.0), 1..300),
        ) {
            let (row, query): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let mut codes = Codes::default();
            let error = codes.write(0, &row);
            let mut decoded = vec![0.0; row.len()];
            codes.row(0).decode(&mut decoded);
            let off = row.iter().zip(&decoded).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
            prop_assert!((off - error.whole).abs() < 1e-4);

            let (query, encoded) = encode_query(&query);
            let CodeRow { coarse, fine, scale } = codes.row(0);
            let (rows, factors) = codes.group(0);
            for kernel in Kernel::available() {
                let exact: f32 = decoded.iter().zip(&query.values).map(|(a, &b)| a * f32::from(b)).sum();
                let both = kernel.dot_int8(coarse, fine, &query) as f32 * scale;
                prop_assert!((both - exact).abs() < 0.01, "{}: {both} is not {exact}", kernel.name);
                let norm = query.values.iter().map(|&v| f32::from(v).powi(2)).sum::<f32>().sqrt();
                let offset = -120.5 * (query.bias as f32 / 128.0);
                for (offset, expected) in [(offset + error.coarse * norm, 1), (offset - error.coarse * norm, 0)] {
                    let threshold = exact + if expected == 1 { -0.01 } else { 0.01 };
                    let bounds = CoarseScale { factors, slope: 16.0, offset, threshold };
                    prop_assert_eq!(kernel.scan_coarse(rows, &query, &bounds) & 1, expected, "{}", kernel.name);
                }
            }
            prop_assert!(encoded.scale >= 0.0);
        }
    }
}
