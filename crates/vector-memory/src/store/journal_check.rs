//! Notices commits that a damaged journal would hide.
//!
//! Recovery follows the journal up to the first batch that does not parse and takes that for the write
//! that a crash tore. So a flipped bit in the middle would silently drop everything after it. Every commit
//! therefore ends with a numbered mark; an intact mark beyond the last commit recovered tells the two
//! cases apart.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The mark at the end of commit `n`.
pub(super) struct CommitMark;

impl CommitMark {
    pub(super) fn bytes(commit: u64) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&commit.to_le_bytes());
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The commit whose mark this is.
    pub(super) fn parse(bytes: &[u8]) -> Option<u64> {
        let (body, checksum) = bytes.get(..MARK_BYTES)?.split_last_chunk::<4>()?;
        let (magic, commit) = body.split_last_chunk::<8>()?;
        (magic == MAGIC && crc32fast::hash(body) == u32::from_le_bytes(*checksum))
            .then(|| u64::from_le_bytes(*commit))
    }
}

/// The highest commit with an intact mark in the journals of the store at `path`.
pub(super) fn last_mark(path: &Path) -> io::Result<Option<u64>> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut last = None;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            last = last.max(last_mark_in(File::open(path)?)?);
        }
    }
    Ok(last)
}

fn last_mark_in(mut file: impl Read) -> io::Result<Option<u64>> {
    let mut last = None;
    let mut block = vec![0; BLOCK_BYTES];
    let mut kept = 0;
    loop {
        let read = file.read(&mut block[kept..])?;
        if read == 0 {
            return Ok(last);
        }
        let filled = &block[..kept + read];
        let mut from = 0;
        while let Some(at) = filled[from..].iter().position(|&byte| byte == MAGIC[0]) {
            let at = from + at;
            last = last.max(CommitMark::parse(&filled[at..]));
            from = at + 1;
        }
        kept = filled.len().min(MARK_BYTES - 1);
        let tail = filled.len() - kept;
        block.copy_within(tail..tail + kept, 0);
    }
}

const MAGIC: &[u8; 16] = b"\xf7we-commit-mark\xf7";
const MARK_BYTES: usize = MAGIC.len() + 8 + 4;
const BLOCK_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_across_blocks_and_damaged_ones_are_not() {
        let mut bytes = vec![MAGIC[0]; BLOCK_BYTES - 5];
        bytes.extend(CommitMark::bytes(7));
        bytes.resize(bytes.len() + 1000, 0);
        assert_eq!(last_mark_in(&*bytes).unwrap(), Some(7));
        bytes[BLOCK_BYTES + 14] ^= 1;
        assert_eq!(last_mark_in(&*bytes).unwrap(), None);
        bytes.extend(CommitMark::bytes(3));
        bytes.extend(CommitMark::bytes(9));
        assert_eq!(last_mark_in(&*bytes).unwrap(), Some(9));
    }
}
