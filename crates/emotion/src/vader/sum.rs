//! Python 3.12's `sum` of a list of floats and small integers.

/// A word's contribution. Python keeps an integer where a phrase's value is written as one, and its
/// `sum` adds integers without compensation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Int(i8),
    Float(f64),
}

/// Sum of floats that starts from integer zero: Neumaier's compensated summation (Z. angew. Math. Mech.
/// 54, 1974). Integer zeros may be passed as floats or left out; they change nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FloatSum {
    sum: f64,
    compensation: f64,
}

impl FloatSum {
    #[inline]
    pub(super) fn add(&mut self, x: f64) {
        let total = self.sum + x;
        self.compensation += if self.sum.abs() >= x.abs() {
            (self.sum - total) + x
        } else {
            (x - total) + self.sum
        };
        self.sum = total;
    }

    pub(super) fn total(self) -> f64 {
        self.sum + self.compensation
    }
}

/// Sum of a mixed list: integers are added exactly up to the first float, plainly after it.
pub(super) fn sum_mixed(values: impl Iterator<Item = Number>) -> f64 {
    let mut sum = FloatSum::default();
    let mut seen_float = false;
    for value in values {
        match value {
            Number::Int(int) => sum.sum += f64::from(int),
            Number::Float(float) if seen_float => sum.add(float),
            Number::Float(float) => {
                seen_float = true;
                sum.sum += float;
            }
        }
    }
    sum.total()
}
