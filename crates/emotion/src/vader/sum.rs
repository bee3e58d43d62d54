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
pub(super) fn sum_floats(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut compensation) = (0.0, 0.0);
    for value in values {
        add(&mut sum, &mut compensation, value);
    }
    sum + compensation
}

/// Sum of a mixed list: integers are added exactly up to the first float, plainly after it.
pub(super) fn sum_mixed(values: impl Iterator<Item = Number>) -> f64 {
    let (mut sum, mut compensation) = (0.0, 0.0);
    let mut seen_float = false;
    for value in values {
        match value {
            Number::Int(int) => sum += f64::from(int),
            Number::Float(float) if seen_float => add(&mut sum, &mut compensation, float),
            Number::Float(float) => {
                seen_float = true;
                sum += float;
            }
        }
    }
    sum + compensation
}

fn add(sum: &mut f64, compensation: &mut f64, x: f64) {
    let total = *sum + x;
    *compensation += if sum.abs() >= x.abs() {
        (*sum - total) + x
    } else {
        (x - total) + *sum
    };
    *sum = total;
}
