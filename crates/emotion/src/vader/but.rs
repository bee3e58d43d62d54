//! "but" halves what comes before it and strengthens what comes after - by value.
//!
//! The reference loops over the list it modifies and looks each value up with `index`, so a value that
//! occurs twice is changed at its first place twice. Exactness needs the same.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use super::sum::Number;

impl Number {
    pub(super) fn value(self) -> f64 {
        match self {
            Self::Int(int) => f64::from(int),
            Self::Float(float) => float,
        }
    }

    fn scaled(self, by: f64) -> Self {
        Self::Float(self.value() * by)
    }
}

/// Above this many tokens the places of each value are indexed; below, a scan is faster.
const SCAN_LIMIT: usize = 512;

/// Weighs `values` around the "but" at index `but`.
pub(super) fn weigh(values: &mut [Number], but: usize) {
    if values.len() <= SCAN_LIMIT {
        weigh_by_scan(values, but);
    } else {
        weigh_by_index(values, but);
    }
}

fn weigh_by_scan(values: &mut [Number], but: usize) {
    for at in 0..values.len() {
        let value = values[at].value();
        let first = values[..=at]
            .iter()
            .position(|other| other.value() == value)
            .expect("the value itself is in the range");
        weigh_one(values, first, but);
    }
}

/// As [`weigh_by_scan`] in O(n log n): the first place of each value is the top of its heap.
fn weigh_by_index(values: &mut [Number], but: usize) {
    // Adding 0.0 turns -0.0, which equals 0.0, into it.
    let bits = |number: Number| (number.value() + 0.0).to_bits();
    let mut places: HashMap<u64, BinaryHeap<Reverse<usize>>> = HashMap::new();
    for (at, &value) in values.iter().enumerate() {
        places.entry(bits(value)).or_default().push(Reverse(at));
    }
    for at in 0..values.len() {
        let before = bits(values[at]);
        let heap = places.get_mut(&before).expect("every value has a heap");
        let &Reverse(first) = heap.peek().expect("the value itself is in its heap");
        weigh_one(values, first, but);
        let after = bits(values[first]);
        if after != before {
            heap.pop();
            places.entry(after).or_default().push(Reverse(first));
        }
    }
}

fn weigh_one(values: &mut [Number], at: usize, but: usize) {
    if at < but {
        values[at] = values[at].scaled(0.5);
    } else if at > but {
        values[at] = values[at].scaled(1.5);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_repeated_value_is_changed_at_its_first_place() {
        let mut values = [0.0, 2.0, 2.0, 0.0, 1.9, 1.9].map(Number::Float);
        weigh(&mut values, 3);
        assert_eq!(
            values.map(Number::value),
            [0.0, 1.0, 1.0, 0.0, 1.9 * 1.5, 1.9 * 1.5]
        );
        let mut values = [0.0, 3.0, 1.5, 0.0, 1.5].map(Number::Float);
        weigh(&mut values, 3);
        // 3.0 became 1.5, the next 1.5 is found there, while the last one finds
        // the 1.5 before it.
        assert_eq!(values.map(Number::value), [0.0, 0.75, 0.75, 0.0, 1.5]);
    }

    proptest! {
        #[test]
        fn the_index_agrees_with_the_scan(
            choices in prop::collection::vec(0..9_usize, 1..200),
            but in 0..200_usize,
        ) {
            let menu = [0.0, -0.0, 2.0, 1.0, 0.5, 0.75, 3.0, -1.5, -2.25];
            let values: Vec<Number> = choices.iter().map(|&c| Number::Float(menu[c])).collect();
            let (mut scanned, mut indexed) = (values.clone(), values);
            weigh_by_scan(&mut scanned, but);
            weigh_by_index(&mut indexed, but);
            prop_assert_eq!(scanned, indexed);
        }
    }
}
