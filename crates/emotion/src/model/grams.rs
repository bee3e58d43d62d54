//! Character n-grams: what is made of words that are not known.

use super::{features::grams, row::Row, vocabulary::Weighed, weights::LANES};

/// The rows of the n-grams, which share them by hash.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grams {
    pub(crate) rows: Vec<Row>,
    pub(crate) squares: Vec<u8>,
    /// One unit of a row, by lane.
    pub(crate) scale: [f32; LANES],
}

impl Grams {
    /// Replaces the content of `out` by the number of the row of each n-gram of `form`.
    #[inline]
    pub(crate) fn list(&self, form: &[u8], out: &mut Vec<u32>) {
        grams(form, self.rows.len() as u32, out);
    }

    /// What all n-grams of `form` add together, in units of `scale`.
    pub(crate) fn weigh(&self, form: &[u8], scale: &[f32; LANES]) -> Weighed {
        let mut sums = [0_i32; LANES];
        let mut squares = 0_u16;
        let mut rows = Vec::new();
        self.list(form, &mut rows);
        for row in rows {
            squares += u16::from(self.squares[row as usize]);
            for (sum, weight) in sums.iter_mut().zip(self.rows[row as usize].weights()) {
                *sum += i32::from(weight);
            }
        }
        let rounded = |lane: usize| (sums[lane] as f32 * self.scale[lane] / scale[lane]).round();
        Weighed {
            row: Row::new(std::array::from_fn(|lane| {
                rounded(lane).clamp(-127.0, 127.0) as i8
            })),
            squares,
        }
    }
}
