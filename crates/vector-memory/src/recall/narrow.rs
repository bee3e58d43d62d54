//! Which records can be among the nearest: int8 codes rule out most of the others.

use super::{Metric, UnitQuery};
use crate::partition::{CoarseQuery, Partition};

/// The admitted records that the codes' upper planes do not rule out of the `k` nearest, ascending.
pub(super) fn near_enough(
    partition: &Partition,
    admitted: &[bool],
    query: Option<&UnitQuery>,
    k: usize,
    metric: Metric,
) -> Vec<u32> {
    let Some(query) = query.filter(|_| partition.row_count() > SCANNED_AT_ONCE) else {
        let all = (0..admitted.len() as u32).filter(|&record| admitted[record as usize]);
        return all.collect();
    };
    let codes = partition.codes();
    let mut contenders = Contenders {
        partition,
        query,
        metric,
        kth: KthGreatest::new(k),
        list: Vec::new(),
        open: None,
    };
    let coarse = CoarseQuery::new(&query.values);
    let widest = codes.widest_coarse_error_bound(&coarse, query.l1);
    let wanted = |row| admitted[partition.record_of_row(row) as usize];
    codes.coarse_similarities(&coarse, wanted, |row, cosine| {
        // Nearly all rows end here, however far off their codes may be.
        if metric != Metric::Cosine || cosine + widest >= contenders.kth.least {
            contenders.take_in(row, cosine, codes.coarse_error_bound(&coarse, query.l1, row));
        }
    });
    contenders.decided()
}

/// The records that are in the running.
struct Contenders<'a> {
    partition: &'a Partition,
    query: &'a UnitQuery,
    metric: Metric,
    kth: KthGreatest,
    /// Each with the most that its nearness can be.
    list: Vec<(u32, f32)>,
    /// The record whose rows are being taken in, and the bounds of its nearness.
    open: Option<(u32, f32, f32)>,
}

impl Contenders<'_> {
    /// The rows of a record follow each other.
    fn take_in(&mut self, row: usize, cosine: f32, error: f32) {
        let record = self.partition.record_of_row(row);
        let (nearness, error) = self
            .metric
            .at_cosine(self.partition, Some(self.query), row, cosine, error);
        let (low, high) = (nearness - error, nearness + error);
        match &mut self.open {
            Some((open, least, most)) if *open == record => {
                *least = least.max(low);
                *most = most.max(high);
            }
            _ => {
                self.close();
                self.open = Some((record, low, high));
            }
        }
    }

    fn close(&mut self) {
        if let Some((record, low, high)) = self.open.take()
            && high >= self.kth.least
        {
            self.kth.add(low);
            self.list.push((record, high));
        }
    }

    fn decided(mut self) -> Vec<u32> {
        self.close();
        let kth = self.kth.value();
        let near = self.list.into_iter().filter(|&(_, most)| most >= kth);
        near.map(|(record, _)| record).collect()
    }
}

/// The `k`-th greatest of a stream of numbers.
struct KthGreatest {
    k: usize,
    best: Vec<f32>,
    /// No greater than the `k`-th greatest so far, and not much less.
    least: f32,
}

impl KthGreatest {
    fn new(k: usize) -> Self {
        Self {
            k,
            best: Vec::new(),
            least: f32::NEG_INFINITY,
        }
    }

    fn add(&mut self, value: f32) {
        if value > self.least {
            self.best.push(value);
            if self.best.len() >= self.k.saturating_mul(2) {
                self.least = self.value();
                self.best.truncate(self.k);
            }
        }
    }

    /// Minus infinity while there are fewer than `k`.
    fn value(&mut self) -> f32 {
        if self.best.len() < self.k {
            return f32::NEG_INFINITY;
        }
        let (_, &mut kth, _) = self
            .best
            .select_nth_unstable_by(self.k - 1, |a, b| b.total_cmp(a));
        kth
    }
}

/// Up to so many rows all planes are read without looking at the upper ones first.
const SCANNED_AT_ONCE: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_kth_greatest_is_that_of_the_sorted(values in prop::collection::vec(-9.0_f32..9.0, 0..60), k in 1_usize..12) {
            let mut kth = KthGreatest::new(k);
            values.iter().for_each(|&value| kth.add(value));
            let mut sorted = values;
            sorted.sort_by(|a, b| b.total_cmp(a));
            let expected = sorted.get(k - 1).copied().unwrap_or(f32::NEG_INFINITY);
            prop_assert!(kth.least <= expected);
            prop_assert_eq!(kth.value(), expected);
        }
    }
}
