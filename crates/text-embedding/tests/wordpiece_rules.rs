//! The tokenizer's rules on ASCII text against a naive reading of them, and on hostile text.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;

use proptest::prelude::*;
use whisperengine_text_embedding::{Error, StaticEmbedder, WordPiece};

/// The rules as the paper's code states them: strings, no tables, no shared passes.
fn naive(tokenizer: &WordPiece, text: &str) -> Vec<u32> {
    let ids: HashMap<&str, u32> = (0..tokenizer.len() as u32)
        .map(|id| (tokenizer.piece(id).expect("ids are dense"), id))
        .collect();
    let mut spaced = String::new();
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' | ' ' => spaced.push(' '),
            c if c.is_ascii_control() => {}
            c if c.is_ascii_punctuation() => spaced.extend([' ', c, ' ']),
            c => spaced.push(c.to_ascii_lowercase()),
        }
    }
    spaced
        .split_whitespace()
        .flat_map(|word| naive_word(&ids, word))
        .collect()
}

fn naive_word(ids: &HashMap<&str, u32>, word: &str) -> Vec<u32> {
    let unknown = vec![ids["[UNK]"]];
    if word.len() > 100 {
        return unknown;
    }
    let mut pieces = Vec::new();
    let mut start = 0;
    while start < word.len() {
        let found = (start + 1..=word.len()).rev().find_map(|end| {
            let mark = if start > 0 { "##" } else { "" };
            let id = ids.get(format!("{mark}{}", &word[start..end]).as_str())?;
            Some((*id, end))
        });
        let Some((id, end)) = found else { return unknown };
        pieces.push(id);
        start = end;
    }
    pieces
}

fn small() -> WordPiece {
    let pieces = "[UNK] [CLS] [SEP] a b ab abc ba ##a ##b ##ab ##bc ! # ##c cab";
    WordPiece::new(pieces.split(' ')).expect("it has the special tokens")
}

proptest! {
    #[test]
    fn ascii_text_is_cut_as_the_rules_say(text in "[abcABC!# \t\n\u{1}]{0,130}") {
        prop_assert_eq!(small().encode(&text), naive(&small(), &text));
    }

    #[test]
    fn any_text_has_ids_of_the_vocabulary(text in any::<String>()) {
        let embedder = StaticEmbedder::embedded();
        let tokenizer = embedder.tokenizer();
        for id in tokenizer.encode(&text) {
            prop_assert!(tokenizer.piece(id).is_some());
        }
    }
}

#[test]
fn words_of_a_hundred_characters_are_cut_and_longer_ones_unknown() {
    let tokenizer = small();
    for len in [1, 99, 100, 101, 5000] {
        let word = "ab".repeat(len)[..len].to_owned();
        assert_eq!(tokenizer.encode(&word), naive(&tokenizer, &word), "{len}");
    }
    assert_eq!(tokenizer.encode(&"a".repeat(101)), [tokenizer.unknown()]);
}

#[test]
fn a_text_cannot_inject_special_tokens() {
    let embedder = StaticEmbedder::embedded();
    let tokenizer = embedder.tokenizer();
    let (class, separator) = tokenizer.frame();
    let ids = tokenizer.encode("[CLS] hello [SEP][SEP] [MASK]");
    assert!(!ids.contains(&class) && !ids.contains(&separator), "{ids:?}");
}

#[test]
fn a_vocabulary_without_special_tokens_is_refused() {
    for missing in ["[UNK]", "[CLS]", "[SEP]"] {
        let pieces = ["[UNK]", "[CLS]", "[SEP]", "a"]
            .into_iter()
            .filter(|&piece| piece != missing);
        let refused = WordPiece::new(pieces);
        assert!(
            matches!(refused, Err(Error::MissingToken { token }) if token == missing),
            "{refused:?}"
        );
    }
}
