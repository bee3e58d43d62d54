//! Saved indexes that are truncated, altered or made up: a typed error, never a panic or a wrong answer.
#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod index_support;

use index_support::topical;
use proptest::prelude::*;
use whisperengine_vector_memory::index::{IndexConfig, IndexError, IndexKind, VectorIndex, build, load};

const DIM: usize = 16;

fn saved(kind: IndexKind, count: usize) -> Vec<u8> {
    let mut index: Box<dyn VectorIndex> = build(
        DIM,
        &IndexConfig::new(kind),
        topical(count, DIM, 1).iter().map(Vec::as_slice),
    )
    .unwrap();
    index.delete(3);
    let mut file = Vec::new();
    index.save(&mut file).unwrap();
    file
}

fn loads(file: &[u8]) -> Result<(), IndexError> {
    load(&mut &*file, &IndexConfig::new(IndexKind::Auto)).map(drop)
}

/// The file with its checksum made right again, as an attacker would.
fn resealed(mut file: Vec<u8>) -> Vec<u8> {
    let end = file.len() - 4;
    let sum = crc32fast::hash(&file[..end]);
    file[end..].copy_from_slice(&sum.to_le_bytes());
    file
}

#[test]
fn a_file_cut_anywhere_is_corrupt() {
    for file in [saved(IndexKind::Flat, 40), saved(IndexKind::Ivf, 1_100)] {
        loads(&file).unwrap();
        for end in (0..file.len()).step_by(97).chain(file.len() - 8..file.len()) {
            assert!(
                matches!(loads(&file[..end]), Err(IndexError::Corrupt { .. })),
                "cut at {end}"
            );
        }
    }
}

#[test]
fn a_later_format_is_named() {
    let mut file = saved(IndexKind::Flat, 5);
    file[8] = 200;
    assert!(matches!(
        loads(&resealed(file)),
        Err(IndexError::UnsupportedVersion {
            found: 200,
            supported: 5
        })
    ));
}

#[test]
fn huge_claims_in_a_small_file_are_refused_without_memory_for_them() {
    let file = saved(IndexKind::Flat, 5);
    for at in [13, 17] {
        let mut file = file.clone();
        file[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(loads(&resealed(file)), Err(IndexError::Corrupt { .. })));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_altered_byte_is_noticed(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut file = saved(IndexKind::Flat, 20);
        let at = at.index(file.len());
        file[at] ^= 1 << bit;
        prop_assert!(loads(&file).is_err());
    }

    #[test]
    fn made_up_bytes_under_a_right_checksum_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        tail in any::<bool>(),
    ) {
        let mut file = saved(IndexKind::Ivf, 1_010);
        let start = if tail { file.len() - 9_000 } else { 0 };
        let len = if tail { file.len() - start } else { 200 };
        for (at, byte) in edits {
            file[start + at.index(len)] = byte;
        }
        let file = resealed(file);
        if let Ok(index) = load(&mut file.as_slice(), &IndexConfig::new(IndexKind::Ivf)) {
            for query in topical(3, DIM, 2) {
                let params = whisperengine_vector_memory::index::SearchParams::new(10);
                prop_assert!(index.search(&query, &params, None).is_ok());
            }
        }
    }
}
