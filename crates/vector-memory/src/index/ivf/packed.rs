//! Rows that a query is always compared with all at once.

use ndarray::{Array2, Axis};

use crate::kernel::{Int8Query, Kernel, LINE, Line, ZERO, encode_row, padded_lines, prefetch_early};

/// The rows of a matrix as int8 codes, in groups of 16.
#[derive(Debug, Clone, Default)]
pub(super) struct Packed {
    rows: usize,
    groups: Vec<Line>,
    scales: Vec<f32>,
}

impl Packed {
    pub(super) fn new(matrix: &Array2<f32>) -> Self {
        let lines = padded_lines(matrix.ncols());
        let padded = matrix.nrows().next_multiple_of(GROUP);
        let mut packed = Self {
            rows: matrix.nrows(),
            groups: vec![Line([ZERO; LINE]); padded * lines],
            scales: vec![0.0; padded],
        };
        let codes = packed.groups.chunks_exact_mut(lines);
        for (row, (codes, scale)) in matrix.axis_iter(Axis(0)).zip(codes.zip(&mut packed.scales)) {
            let row = row.to_slice().expect("a row of a matrix is contiguous");
            *scale = encode_row(row, codes).scale;
        }
        packed
    }

    /// The dot product of each row with a query whose codes are in steps of `scale`.
    pub(super) fn dots(&self, query: &Int8Query, scale: f32) -> Vec<f32> {
        let kernel = Kernel::detect();
        let lines = query.values.len() / LINE;
        let mut out = Vec::with_capacity(self.scales.len());
        let codes = self.groups.chunks_exact(GROUP * lines);
        let mut groups = codes.zip(self.scales.chunks_exact(GROUP)).peekable();
        while let Some((codes, scales)) = groups.next() {
            if let Some((next, _)) = groups.peek() {
                prefetch_early(next);
            }
            let mut dots = [0; GROUP];
            kernel.dots_int8(codes, query, &mut dots);
            let scaled = dots.iter().zip(scales);
            out.extend(scaled.map(|(&dot, &own)| dot as f32 * own * scale));
        }
        out.truncate(self.rows);
        out
    }

    pub(super) fn bytes(&self) -> usize {
        self.scales.capacity() * size_of::<f32>() + self.groups.capacity() * LINE
    }
}

/// Rows scored by one call of the kernel.
const GROUP: usize = 16;
