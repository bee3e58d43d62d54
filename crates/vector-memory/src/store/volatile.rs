//! The in-memory reference: the same behaviour without a disk, for tests and for engines that forget.

use std::{
    collections::BTreeMap,
    ops::{Bound, ControlFlow},
    sync::{PoisonError, RwLock},
};

use whisperengine_types::MemoryError;

use super::{Bytes, Change, Storage, Table, Visit};

type Map = BTreeMap<(Table, Box<[u8]>), Box<[u8]>>;

/// Keeps everything in one sorted map; gone when dropped.
#[derive(Debug, Default)]
pub(crate) struct VolatileStorage {
    map: RwLock<Map>,
}

impl Storage for VolatileStorage {
    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, MemoryError> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        Ok(map.get(&(table, key.into())).map(|value| Bytes::new(value)))
    }

    fn visit(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), MemoryError> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded((table, after.into())),
            _ => Bound::Included((table, prefix.into())),
        };
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        for ((of, key), value) in map.range((from, Bound::Unbounded)) {
            if *of != table || !key.starts_with(prefix) {
                break;
            }
            if let ControlFlow::Break(()) = visit(key, value)? {
                break;
            }
        }
        Ok(())
    }

    fn commit(&self, changes: Vec<Change>) -> Result<(), MemoryError> {
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        for Change { table, key, value } in changes {
            let key = (table, Box::from(&*key));
            match value {
                Some(value) => map.insert(key, Box::from(&*value)),
                None => map.remove(&key),
            };
        }
        Ok(())
    }

    fn compact(&self) -> Result<(), MemoryError> {
        Ok(())
    }

    fn disk_bytes(&self) -> u64 {
        0
    }
}
