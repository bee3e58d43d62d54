//! The durable store: a log-structured merge tree with one write-ahead journal for all tables.

use std::{
    ops::{Bound, ControlFlow},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use fjall::{
    CompressionType, Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode, config,
};
use whisperengine_types::MemoryError;

use super::{
    Bytes, Change, Storage, Table, Visit,
    journal_check::{CommitMark, last_mark},
    version_check::check_versions,
};
use crate::error::{Error, Result};

/// A store in a folder of its own, locked against a second opener.
pub(crate) struct FjallStorage {
    database: Database,
    records: Keyspace,
    states: Keyspace,
    meta: Keyspace,
    /// The number of the last commit; held while one is under way.
    last_commit: Mutex<u64>,
}

impl FjallStorage {
    /// Opens the store in `path`, or makes one.
    pub(crate) fn open(path: &Path, cache_bytes: u64, write_buffer_bytes: u64) -> Result<Self> {
        // Must be read first: recovery cuts the journal after the last batch it can follow.
        let newest_mark = last_mark(path)?;
        check_versions(path)?;
        let options = || {
            KeyspaceCreateOptions::default()
                .max_memtable_size(write_buffer_bytes)
                .data_block_compression_policy(config::CompressionPolicy::all(CompressionType::None))
                .data_block_size_policy(config::BlockSizePolicy::all(BLOCK_BYTES))
        };
        let open = || -> fjall::Result<_> {
            let database = Database::builder(path)
                .cache_size(cache_bytes)
                .journal_compression(CompressionType::None)
                .manual_journal_persist(true)
                .max_journaling_size(MAX_JOURNAL_BYTES)
                .worker_threads(WORKER_THREADS)
                .open()?;
            let records = database.keyspace("records", options)?;
            let states = database.keyspace("states", options)?;
            let meta = database.keyspace("meta", KeyspaceCreateOptions::default)?;
            Ok((database, records, states, meta))
        };
        let (database, records, states, meta) = match in_the_background(open)? {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => return Err(open_error(path, error)),
            // The store asserts some of what it reads; a panic there is a corrupt file, not a bug of the caller.
            Err(_) => {
                return Err(Error::Corrupt {
                    reason: "recovery met bytes it does not know".to_owned(),
                });
            }
        };
        let mark = records.get(COMMIT_KEY).map_err(|error| open_error(path, error))?;
        let last_commit = match mark {
            Some(mark) => CommitMark::parse(&mark).ok_or_else(|| Error::Corrupt {
                reason: "the commit mark is damaged".to_owned(),
            })?,
            None => 0,
        };
        // A crash may tear the commit that was under way, never one before it.
        if let Some(newest) = newest_mark
            && newest > last_commit + 1
        {
            return Err(Error::Corrupt {
                reason: format!(
                    "commits {} to {newest} of the journal are damaged",
                    last_commit + 1
                ),
            });
        }
        Ok(Self {
            database,
            records,
            states,
            meta,
            last_commit: Mutex::new(last_commit),
        })
    }

    fn table(&self, table: Table) -> &Keyspace {
        match table {
            Table::Records => &self.records,
            Table::States => &self.states,
            Table::Meta => &self.meta,
        }
    }

    /// Moves everything out of the journal, which is replaced only once it has grown past a size.
    fn empty_journal(&self) -> fjall::Result<()> {
        self.meta.insert(FILLER_KEY, vec![0_u8; JOURNAL_ROTATION_BYTES])?;
        self.database.persist(PersistMode::SyncAll)?;
        self.meta.remove(FILLER_KEY)?;
        for table in [&self.meta, &self.records, &self.states] {
            table.rotate_memtable_and_wait()?;
        }
        Ok(())
    }
}

impl Storage for FjallStorage {
    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, MemoryError> {
        self.table(table).get(key).map_err(read_error)
    }

    fn visit(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), MemoryError> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let end = end_of(prefix);
        if let (Some(after), Some(end)) = (after, &end)
            && after >= &end[..]
        {
            return Ok(());
        }
        let until = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        for pair in self.table(table).range::<&[u8], _>((from, until)) {
            let (key, value) = pair.into_inner().map_err(read_error)?;
            if !key.starts_with(prefix) {
                break;
            }
            if let ControlFlow::Break(()) = visit(&key, &value)? {
                break;
            }
        }
        Ok(())
    }

    fn commit(&self, changes: Vec<Change>) -> Result<(), MemoryError> {
        let mut batch = OwnedWriteBatch::with_capacity(self.database.clone(), changes.len() + 1)
            .durability(Some(PersistMode::SyncData));
        for Change { table, key, value } in changes {
            match value {
                Some(value) => batch.insert(self.table(table), key, value),
                None => batch.remove(self.table(table), key),
            }
        }
        let mut last_commit = self.last_commit.lock().unwrap_or_else(PoisonError::into_inner);
        batch.insert(&self.records, COMMIT_KEY, CommitMark::bytes(*last_commit + 1));
        batch
            .commit()
            .map_err(|error| unavailable("a write failed", error))?;
        *last_commit += 1;
        Ok(())
    }

    fn compact(&self) -> Result<(), MemoryError> {
        let compact = || -> fjall::Result<()> {
            // No commit may lie between the filler and the end of the journal that it fills.
            let _commits_wait = self.last_commit.lock().unwrap_or_else(PoisonError::into_inner);
            self.empty_journal()?;
            for table in [&self.meta, &self.records, &self.states] {
                table.major_compact()?;
                // The files replaced go when the next version of the table is in place.
                table.insert(FILLER_KEY, [0_u8])?;
                table.remove(FILLER_KEY)?;
                table.rotate_memtable_and_wait()?;
            }
            self.database.persist(PersistMode::SyncAll)
        };
        compact().map_err(|error| unavailable("compaction failed", error))
    }

    fn disk_bytes(&self) -> u64 {
        self.database.disk_space().unwrap_or(0)
    }
}

impl std::fmt::Debug for FjallStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FjallStorage")
    }
}

/// Calls `open` on a thread of low priority, which the threads that it starts inherit: whoever commits has a
/// processor before them, and a commit does not wait until the writing of a table gives its processor up.
/// Elsewhere than on Linux a priority is of a whole process and stays as it is.
fn in_the_background<T: Send>(open: impl FnOnce() -> T + Send) -> std::io::Result<thread::Result<T>> {
    thread::scope(|scope| {
        let opening = thread::Builder::new()
            .name("memory-open".to_owned())
            .spawn_scoped(scope, || {
                // Whoever may not lower it opens the store all the same.
                #[cfg(target_os = "linux")]
                let _ = rustix::process::nice(BACKGROUND_NICE);
                open()
            })?;
        Ok(opening.join())
    })
}

/// The least key above all that begin with `prefix`, if there is one.
fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let at = prefix.iter().rposition(|&byte| byte < u8::MAX)?;
    let mut end = prefix[..=at].to_vec();
    end[at] += 1;
    Some(end)
}

fn open_error(path: &Path, error: fjall::Error) -> Error {
    match error {
        fjall::Error::Locked => Error::Locked {
            path: path.to_owned(),
        },
        fjall::Error::Io(error) => Error::Io(error),
        error => match read_error(error) {
            MemoryError::Corrupt { reason } => Error::Corrupt { reason },
            error => Error::Memory(error),
        },
    }
}

fn read_error(error: fjall::Error) -> MemoryError {
    match error {
        fjall::Error::Io(_) | fjall::Error::Storage(fjall::LsmError::Io(_)) => {
            unavailable("a read failed", error)
        }
        fjall::Error::Poisoned | fjall::Error::KeyspaceDeleted | fjall::Error::Locked => {
            unavailable("the store is closed", error)
        }
        error => MemoryError::Corrupt {
            reason: error.to_string(),
        },
    }
}

fn unavailable(reason: &str, error: fjall::Error) -> MemoryError {
    MemoryError::Unavailable {
        reason: reason.to_owned(),
        source: Some(Arc::new(error)),
    }
}

/// No owner's key begins with a zero byte.
const COMMIT_KEY: &[u8] = b"\0commit";
const FILLER_KEY: &[u8] = b"\0filler";
/// More than the size at which the journal is replaced when a table is written out.
const JOURNAL_ROTATION_BYTES: usize = 65 << 20;
const MAX_JOURNAL_BYTES: u64 = 192 << 20;
const BLOCK_BYTES: u32 = 16 << 10;
/// A tenth of the share of a processor that a thread of the usual priority has, when both want it.
#[cfg(target_os = "linux")]
const BACKGROUND_NICE: i32 = 10;
/// With more than one, the first spins while the others compact.
const WORKER_THREADS: usize = 1;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_threads_that_write_tables_stand_back_and_the_caller_does_not() {
        // proc_pid_stat(5): the 19th field; the name, the 2nd, may hold spaces. Threads of other tests end.
        let priority = |task: &Path| {
            let line = fs::read_to_string(task.join("stat")).ok()?;
            let (_, fields) = line.rsplit_once(')')?;
            fields.split_whitespace().nth(16)?.parse::<i32>().ok()
        };
        let mine = || priority(Path::new("/proc/thread-self")).unwrap();
        let before = mine();
        let folder = tempfile::tempdir().unwrap();
        let _store = FjallStorage::open(folder.path(), 1 << 20, 1 << 20).unwrap();
        let workers: Vec<i32> = fs::read_dir("/proc/self/task")
            .unwrap()
            .map(|task| task.unwrap().path())
            .filter(|task| fs::read_to_string(task.join("comm")).is_ok_and(|name| name.starts_with("fjall")))
            .filter_map(|task| priority(&task))
            .collect();
        assert_eq!(mine(), before);
        let lower = (before + BACKGROUND_NICE).min(19);
        assert!(
            !workers.is_empty() && workers.iter().all(|&nice| nice == lower),
            "{workers:?}"
        );
    }
}
