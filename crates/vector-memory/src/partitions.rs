//! All partitions that are in memory, within a budget of bytes.
//!
//! Every owner in use has a slot. `writing` orders the owner's writers and is held over the sync;
//! `partition` is held only while columns are read or changed, so a reader never waits for a sync, nor
//! for anything of another owner. A loader keeps `partition` locked while it reads the store: a writer
//! whose commit the loader has already seen applies the same change once more, which changes nothing.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use dashmap::DashMap;
use whisperengine_types::MemoryError;

use crate::{partition::Partition, store::OwnerKey};

/// The partitions in memory.
#[derive(Debug)]
pub(crate) struct Partitions {
    slots: DashMap<OwnerKey, Arc<Slot>>,
    /// Loaded partitions, longest resident first; a touched one gets a second chance.
    resident: Mutex<VecDeque<OwnerKey>>,
    used_bytes: AtomicUsize,
    /// Of the budget, what something other than partitions takes.
    set_aside_bytes: AtomicUsize,
    budget_bytes: usize,
    page_ins: AtomicU64,
    page_outs: AtomicU64,
}

/// One owner in use.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    pub(crate) writing: Mutex<()>,
    partition: RwLock<Option<Resident>>,
    touched: AtomicBool,
}

#[derive(Debug)]
struct Resident {
    partition: Partition,
    bytes: usize,
}

/// Counters of the partitions in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PartitionStats {
    /// Partitions in memory.
    pub resident: usize,
    /// Their bytes, with their places in the directory and what the allocator rounds up.
    pub resident_bytes: usize,
    /// Bytes of what is known of words, whoever said them; they are of the same budget.
    pub other_bytes: usize,
    /// Partitions read from the store since it was opened.
    pub page_ins: u64,
    /// Partitions dropped from memory to stay within the budget.
    pub page_outs: u64,
}

impl Partitions {
    pub(crate) fn new(budget_bytes: usize) -> Self {
        Self {
            slots: DashMap::new(),
            resident: Mutex::default(),
            used_bytes: AtomicUsize::new(0),
            set_aside_bytes: AtomicUsize::new(0),
            budget_bytes,
            page_ins: AtomicU64::new(0),
            page_outs: AtomicU64::new(0),
        }
    }

    /// The owner's slot; give it back with [`release`](Self::release).
    pub(crate) fn slot(&self, owner: &OwnerKey) -> Arc<Slot> {
        if let Some(slot) = self.slots.get(owner) {
            return Arc::clone(&slot);
        }
        Arc::clone(&self.slots.entry(owner.clone()).or_default())
    }

    /// Drops a slot that nobody uses and that holds no partition.
    pub(crate) fn release(&self, owner: &OwnerKey, slot: Arc<Slot>) {
        if slot.is_resident() {
            return;
        }
        drop(slot);
        // Slots are handed out under the shard's lock, so a count of one means that nobody can hold it.
        self.slots.remove_if(owner, |_, slot| {
            Arc::strong_count(slot) == 1 && !slot.is_resident()
        });
    }

    /// Runs `read` on the owner's partition, loaded first if need be.
    pub(crate) fn read<T>(
        &self,
        owner: &OwnerKey,
        load: impl FnOnce() -> Result<Partition, MemoryError>,
        read: impl FnOnce(&Partition) -> Result<T, MemoryError>,
    ) -> Result<T, MemoryError> {
        let slot = self.slot(owner);
        {
            let resident = slot.partition.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(resident) = &*resident {
                if !slot.touched.load(Ordering::Relaxed) {
                    slot.touched.store(true, Ordering::Relaxed);
                }
                return read(&resident.partition);
            }
        }
        let result = self.load(owner, &slot, load, read);
        self.release(owner, slot);
        self.evict();
        result
    }

    fn load<T>(
        &self,
        owner: &OwnerKey,
        slot: &Slot,
        load: impl FnOnce() -> Result<Partition, MemoryError>,
        read: impl FnOnce(&Partition) -> Result<T, MemoryError>,
    ) -> Result<T, MemoryError> {
        let mut resident = slot.partition.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(resident) = &*resident {
            return read(&resident.partition);
        }
        let partition = load()?;
        let bytes = bytes_taken(&partition);
        self.page_ins.fetch_add(1, Ordering::Relaxed);
        self.used_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.resident
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(owner.clone());
        let loaded = resident.insert(Resident { partition, bytes });
        read(&loaded.partition)
    }

    /// Runs `read` on the owner's partition if it is in memory.
    pub(crate) fn peek<T>(slot: &Slot, read: impl FnOnce(&Partition) -> T) -> Option<T> {
        let resident = slot.partition.read().unwrap_or_else(PoisonError::into_inner);
        resident.as_ref().map(|resident| read(&resident.partition))
    }

    /// Runs `change` on the owner's partition if it is in memory; when it fails, the partition is
    /// dropped and the next reader loads it anew.
    pub(crate) fn change(&self, slot: &Slot, change: impl FnOnce(&mut Partition) -> Result<(), MemoryError>) {
        let mut guard = slot.partition.write().unwrap_or_else(PoisonError::into_inner);
        let Some(resident) = &mut *guard else { return };
        let before = resident.bytes;
        if change(&mut resident.partition).is_ok() {
            resident.bytes = bytes_taken(&resident.partition);
            self.used_bytes.fetch_add(resident.bytes, Ordering::Relaxed);
        } else {
            *guard = None;
        }
        self.used_bytes.fetch_sub(before, Ordering::Relaxed);
    }

    /// Takes `bytes` of the budget for something else than partitions, instead of what was taken before.
    pub(crate) fn set_aside(&self, bytes: usize) {
        self.set_aside_bytes.store(bytes, Ordering::Relaxed);
    }

    fn is_within_budget(&self) -> bool {
        let used = self.used_bytes.load(Ordering::Relaxed);
        used + self.set_aside_bytes.load(Ordering::Relaxed) <= self.budget_bytes
    }

    /// Drops partitions until the budget is kept; those in use at this moment stay.
    pub(crate) fn evict(&self) {
        if self.is_within_budget() {
            return;
        }
        let mut resident = self.resident.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..resident.len() * 2 {
            if self.is_within_budget() {
                return;
            }
            let Some(owner) = resident.pop_front() else { return };
            let Some(slot) = self.slots.get(&owner).map(|slot| Arc::clone(&slot)) else {
                continue;
            };
            if slot.touched.swap(false, Ordering::Relaxed) {
                resident.push_back(owner);
                continue;
            }
            let Ok(mut partition) = slot.partition.try_write() else {
                resident.push_back(owner);
                continue;
            };
            if let Some(partition) = partition.take() {
                self.used_bytes.fetch_sub(partition.bytes, Ordering::Relaxed);
                self.page_outs.fetch_add(1, Ordering::Relaxed);
            }
            drop(partition);
            self.release(&owner, slot);
        }
    }

    /// Drops every partition that is not in use at this moment.
    pub(crate) fn clear(&self) {
        let mut resident = self.resident.lock().unwrap_or_else(PoisonError::into_inner);
        for owner in std::mem::take(&mut *resident) {
            let Some(slot) = self.slots.get(&owner).map(|slot| Arc::clone(&slot)) else {
                continue;
            };
            let mut partition = slot.partition.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(partition) = partition.take() {
                self.used_bytes.fetch_sub(partition.bytes, Ordering::Relaxed);
            }
            drop(partition);
            self.release(&owner, slot);
        }
    }

    pub(crate) fn stats(&self) -> PartitionStats {
        PartitionStats {
            resident: self.resident.lock().unwrap_or_else(PoisonError::into_inner).len(),
            resident_bytes: self.used_bytes.load(Ordering::Relaxed),
            other_bytes: self.set_aside_bytes.load(Ordering::Relaxed),
            page_ins: self.page_ins.load(Ordering::Relaxed),
            page_outs: self.page_outs.load(Ordering::Relaxed),
        }
    }
}

fn bytes_taken(partition: &Partition) -> usize {
    let bytes = partition.bytes();
    bytes + bytes / SLACK + SLOT_BYTES
}

/// One byte in so many is lost between blocks of memory, as measured with many partitions coming and going.
const SLACK: usize = 16;
/// The slot, its owner's key and their places in the map and in the queue.
const SLOT_BYTES: usize = 512;

impl Slot {
    fn is_resident(&self) -> bool {
        self.partition
            .try_read()
            .map_or(true, |partition| partition.is_some())
    }
}
