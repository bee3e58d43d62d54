use std::sync::Arc;

use proptest::prelude::*;
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

fn vocabulary(lexicon: &Lexicon, words: &[&str]) -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    words.iter().for_each(|word| vocabulary.add(word_hash(word)));
    vocabulary.number(lexicon);
    vocabulary
}

/// The words of `words` that are like each of `asked`.
fn alike_of_all(lexicon: &Lexicon, asked: &[&str], words: &[&str]) -> Vec<Vec<(u32, f32)>> {
    let number = |word: &&str| lexicon.read().number(word_hash(word)).unwrap();
    let numbers: Vec<u32> = asked.iter().map(number).collect();
    let alike = lexicon.alike(&numbers, &vocabulary(lexicon, words));
    let hashes: Vec<u32> = words.iter().map(|word| word_hash(word)).collect();
    let of = |place| {
        let mut found: Vec<(u32, f32)> = alike
            .of(place)
            .filter(|(hash, _)| hashes.contains(hash))
            .collect();
        found.sort_by_key(|&(hash, _)| hash);
        found
    };
    (0..asked.len()).map(of).collect()
}

fn alike(lexicon: &Lexicon, word: &str, words: &[&str]) -> Vec<(u32, f32)> {
    alike_of_all(lexicon, &[word], words).remove(0)
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
            let (found, expected) = (
                alike(&lexicon, asked, &words[..known]),
                pair_by_pair(&words[..known], asked, 0.35),
            );
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
    let dogs = alike(&lexicon, "dogs", &["stone", "notes", "dogs", "dog"]);
    let mut expected = vec![(word_hash("dog"), 1.0), (word_hash("dogs"), 1.0)];
    expected.sort_by_key(|&(hash, _)| hash);
    assert_eq!(dogs, expected);
}

/// A word of few letters, so that many are alike.
fn word() -> impl Strategy<Value = String> {
    "[b-h]{4,9}".prop_filter("says something", |word| content_words(word).len() == 1)
}

proptest! {
    #[test]
    fn listed_or_not_words_are_alike_as_in_a_pairwise_comparison(
        all in prop::collection::btree_set(word(), 1..90),
        order in any::<u64>(),
        questions in prop::collection::vec((any::<u64>(), 1_usize..4, 0.0_f64..1.0, 0.0_f64..1.0), 1..40),
    ) {
        let mut all: Vec<&str> = all.iter().map(String::as_str).collect();
        all.sort_by_key(|word| u64::from(word_hash(word)).wrapping_mul(order | 1));
        let lexicon = lexicon(0.35);
        let mut known = 0;
        for (seed, asked, share, growth) in questions {
            known = (known + 1 + (growth * 9.0) as usize).min(all.len());
            lexicon.analyze(&all[..known].join(" "));
            let said = |word: &&&str| {
                let chance = u64::from(word_hash(word)).wrapping_mul(seed | 1) >> 32;
                (chance as f64) < share * f64::from(u32::MAX)
            };
            let owned: Vec<&str> = all[..known].iter().filter(said).copied().collect();
            let asked: Vec<&str> = (0..asked).map(|at| all[(seed as usize).wrapping_add(at * at) % known]).collect();
            for (asked, found) in asked.iter().zip(alike_of_all(&lexicon, &asked, &owned)) {
                let expected = pair_by_pair(&owned, asked, 0.35);
                for word in &owned {
                    let hash = word_hash(word);
                    let of = |list: &[(u32, f32)]| list.iter().find(|&&(other, _)| other == hash).map_or(0.0, |&(_, likeness)| likeness);
                    prop_assert!((of(&found) - of(&expected)).abs() < 0.03, "{} {}", asked, word);
                }
                let mut once = found.clone();
                once.dedup_by_key(|&mut (hash, _)| hash);
                prop_assert_eq!(once.len(), found.len());
            }
        }
    }

    #[test]
    fn a_list_says_what_a_direct_comparison_says(all in prop::collection::btree_set(word(), 2..90)) {
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let lexicon = lexicon(0.2);
        lexicon.analyze(&all.join(" "));
        let direct = alike(&lexicon, all[0], &all);
        prop_assert_eq!(lexicon.asked.iter().map(|asked| asked.listed()).sum::<usize>(), 0);
        let listed = alike(&lexicon, all[0], &all);
        prop_assert_eq!(lexicon.asked.iter().map(|asked| asked.listed()).sum::<usize>(), listed.len());
        prop_assert_eq!(direct, listed);
    }
}
