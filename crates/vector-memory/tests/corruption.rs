//! Damaged files are reported, never silently believed, and never a reason to lose what is intact.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::{Path, PathBuf};

use support::{Numbers, embedder, open, person, record};
use whisperengine_types::{MemoryError, MemoryStore};
use whisperengine_vector_memory::{Error, VectorMemory, VectorMemoryConfig};

const RECORDS: usize = 60;

fn fill(folder: &Path) {
    let memory = open(folder);
    let ana = memory.owner(&person("ana"));
    for n in 0..RECORDS {
        ana.remember(record(&format!("m{n:03}"), &format!("memory number {n}")))
            .unwrap();
    }
}

fn journal(folder: &Path) -> PathBuf {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut journals = entries.filter(|path| path.extension().is_some_and(|e| e == "jnl"));
    journals.next().unwrap()
}

/// Where the last byte of the journal that is not zero lies.
fn written(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|&byte| byte != 0).unwrap() + 1
}

fn reopen(folder: &Path) -> Result<Vec<String>, String> {
    let memory = match VectorMemory::open(folder, embedder(), VectorMemoryConfig::default()) {
        Ok(memory) => memory,
        Err(error @ (Error::Corrupt { .. } | Error::Memory(_) | Error::Io(_) | Error::Format { .. })) => {
            return Err(error.to_string());
        }
        Err(error) => panic!("not the error of a damaged file: {error}"),
    };
    match memory.scan(&person("ana"), None, usize::MAX) {
        Ok(records) => Ok(records.iter().map(|record| record.text.clone()).collect()),
        Err(error @ (MemoryError::Corrupt { .. } | MemoryError::Unavailable { .. })) => {
            Err(error.to_string())
        }
        Err(error) => panic!("not the error of a damaged file: {error}"),
    }
}

#[test]
fn a_bit_flipped_in_the_journal_is_never_silent() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let path = journal(folder.path());
    let intact = std::fs::read(&path).unwrap();
    let expected: Vec<String> = (0..RECORDS).map(|n| format!("memory number {n}")).collect();
    let end = written(&intact);
    let mut numbers = Numbers(11);
    let mut reported = 0;
    for _ in 0..40 {
        let mut damaged = intact.clone();
        // The last commit is spared: damage to it looks like a write that a crash tore.
        let at = numbers.below(end - 1200);
        damaged[at] ^= 1 << numbers.below(8);
        std::fs::write(&path, &damaged).unwrap();
        match reopen(folder.path()) {
            Ok(texts) => assert_eq!(texts, expected, "byte {at} of {end} was damaged and believed"),
            Err(_) => reported += 1,
        }
        std::fs::write(&path, &intact).unwrap();
    }
    assert!(reported >= 35, "only {reported} of 40 were reported");
}

#[test]
fn a_torn_last_commit_costs_that_commit_only() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let path = journal(folder.path());
    let intact = std::fs::read(&path).unwrap();
    std::fs::write(&path, &intact[..written(&intact) - 3]).unwrap();
    let texts = reopen(folder.path()).unwrap();
    assert_eq!(texts.len(), RECORDS - 1);
}

#[test]
fn damaged_tables_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    open(folder.path()).compact().unwrap();
    let tables = largest_file(&folder.path().join("keyspaces"));
    let intact = std::fs::read(&tables).unwrap();
    let expected: Vec<String> = (0..RECORDS).map(|n| format!("memory number {n}")).collect();
    let mut numbers = Numbers(3);
    let mut reported = 0;
    for _ in 0..20 {
        let mut damaged = intact.clone();
        let at = numbers.below(damaged.len());
        damaged[at] ^= 1 << numbers.below(8);
        std::fs::write(&tables, &damaged).unwrap();
        match reopen(folder.path()) {
            Ok(texts) => assert_eq!(texts, expected, "byte {at} was damaged and believed"),
            Err(_) => reported += 1,
        }
    }
    std::fs::write(&tables, &intact[..intact.len() / 2]).unwrap();
    assert!(reopen(folder.path()).is_err(), "half a table is missing");
    std::fs::write(&tables, &intact).unwrap();
    assert_eq!(reopen(folder.path()).unwrap(), expected);
    assert!(reported >= 10, "only {reported} of 20 were reported");
}

#[test]
fn damage_to_the_lists_of_tables_is_reported_before_the_engine_believes_it() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    open(folder.path()).compact().unwrap();
    let mut numbers = Numbers(5);
    let expected: Vec<String> = (0..RECORDS).map(|n| format!("memory number {n}")).collect();
    for keyspace in std::fs::read_dir(folder.path().join("keyspaces")).unwrap() {
        let keyspace = keyspace.unwrap().path();
        let current = keyspace.join("current");
        let named = std::fs::read(&current).unwrap();
        let version = u64::from_le_bytes(named[..8].try_into().unwrap());
        let listed = keyspace.join(format!("v{version}"));
        for path in [&current, &listed] {
            let intact = std::fs::read(path).unwrap();
            for _ in 0..20 {
                let mut damaged = intact.clone();
                let at = numbers.below(damaged.len());
                damaged[at] ^= 1 << numbers.below(8);
                std::fs::write(path, &damaged).unwrap();
                assert!(
                    reopen(folder.path()).is_err(),
                    "byte {at} of {} was believed",
                    path.display()
                );
            }
            std::fs::write(path, &intact).unwrap();
        }
        std::fs::remove_file(&current).unwrap();
        if version > 0 {
            assert!(reopen(folder.path()).is_err(), "{} is missing", current.display());
        }
        std::fs::write(&current, &named).unwrap();
    }
    assert_eq!(reopen(folder.path()).unwrap(), expected);
}

fn largest_file(folder: &Path) -> PathBuf {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
        .into_iter()
        .max_by_key(|path| path.metadata().unwrap().len())
        .unwrap()
}
