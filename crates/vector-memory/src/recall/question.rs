//! A question made ready: its terms, whom it asks about, and its text for the embedder.

use crate::{
    partition::Partition,
    text::{QueryTerm, query_terms, words},
};

/// What of a question does not depend on the single memory.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) terms: Vec<QueryTerm>,
    /// The numbers of the speakers it names.
    pub(crate) speakers: Vec<u32>,
    /// The text with the speakers' names replaced by a pronoun: to an embedding a name is a strong and
    /// misleading feature.
    pub(crate) text_to_embed: String,
}

impl Question {
    pub(crate) fn new(text: &str, partition: &Partition) -> Self {
        let mut speakers = Vec::new();
        let mut text_to_embed = String::with_capacity(text.len());
        let mut copied = 0;
        for word in words(text) {
            let bare = ["'s", "\u{2019}s"]
                .into_iter()
                .find_map(|suffix| word.strip_suffix(suffix))
                .unwrap_or(word);
            let mut named = partition
                .speakers()
                .iter()
                .enumerate()
                .filter(|(_, name)| is_name(name, bare))
                .map(|(number, _)| number as u32)
                .peekable();
            if named.peek().is_none() {
                continue;
            }
            for number in named {
                if !speakers.contains(&number) {
                    speakers.push(number);
                }
            }
            let at = word.as_ptr() as usize - text.as_ptr() as usize;
            text_to_embed.push_str(&text[copied..at]);
            text_to_embed.push_str(if bare.len() < word.len() { "their" } else { "they" });
            copied = at + word.len();
        }
        text_to_embed.push_str(&text[copied..]);
        Self {
            terms: query_terms(text),
            speakers,
            text_to_embed,
        }
    }
}

/// Whether `word` is `name` or the first word of it.
fn is_name(name: &str, word: &str) -> bool {
    let first = name.split_whitespace().next().unwrap_or(name);
    let same = |a: &str| a.len() == word.len() && a.to_lowercase() == word.to_lowercase();
    same(first) || same(name)
}
