//! Notices a damaged list of tables before the storage engine believes it.
//!
//! Each keyspace has a file `current` with the number of its version (u64), the xxh3 checksum of that
//! version's file `v{number}` (u128) and the checksum's kind (0); all little-endian. The engine reads the
//! number and not the checksum, so a flipped bit there aborts the process or hides records.

use std::{fs, io, path::Path};

use xxhash_rust::xxh3::xxh3_128;

use crate::error::{Error, Result};

/// Compares every keyspace's version file in the store at `path` with its checksum.
///
/// # Errors
/// [`Error::Corrupt`] for one that differs, or is named by no `current`; [`Error::Io`].
pub(super) fn check_versions(path: &Path) -> Result<()> {
    let keyspaces = match fs::read_dir(path.join("keyspaces")) {
        Ok(keyspaces) => keyspaces,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for keyspace in keyspaces {
        let folder = keyspace?.path();
        if folder.is_dir() {
            check_version(&folder)?;
        }
    }
    Ok(())
}

fn check_version(folder: &Path) -> Result<()> {
    let corrupt = |what: &str| {
        let keyspace = folder.file_name().unwrap_or_default().display();
        Err(Error::Corrupt {
            reason: format!("the list of tables of keyspace {keyspace} {what}"),
        })
    };
    let current = match fs::read(folder.join("current")) {
        Ok(current) => current,
        // The first version of a new keyspace is written before it is named.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return if has_later_version(folder)? {
                corrupt("is missing")
            } else {
                Ok(())
            };
        }
        Err(error) => return Err(error.into()),
    };
    let Some((number, rest)) = current.split_first_chunk::<8>() else {
        return corrupt("is cut off");
    };
    let Some((checksum, [XXH3])) = rest.split_first_chunk::<16>() else {
        return corrupt("has no checksum");
    };
    let version = match fs::read(folder.join(format!("v{}", u64::from_le_bytes(*number)))) {
        Ok(version) => version,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return corrupt("is not there"),
        Err(error) => return Err(error.into()),
    };
    if xxh3_128(&version) == u128::from_le_bytes(*checksum) {
        Ok(())
    } else {
        corrupt("does not match its checksum")
    }
}

fn has_later_version(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix('v')?.parse::<u64>().ok());
        if number.is_some_and(|number| number > 0) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The kind of the checksum.
const XXH3: u8 = 0;
