//! The index that is exact while it is small and moves to lists when it has grown, without a pause.

use std::{collections::VecDeque, io::Write, thread};

use super::{
    FlatIndex, Hit, IndexConfig, IndexKind, IvfIndex, MemoryUse, SearchParams, VectorIndex, error::Result,
    rows::Rows, slot_set::SlotSet,
};

/// Exact below [`IndexConfig::flat_below`] vectors, partitioned above.
///
/// **Growth.** The insert that reaches the threshold (and later each fourfold size, at which the centres are
/// learnt anew) starts a thread that builds the next index from a snapshot; answers go on coming from the
/// present one. Once it is built, every change also replays some of the changes since the snapshot, and the
/// last of these swaps the next index in. A change never waits for the build, and a search never notices. An
/// index that is no longer changed is swapped by [`maintain`](VectorIndex::maintain) or
/// [`settle`](VectorIndex::settle). A configured recall of 1 keeps it exact at any size.
#[derive(Debug)]
pub struct AutoIndex {
    config: IndexConfig,
    present: Present,
    growth: Option<Growth>,
}

#[derive(Debug)]
enum Present {
    Flat(FlatIndex),
    Ivf(Box<IvfIndex>),
}

#[derive(Debug)]
struct Growth {
    next: Next,
    /// Slots changed since the snapshot, in order.
    changed: VecDeque<u32>,
}

#[derive(Debug)]
enum Next {
    Building(thread::JoinHandle<IvfIndex>),
    Built(Box<IvfIndex>),
}

impl AutoIndex {
    /// An empty index of `dim` dimensions (at least 1).
    pub fn new(dim: usize, config: &IndexConfig) -> Self {
        Self::from_rows(Rows::new(dim.max(1)), config)
    }

    /// Whether a larger index is being prepared.
    pub fn is_growing(&self) -> bool {
        self.growth.is_some()
    }

    pub(super) fn from_rows(rows: Rows, config: &IndexConfig) -> Self {
        let present = if config.recall < 1.0 && rows.len() >= config.flat_below {
            Present::Ivf(Box::new(IvfIndex::from_rows(rows, config)))
        } else {
            Present::Flat(FlatIndex::from_rows(rows))
        };
        Self {
            config: config.clone(),
            present,
            growth: None,
        }
    }

    pub(super) fn from_ivf(ivf: IvfIndex, config: &IndexConfig) -> Self {
        Self {
            config: config.clone(),
            present: Present::Ivf(Box::new(ivf)),
            growth: None,
        }
    }

    fn index(&self) -> &dyn VectorIndex {
        match &self.present {
            Present::Flat(flat) => flat,
            Present::Ivf(ivf) => ivf.as_ref(),
        }
    }

    /// Records a change and brings the growth forward.
    fn changed(&mut self, slot: u32) {
        if let Some(growth) = &mut self.growth {
            growth.changed.push_back(slot);
        }
        self.maintain();
    }

    fn start_growth(&mut self) {
        let rows = match &self.present {
            Present::Flat(flat) if self.config.recall < 1.0 && flat.len() >= self.config.flat_below => {
                flat.rows()
            }
            Present::Ivf(ivf) if ivf.wants_training() => ivf.rows(),
            _ => return,
        };
        let (snapshot, config) = (rows.clone(), self.config.clone());
        let build = thread::Builder::new()
            .name("vector-index-growth".to_owned())
            .spawn(move || IvfIndex::from_rows(snapshot, &config));
        // Without a thread the present index goes on; the next change tries again.
        if let Ok(building) = build {
            self.growth = Some(Growth {
                next: Next::Building(building),
                changed: VecDeque::new(),
            });
        }
    }

    fn advance(&mut self, replays: usize, wait: Wait) {
        let Some(Growth { next, mut changed }) = self.growth.take() else {
            return;
        };
        let mut next = match next {
            Next::Building(building) if wait == Wait::Never && !building.is_finished() => {
                self.growth = Some(Growth {
                    next: Next::Building(building),
                    changed,
                });
                return;
            }
            // A build that panicked is a defect, reported by the panic; the present index is still right.
            Next::Building(building) => match building.join() {
                Ok(built) => Box::new(built),
                Err(_) => return,
            },
            Next::Built(built) => built,
        };
        for _ in 0..replays {
            let Some(slot) = changed.pop_front() else {
                self.present = Present::Ivf(next);
                return;
            };
            next.replay(slot, self.index().vector(slot));
        }
        self.growth = Some(Growth {
            next: Next::Built(next),
            changed,
        });
    }
}

impl VectorIndex for AutoIndex {
    fn kind(&self) -> IndexKind {
        self.index().kind()
    }

    fn dim(&self) -> usize {
        self.index().dim()
    }

    fn len(&self) -> usize {
        self.index().len()
    }

    fn slots(&self) -> u32 {
        self.index().slots()
    }

    fn vector(&self, slot: u32) -> Option<&[f32]> {
        self.index().vector(slot)
    }

    fn insert(&mut self, slot: u32, vector: &[f32]) -> Result<()> {
        match &mut self.present {
            Present::Flat(flat) => flat.insert(slot, vector)?,
            Present::Ivf(ivf) => ivf.insert_untrained(slot, vector)?,
        }
        self.changed(slot);
        Ok(())
    }

    fn update(&mut self, slot: u32, vector: &[f32]) -> Result<()> {
        match &mut self.present {
            Present::Flat(flat) => flat.update(slot, vector)?,
            Present::Ivf(ivf) => ivf.update(slot, vector)?,
        }
        self.changed(slot);
        Ok(())
    }

    fn delete(&mut self, slot: u32) -> bool {
        let was = match &mut self.present {
            Present::Flat(flat) => flat.delete(slot),
            Present::Ivf(ivf) => ivf.delete(slot),
        };
        if was {
            self.changed(slot);
        }
        was
    }

    fn search(&self, query: &[f32], params: &SearchParams, allowed: Option<&SlotSet>) -> Result<Vec<Hit>> {
        self.index().search(query, params, allowed)
    }

    fn memory(&self) -> MemoryUse {
        self.index().memory()
    }

    fn save(&self, out: &mut dyn Write) -> Result<()> {
        self.index().save(out)
    }

    fn maintain(&mut self) {
        if self.growth.is_none() {
            self.start_growth();
        }
        self.advance(REPLAYS, Wait::Never);
    }

    fn settle(&mut self) {
        if self.growth.is_none() {
            self.start_growth();
        }
        self.advance(usize::MAX, Wait::UntilBuilt);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Never,
    UntilBuilt,
}

/// Changes replayed with each new one: enough to catch up for certain, few enough to be no pause.
const REPLAYS: usize = 8;
