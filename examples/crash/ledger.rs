//! What must be in the store, by what the writer announced.

use std::{collections::BTreeMap, error::Error, path::Path, time::Duration};

use whisperengine_types::{MemoryRecord, MemoryStore};

use crate::writer::{self, Operation, THREADS, operation};

/// The announcements of all cycles.
pub struct Ledger {
    threads: Vec<Thread>,
    /// Whether what was under way is kept as a whole or not at all.
    whole_batches: bool,
}

#[derive(Default)]
struct Thread {
    /// What the acknowledged operations come to.
    expected: BTreeMap<String, MemoryRecord>,
    /// Operations below this number were acknowledged or settled by a check.
    settled: u64,
    /// Operations below this number were acknowledged.
    acknowledged: u64,
    /// Operations below this number may have been begun.
    attempted: u64,
    /// Records below this id were compared in an earlier check.
    compared: String,
}

/// The counts of one or more checks.
#[derive(Debug, Default)]
pub struct Tally {
    /// Operations acknowledged.
    pub acknowledged: u64,
    /// Operations acknowledged whose outcome is in the store.
    pub found: u64,
    /// Records that should be there and are not, or not as they should be.
    pub lost: u64,
    /// Records that should not be there.
    pub phantom: u64,
    /// Operations under way at the kill that were kept.
    pub kept_unacknowledged: u64,
}

impl Ledger {
    pub fn new(whole_batches: bool) -> Self {
        Self {
            whole_batches,
            threads: (0..THREADS).map(|_| Thread::default()).collect(),
        }
    }

    /// The operation each thread goes on with.
    pub fn next_operations(&self) -> Vec<u64> {
        self.threads.iter().map(|thread| thread.settled).collect()
    }

    /// Enters a line that the writer announced.
    pub fn enter(&mut self, line: &str) -> Result<(), Box<dyn Error>> {
        let fields: Vec<&str> = line.split(' ').collect();
        let [what, thread, until] = fields[..] else {
            return Err(format!("the writer said {line:?}").into());
        };
        let (thread, until): (usize, u64) = (thread.parse()?, until.parse()?);
        let thread = self
            .threads
            .get_mut(thread)
            .ok_or("the writer has another number of threads")?;
        match what {
            "try" => thread.attempted = until,
            _ => thread.acknowledged = until,
        }
        Ok(())
    }

    /// Opens the store and compares it: all of it, or what the last cycle can have changed.
    pub fn check(&mut self, folder: &Path, everything: bool) -> Result<Tally, Box<dyn Error>> {
        let memory = writer::open(folder)?;
        let mut tally = Tally::default();
        for (number, thread) in self.threads.iter_mut().enumerate() {
            thread.check(number, &memory, everything, self.whole_batches, &mut tally)?;
        }
        Ok(tally)
    }
}

impl Thread {
    fn check(
        &mut self,
        number: usize,
        store: &dyn MemoryStore,
        everything: bool,
        whole_batches: bool,
        tally: &mut Tally,
    ) -> Result<(), Box<dyn Error>> {
        let acknowledged = self.acknowledged.max(self.settled);
        tally.acknowledged += acknowledged - self.settled;
        for n in self.settled..acknowledged {
            apply(&mut self.expected, number, n);
        }
        let from = if everything {
            String::new()
        } else {
            std::mem::take(&mut self.compared)
        };
        let after = if from.is_empty() {
            None
        } else {
            Some(from.parse()?)
        };
        let mut found = BTreeMap::new();
        for record in store.scan(&writer::owner(number), after.as_ref(), usize::MAX)? {
            let mut record = (*record).clone();
            record.embedding = None;
            found.insert(record.id.to_string(), record);
        }
        // Of what was under way there may be the first so many operations.
        let attempted = self.attempted.max(acknowledged);
        let mut with_attempted = self.expected.clone();
        for n in acknowledged..attempted {
            apply(&mut with_attempted, number, n);
            let may_end_here = !whole_batches || n + 1 == attempted;
            if may_end_here && differences(&with_attempted, &from, &found) == (0, 0) {
                tally.kept_unacknowledged += n + 1 - acknowledged;
                self.expected = with_attempted;
                break;
            }
        }
        let (lost, phantom) = differences(&self.expected, &from, &found);
        tally.lost += lost;
        tally.phantom += phantom;
        tally.found += (acknowledged - self.settled).saturating_sub(lost);
        self.settled = attempted;
        self.acknowledged = attempted;
        self.attempted = attempted;
        // Later operations reach back less than ten records.
        self.compared = writer::id(attempted.saturating_sub(20)).to_string();
        Ok(())
    }
}

/// How many expected records are missing or different, and how many are there without being expected.
fn differences(
    expected: &BTreeMap<String, MemoryRecord>,
    from: &str,
    found: &BTreeMap<String, MemoryRecord>,
) -> (u64, u64) {
    let expected_here = || {
        expected
            .range(from.to_owned()..)
            .filter(|(id, _)| id.as_str() > from)
    };
    let lost = expected_here()
        .filter(|(id, record)| found.get(*id) != Some(record))
        .count();
    let phantom = found.keys().filter(|id| !expected.contains_key(*id)).count();
    (lost as u64, phantom as u64)
}

fn apply(records: &mut BTreeMap<String, MemoryRecord>, thread: usize, n: u64) {
    match operation(thread, n) {
        Operation::Store(record) => {
            records.insert(record.id.to_string(), record);
        }
        Operation::Change(id, text) => {
            if let Some(record) = records.get_mut(id.as_str()) {
                record.text = text;
            }
        }
        Operation::Delete(id) => {
            records.remove(id.as_str());
        }
    }
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.found += other.found;
        self.lost += other.lost;
        self.phantom += other.phantom;
        self.kept_unacknowledged += other.kept_unacknowledged;
    }

    pub fn print(&self, cycles: u64, took: Duration, json: bool) {
        let Self {
            acknowledged,
            found,
            lost,
            phantom,
            kept_unacknowledged,
        } = self;
        if json {
            let object = serde_json::json!({
                "cycles": cycles,
                "acknowledged": acknowledged,
                "found": found,
                "lost": lost,
                "phantom": phantom,
                "kept_unacknowledged": kept_unacknowledged,
                "seconds": took.as_secs_f64(),
            });
            println!("{object}");
        } else {
            println!(
                "cycles {cycles}, acknowledged {acknowledged}, found {found}, lost {lost}, phantom {phantom} \
                 ({kept_unacknowledged} batches kept that were under way; {:.0} s)",
                took.as_secs_f64(),
            );
        }
    }
}
