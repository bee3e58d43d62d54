//! Making the lists of many vectors at once, on all threads.

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::{
    Calibration, Centroids, IvfIndex, Place, TRAIN_AT, calibration,
    centroids::Assignment,
    directions::Directions,
    list::{Code, Lists},
};
use crate::index::{IndexConfig, persist::IvfState, rows::Rows, slot_set::SlotSet};

impl IvfIndex {
    /// Learns the centres of `rows` and fills the lists; one list when there are too few rows to learn from.
    pub(in crate::index) fn from_rows(rows: Rows, config: &IndexConfig) -> Self {
        config.on_threads(|| {
            let rows = gathered(rows);
            let lists = config.lists.unwrap_or_else(|| default_lists(rows.len()));
            let lists = if rows.len() < TRAIN_AT {
                1
            } else {
                lists.clamp(1, rows.len() / 8)
            };
            let slots: Vec<u32> = rows.present().iter().collect();
            let held_out = calibration::sample(&slots, config.seed);
            let centroids = if lists == 1 {
                Centroids::new(Array2::zeros((1, rows.dim())))
            } else {
                let kept: SlotSet = held_out.iter().copied().collect();
                let slots: Vec<u32> = slots
                    .iter()
                    .copied()
                    .filter(|&slot| !kept.contains(slot))
                    .collect();
                Centroids::train(&rows, &slots, lists, config.seed)
            };
            let directions = Directions::learn(&rows, &centroids, &slots, config.seed);
            let centroids = centroids.along(directions);
            let assigned = assign(&rows, &centroids, &slots);
            let mut index = Self::fill(rows, config, centroids, &slots, &assigned);
            index.calibration = Calibration::measure(&index, &held_out);
            index
        })
    }

    /// The index that `state` was saved from.
    pub(in crate::index) fn from_state(rows: Rows, config: &IndexConfig, state: IvfState) -> Self {
        config.on_threads(|| {
            let rows = gathered(rows);
            let slots: Vec<u32> = rows.present().iter().collect();
            let assigned: Vec<Assignment> = state
                .assigned
                .iter()
                .map(|&[first, second]| Assignment { first, second })
                .collect();
            let centroids = Centroids::new(state.centres).along(Directions::from_rows(state.directions));
            let mut index = Self::fill(rows, config, centroids, &slots, &assigned);
            index.spreads = state.spreads;
            index.trained_for = state.trained_for;
            index.calibration = Calibration::from_parts(state.bands, state.least);
            index
        })
    }

    /// What an index is saved as, besides its rows.
    pub(in crate::index) fn state(&self) -> IvfState {
        let assigned = self.rows.present().iter().map(|slot| {
            let [first, second] = self.places[slot as usize];
            [
                first.list,
                if second == Place::NONE {
                    first.list
                } else {
                    second.list
                },
            ]
        });
        IvfState {
            centres: self.centroids.points().clone(),
            spreads: self.spreads.clone(),
            directions: self.centroids.directions().rows().clone(),
            assigned: assigned.collect(),
            trained_for: self.trained_for,
            bands: self.calibration.bands().to_vec(),
            least: self.calibration.least(),
        }
    }

    fn fill(
        rows: Rows,
        config: &IndexConfig,
        centroids: Centroids,
        slots: &[u32],
        assigned: &[Assignment],
    ) -> Self {
        let mut members = vec![Vec::new(); centroids.len()];
        for (&slot, &Assignment { first, second }) in slots.iter().zip(assigned) {
            members[first as usize].push(slot);
            if second != first {
                members[second as usize].push(slot);
            }
        }
        let mut places = vec![[Place::NONE; 2]; rows.slots() as usize];
        let bits = centroids.directions().bits(rows.dim());
        let mut lists = Lists::for_members(members.iter().map(Vec::len), bits);
        let mut spreads = Vec::with_capacity(members.len());
        // Some lists at a time, so that what is on its way to them stays little.
        let numbered: Vec<(u32, &Vec<u32>)> = (0..).zip(&members).collect();
        for some in numbered.chunks(LISTS_AT_ONCE) {
            let coded: Vec<(Vec<Code>, f32)> = some
                .par_iter()
                .map(|&(list, members)| {
                    let residuals = residuals(&rows, members, |_| centroids.point(list));
                    (centroids.codes(&residuals), spread(&residuals))
                })
                .collect();
            for (&(list, members), (codes, spread)) in some.iter().zip(&coded) {
                spreads.push(*spread);
                for (&slot, code) in members.iter().zip(codes) {
                    let at = lists.push(list, slot, code);
                    let places = &mut places[slot as usize];
                    places[usize::from(places[0] != Place::NONE)] = Place { list, at };
                }
            }
        }
        let trained_for = rows.len();
        Self {
            rows,
            config: config.clone(),
            centroids,
            lists,
            spreads,
            places,
            trained_for,
            calibration: Calibration::default(),
        }
    }
}

/// The rows as searching among so many wants them.
fn gathered(rows: Rows) -> Rows {
    if rows.len() < MANY {
        rows
    } else {
        rows.in_large_chunks()
    }
}

/// What some vectors have beside the centre of each, rotated, one a row.
pub(super) fn residuals<'a>(rows: &Rows, slots: &[u32], centre: impl Fn(u32) -> &'a [f32]) -> Array2<f32> {
    let mut residuals = Array2::zeros((slots.len(), rows.dim()));
    for (mut residual, &slot) in residuals.axis_iter_mut(Axis(0)).zip(slots) {
        let residual = residual.as_slice_mut().expect("a row of a matrix is contiguous");
        rows.decode(slot, residual);
        for (value, c) in residual.iter_mut().zip(centre(slot)) {
            *value -= c;
        }
    }
    residuals
}

/// The root mean square of the residuals' lengths.
fn spread(residuals: &Array2<f32>) -> f32 {
    let squares: f32 = residuals.iter().map(|value| value * value).sum();
    match residuals.nrows() {
        0 => 1.0,
        some => (squares / some as f32).sqrt().max(LEAST_SPREAD),
    }
}

fn assign(rows: &Rows, centroids: &Centroids, slots: &[u32]) -> Vec<Assignment> {
    let assigned = slots
        .par_iter()
        .map(|&slot| centroids.assign(&rows.stored_query(slot)));
    assigned.collect()
}

/// The lists of an index that was asked for none in particular: so few long ones that scanning all of them costs
/// little more than scanning the codes in one go; of many vectors so many that three blocks of 32 are in each, but
/// no more than can be told apart in a fraction of a search.
fn default_lists(vectors: usize) -> usize {
    let root = (vectors as f64).sqrt();
    let lists = if vectors < MANY {
        0.6 * root
    } else {
        (vectors as f64 / 48.0).min(16.0 * root)
    };
    (lists as usize).next_multiple_of(16)
}

/// The spread of a list whose vectors are all alike.
const LEAST_SPREAD: f32 = 0.01;

/// Lists whose codes are made at once.
const LISTS_AT_ONCE: usize = 1_024;

/// Vectors from which on short lists pay: the codes do not fit the processor's caches any more.
const MANY: usize = 131_072;
