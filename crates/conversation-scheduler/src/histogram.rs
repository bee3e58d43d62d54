//! Waits by logarithmic buckets: a fixed 2 kB, quantiles to within an eighth of the value.

use std::time::Duration;

/// Eight buckets per power of two of nanoseconds.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    buckets: Box<[u64]>,
    count: u64,
    sum: u64,
}

const SUB_BITS: u32 = 3;
const BUCKETS: usize = (64 - SUB_BITS as usize + 1) << SUB_BITS;

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            buckets: vec![0; BUCKETS].into_boxed_slice(),
            count: 0,
            sum: 0,
        }
    }

    #[inline]
    pub(crate) fn record(&mut self, nanos: u64) {
        self.buckets[bucket(nanos)] += 1;
        self.count += 1;
        self.sum = self.sum.saturating_add(nanos);
    }

    pub(crate) fn mean(&self) -> Duration {
        Duration::from_nanos(self.sum.checked_div(self.count).unwrap_or(0))
    }

    /// The value that a share `q` (0 to 1) of the records does not exceed, rounded up to its bucket.
    pub(crate) fn quantile(&self, q: f64) -> Duration {
        let rank = (q * self.count as f64).ceil() as u64;
        let mut seen = 0;
        for (bucket, &count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank && count > 0 {
                return Duration::from_nanos(upper_bound(bucket));
            }
        }
        Duration::ZERO
    }
}

#[inline]
fn bucket(value: u64) -> usize {
    if value < 1 << SUB_BITS {
        return value as usize;
    }
    let power = value.ilog2() - SUB_BITS;
    let sub = (value >> power) as usize & ((1 << SUB_BITS) - 1);
    ((power as usize + 1) << SUB_BITS) + sub
}

fn upper_bound(bucket: usize) -> u64 {
    if bucket < 1 << SUB_BITS {
        return bucket as u64;
    }
    let power = (bucket >> SUB_BITS) - 1;
    let sub = (bucket & ((1 << SUB_BITS) - 1)) as u64;
    let next = u128::from((1 << SUB_BITS) + sub + 1) << power;
    u64::try_from(next - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bucket_holds_its_value_within_an_eighth(value in any::<u64>()) {
            let upper = upper_bound(bucket(value));
            prop_assert!(upper >= value);
            prop_assert!(upper - value <= value / 8 + 1);
        }

        #[test]
        fn quantiles_are_those_of_the_sorted_values(mut values in prop::collection::vec(0u64..1 << 40, 1..200), q in 0.01f64..1.0) {
            let mut histogram = Histogram::new();
            values.iter().for_each(|&value| histogram.record(value));
            values.sort_unstable();
            let exact = values[(q * values.len() as f64).ceil() as usize - 1];
            let got = histogram.quantile(q).as_nanos() as u64;
            prop_assert!(got >= exact && got - exact <= exact / 8 + 1);
        }
    }
}
