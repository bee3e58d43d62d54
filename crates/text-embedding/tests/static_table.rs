//! The static embedder sums what its table holds, refuses damaged tables, and the embedded table is the one
//! that its name promises.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use whisperengine_text_embedding::{Error, StaticEmbedder};
use whisperengine_types::{Embedder, EmbeddingError};

/// A table of `dim` columns over a few pieces; the value at (piece, column) is `value(piece, column)`.
fn table(dim: usize, pieces: &[&str], value: impl Fn(usize, usize) -> i8) -> Vec<u8> {
    let vocabulary: String = pieces.iter().flat_map(|piece| [*piece, "\n"]).collect();
    let mut bytes = b"WSET".to_vec();
    for number in [1, dim, pieces.len(), vocabulary.len(), 4] {
        bytes.extend((number as u32).to_le_bytes());
    }
    bytes.extend(b"tiny");
    for piece in 0..pieces.len() {
        bytes.extend(scale(piece).to_le_bytes());
    }
    for piece in 0..pieces.len() {
        bytes.extend((0..dim).map(|column| value(piece, column).cast_unsigned()));
    }
    bytes.extend(vocabulary.as_bytes());
    seal(bytes)
}

fn scale(piece: usize) -> f32 {
    0.5 + piece as f32 * 0.25
}

fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = crc32fast::hash(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

const PIECES: [&str; 7] = ["[UNK]", "[CLS]", "[SEP]", "cat", "##s", "dog", "!"];

fn value(piece: usize, column: usize) -> i8 {
    ((piece * 37 + column * 11) % 255) as i8
}

proptest! {
    #[test]
    fn an_embedding_is_the_normalised_sum_of_scaled_rows(
        words in prop::collection::vec(0..4_usize, 0..300),
        dim in 1..100_usize,
    ) {
        let choices = [("cat", vec![3]), ("cats", vec![3, 4]), ("dog!", vec![5, 6]), ("bird", vec![0])];
        let text: Vec<&str> = words.iter().map(|&word| choices[word].0).collect();
        let ids: Vec<usize> = words.iter().flat_map(|&word| choices[word].1.clone()).collect();
        let mut expected: Vec<f64> = (0..dim)
            .map(|column| ids.iter().map(|&id| f64::from(scale(id)) * f64::from(value(id, column))).sum())
            .collect();
        let norm = expected.iter().map(|v| v * v).sum::<f64>().sqrt();
        if norm > 0.0 {
            expected.iter_mut().for_each(|v| *v /= norm);
        }

        let embedder = StaticEmbedder::from_bytes(table(dim, &PIECES, value)).unwrap();
        let embedding = embedder.embed(&text.join(" ")).unwrap();
        for (got, expected) in embedding.values().iter().zip(&expected) {
            prop_assert!((f64::from(*got) - expected).abs() < 1e-4, "{got} against {expected}");
        }
    }

    #[test]
    fn any_text_has_an_embedding(text in any::<String>()) {
        let embedder = StaticEmbedder::embedded();
        let embedding = embedder.embed(&text).unwrap();
        let mut values = vec![f32::NAN; 256];
        embedder.embed_into(&text, &mut values).unwrap();
        prop_assert_eq!(embedding.values(), &values[..]);
    }
}

#[test]
fn a_damaged_table_is_refused() {
    let good = table(8, &PIECES, value);
    assert!(StaticEmbedder::from_bytes(good.clone()).is_ok());
    for len in 0..good.len() {
        let cut = StaticEmbedder::from_bytes(good[..len].to_vec());
        assert!(
            matches!(cut, Err(Error::InvalidTable { .. })),
            "cut to {len}: {cut:?}"
        );
    }
    for at in 0..good.len() {
        let mut flipped = good.clone();
        flipped[at] ^= 0x10;
        let flipped = StaticEmbedder::from_bytes(flipped);
        assert!(
            matches!(flipped, Err(Error::InvalidTable { .. })),
            "flipped at {at}: {flipped:?}"
        );
    }
}

#[test]
fn a_table_that_lies_under_a_right_checksum_is_refused() {
    let lie = |at: usize, bytes: &[u8]| {
        let mut table = table(8, &PIECES, value);
        table.truncate(table.len() - 4);
        table[at..at + bytes.len()].copy_from_slice(bytes);
        StaticEmbedder::from_bytes(seal(table))
    };
    let cases: [(&str, usize, &[u8]); 8] = [
        ("magic", 0, b"NOPE"),
        ("version", 4, &2_u32.to_le_bytes()),
        ("huge dimension", 8, &u32::MAX.to_le_bytes()),
        ("huge piece count", 12, &u32::MAX.to_le_bytes()),
        ("fewer pieces", 12, &6_u32.to_le_bytes()),
        ("huge vocabulary", 16, &u32::MAX.to_le_bytes()),
        ("huge name", 20, &u32::MAX.to_le_bytes()),
        ("infinite scale", 28, &f32::INFINITY.to_le_bytes()),
    ];
    for (what, at, bytes) in cases {
        let table = lie(at, bytes);
        assert!(
            matches!(table, Err(Error::InvalidTable { .. })),
            "{what}: {table:?}"
        );
    }
    let nameless = lie(24, b"\xff\xff\xff\xff");
    assert!(
        matches!(nameless, Err(Error::InvalidTable { .. })),
        "{nameless:?}"
    );
    let unknown = StaticEmbedder::from_bytes(table(8, &["[CLS]", "[SEP]", "cat"], value));
    assert!(
        matches!(unknown, Err(Error::MissingToken { token: "[UNK]" })),
        "{unknown:?}"
    );
    let flat = StaticEmbedder::from_bytes(table(0, &PIECES, value));
    assert!(
        matches!(flat, Err(Error::Embedding(EmbeddingError::InvalidSpace { .. }))),
        "{flat:?}"
    );
}

#[test]
fn a_missing_file_is_named() {
    let missing = StaticEmbedder::open("no/such/table.bin").unwrap_err();
    assert_eq!(missing.to_string(), "cannot read no/such/table.bin");
}

#[test]
fn values_of_another_length_are_refused() {
    let refused = StaticEmbedder::embedded().embed_into("hello", &mut [0.0; 255]);
    assert!(matches!(
        refused,
        Err(EmbeddingError::DimensionMismatch {
            expected: 256,
            got: 255
        })
    ));
}

/// Stored embeddings outlive a release: other values are another space and need another name.
#[test]
fn the_embedded_table_is_the_one_that_its_name_promises() {
    let embedder = StaticEmbedder::embedded();
    assert_eq!(embedder.space().to_string(), "static-minilm-v1/256");
    let bytes = include_bytes!("../data/static-minilm-v1.bin");
    assert_eq!(bytes.len(), 8_167_272);
    assert_eq!(crc32fast::hash(bytes), TABLE_CRC32);
}

const TABLE_CRC32: u32 = 0x2144_df1c;

#[test]
fn meaning_is_nearer_than_shared_small_words() {
    let embedder = StaticEmbedder::embedded();
    let cases = [
        ("I am so sad", "she is very unhappy", "I am so tall"),
        ("my dog is ill", "the puppy is sick", "my car is new"),
        ("he plays the guitar", "a musician in a band", "he pays the rent"),
        (
            "when is your birthday party?",
            "we celebrate the anniversary",
            "when is your office open?",
        ),
        (
            "I got a job offer",
            "they hired me at the company",
            "I got a parking ticket",
        ),
        (
            "we went to the beach",
            "swimming in the ocean",
            "we went to the bank",
        ),
        ("she is pregnant", "they are expecting a baby", "she is late"),
        ("I love this film", "a great movie", "I love this soup"),
    ];
    for (text, near, far) in cases {
        let text = embedder.embed(text).unwrap();
        let near_by = text.similarity(&embedder.embed(near).unwrap()).unwrap();
        let far_by = text.similarity(&embedder.embed(far).unwrap()).unwrap();
        assert!(
            near_by > far_by,
            "{near:?} {near_by:?} against {far:?} {far_by:?}"
        );
    }
}
