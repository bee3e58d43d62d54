//! What the disk does by itself, so that a latency can be told apart from it.

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use crate::measure::{self, Latencies};

/// Appends that were synced one after the other, with nothing else to do.
#[derive(Debug, Clone)]
pub struct Syncs {
    /// How long each took.
    pub latencies: Latencies,
    /// Share of the time, `0..=1`, that went into syncs longer than [`PAUSE`]: whoever waits for the disk at
    /// such a moment waits as long, whatever the program does.
    pub pauses: f64,
}

/// A sync longer than this is a pause of the disk.
pub const PAUSE: Duration = Duration::from_millis(10);

/// Appends to a file in `folder` and syncs it, again and again for so long.
///
/// # Errors
/// When there is no file to be made or written in `folder`.
pub fn probe(folder: &Path, span: Duration) -> io::Result<Syncs> {
    let mut file = tempfile::tempfile_in(folder)?;
    let block = [0x5a; APPENDED];
    let (mut latencies, mut paused) = (Latencies::default(), Duration::ZERO);
    let start = measure::now();
    while start.elapsed() < span {
        let from = measure::now();
        file.write_all(&block)?;
        file.sync_data()?;
        let took = from.elapsed();
        latencies.record(took);
        if took > PAUSE {
            paused += took;
        }
    }
    Ok(Syncs {
        latencies,
        pauses: paused.as_secs_f64() / start.elapsed().as_secs_f64(),
    })
}

/// Bytes appended before a sync: a small commit.
const APPENDED: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_syncs_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let syncs = probe(folder.path(), Duration::from_millis(20)).unwrap();
        assert!(syncs.latencies.count() > 0);
        assert!((0.0..=1.0).contains(&syncs.pauses));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(probe(&folder.path().join("not-there"), Duration::from_millis(1)).is_err());
    }
}
