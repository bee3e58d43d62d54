use std::sync::Arc;

use whisperengine_types::{Embedder, Embedding, EmbeddingError, EmbeddingSpace};

use super::*;

/// Letters at their places in the alphabet, so that words with the same letters are alike.
#[derive(Debug)]
struct Letters(EmbeddingSpace);

impl Embedder for Letters {
    fn space(&self) -> &EmbeddingSpace {
        &self.0
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError> {
        let embed = |text: &&str| {
            let mut values = vec![0.0; 26];
            text.bytes()
                .filter(u8::is_ascii_lowercase)
                .for_each(|b| values[usize::from(b - b'a')] += 1.0);
            Embedding::new(&self.0, values)
        };
        texts.iter().map(embed).collect()
    }
}

fn lexicon(threshold: f32) -> Lexicon {
    let letters = Letters(EmbeddingSpace::new("letters", 26).unwrap());
    Lexicon::new(Some(Arc::new(letters)), threshold)
}

fn alike(lexicon: &Lexicon, word: &str) -> Vec<(u32, f32)> {
    let number = lexicon.read().number(word_hash(word)).unwrap();
    let mut found = Vec::new();
    lexicon.visit_alike(number, |hash, likeness| found.push((hash, likeness)));
    found.sort_by_key(|&(hash, _)| hash);
    found
}

/// What one pair at a time comes to, in floats.
fn pair_by_pair(words: &[&str], asked: &str, threshold: f32) -> Vec<(u32, f32)> {
    let letters = Letters(EmbeddingSpace::new("letters", 26).unwrap());
    let of = |word: &str| letters.embed(word).unwrap();
    let mut expected: Vec<(u32, f32)> = words
        .iter()
        .map(|word| {
            let cosine = of(word).similarity(&of(asked)).unwrap().value();
            let likeness = if stem_hash(word) == stem_hash(asked) {
                1.0
            } else {
                ((cosine - threshold) / (1.0 - threshold)).min(1.0)
            };
            (word_hash(word), likeness)
        })
        .filter(|&(_, likeness)| likeness > 0.0)
        .collect();
    expected.sort_by_key(|&(hash, _)| hash);
    expected
}

#[test]
fn words_alike_are_those_of_a_pairwise_comparison_whenever_they_came() {
    let words = [
        "stone", "notes", "onset", "tone", "dog", "dogs", "god", "lake", "painting", "paints",
    ];
    let lexicon = lexicon(0.35);
    for known in 1..=words.len() {
        lexicon.analyze(words[known - 1]);
        for asked in &words[..known] {
            let (found, expected) = (alike(&lexicon, asked), pair_by_pair(&words[..known], asked, 0.35));
            assert_eq!(found.len(), expected.len(), "{asked} among {:?}", &words[..known]);
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found.0, expected.0);
                assert!((found.1 - expected.1).abs() < 0.02, "{found:?} {expected:?}");
            }
        }
    }
}

#[test]
fn without_an_embedder_words_are_alike_by_stem_only() {
    let lexicon = Lexicon::new(None, 0.35);
    lexicon.analyze("stone notes dogs dog");
    let dogs = alike(&lexicon, "dogs");
    let mut expected = vec![(word_hash("dog"), 1.0), (word_hash("dogs"), 1.0)];
    expected.sort_by_key(|&(hash, _)| hash);
    assert_eq!(dogs, expected);
}
