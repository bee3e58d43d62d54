//! A value for each row or record, in memory that a thread keeps from one recall to the next: a few hundred
//! of them are more than glibc keeps at hand for a thread, and dear to ask for each time.

use std::{
    cell::Cell,
    ops::{Deref, DerefMut},
    thread::LocalKey,
};

/// The values, by row or by record.
#[derive(Debug)]
pub(crate) struct Column<T: Kept>(Vec<T>);

/// What columns are made of.
pub(crate) trait Kept: Copy + 'static {
    /// This thread's columns that nobody uses.
    fn spare() -> &'static LocalKey<Cell<Vec<Vec<Self>>>>;
}

thread_local! {
    static NUMBERS: Cell<Vec<Vec<f32>>> = const { Cell::new(Vec::new()) };
    static PLACES: Cell<Vec<Vec<u32>>> = const { Cell::new(Vec::new()) };
    static BITS: Cell<Vec<Vec<u64>>> = const { Cell::new(Vec::new()) };
}

impl Kept for f32 {
    fn spare() -> &'static LocalKey<Cell<Vec<Vec<Self>>>> {
        &NUMBERS
    }
}

impl Kept for u32 {
    fn spare() -> &'static LocalKey<Cell<Vec<Vec<Self>>>> {
        &PLACES
    }
}

impl Kept for u64 {
    fn spare() -> &'static LocalKey<Cell<Vec<Vec<Self>>>> {
        &BITS
    }
}

impl<T: Kept> Column<T> {
    /// `value`, `len` times.
    pub(crate) fn of(value: T, len: usize) -> Self {
        let mut column = Self::with_room_for(len);
        column.resize(len, value);
        column
    }

    /// No value yet.
    pub(crate) fn with_room_for(len: usize) -> Self {
        let mut spare = T::spare().take();
        let mut values = spare.pop().unwrap_or_default();
        T::spare().set(spare);
        values.reserve(len);
        Self(values)
    }
}

impl<T: Kept> Drop for Column<T> {
    fn drop(&mut self) {
        let mut values = std::mem::take(&mut self.0);
        let mut spare = T::spare().take();
        if spare.len() < MOST_COLUMNS && values.capacity() <= MOST_KEPT {
            values.clear();
            spare.push(values);
        }
        T::spare().set(spare);
    }
}

impl<T: Kept> Deref for Column<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T: Kept> DerefMut for Column<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

/// Columns of one kind that a thread keeps: as many as a recall uses at a time.
const MOST_COLUMNS: usize = 4;
/// Values of a column that is kept, at most: 64 or 128 KiB.
const MOST_KEPT: usize = 1 << 14;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_it_was_asked_for_whatever_was_in_it_before() {
        let mut first = Column::of(1.0_f32, 300);
        first[7] = 5.0;
        let place = first.as_ptr();
        drop(first);
        let second = Column::of(2.0_f32, 200);
        assert_eq!(second.as_ptr(), place, "the same memory");
        assert_eq!(*second, vec![2.0; 200]);
        assert!(Column::<u64>::with_room_for(3).is_empty());
    }

    #[test]
    fn no_more_is_kept_than_a_recall_uses() {
        drop(Column::of(0_u64, MOST_KEPT + 1));
        let columns: Vec<Column<u64>> = (0..10).map(|n| Column::of(n, 10)).collect();
        drop(columns);
        let spare = u64::spare().take();
        assert_eq!(spare.len(), MOST_COLUMNS);
        assert!(spare.iter().all(|values| values.capacity() <= MOST_KEPT));
    }
}
