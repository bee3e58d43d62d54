//! Speakers, sessions and channels by number.

use std::{collections::HashMap, sync::Arc};

use super::session::NONE;

/// Distinct names, numbered in the order in which they appeared.
#[derive(Debug, Default)]
pub(crate) struct Names {
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Names {
    /// The name's number, a new one if it is new.
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let name: Arc<str> = name.into();
        let number = self.names.len() as u32;
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        number
    }

    /// The number here of what is number `number` in `other`.
    pub(super) fn take_over(&mut self, other: &Self, number: u32) -> u32 {
        other
            .names
            .get(number as usize)
            .map_or(NONE, |name| self.number(name))
    }

    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        if self.names.len() <= FEW {
            let at = self.names.iter().position(|other| **other == *name);
            return at.map(|at| at as u32);
        }
        self.numbers.get(name).copied()
    }

    /// The first name whose first word is `word`: people are asked about as "Ana", not as "Ana Lima".
    pub(crate) fn find_by_first_word(&self, word: &str) -> Option<u32> {
        let same = |start: &str| start == word || word.len() > 2 && start.eq_ignore_ascii_case(word);
        let first = |name: &Arc<str>| {
            let name = name.trim_start();
            let is_same = name.get(..word.len()).is_some_and(same);
            is_same && !name[word.len()..].starts_with(char::is_alphanumeric)
        };
        let at = self.names.iter().take(MOST_NAMES).position(first)?;
        Some(at as u32)
    }

    pub(super) fn bytes(&self) -> usize {
        let text: usize = self.names.iter().map(|name| name.len() + 16).sum();
        text + self.names.capacity() * 16 + self.numbers.capacity() * 28
    }
}

/// So many names are sooner compared than hashed.
const FEW: usize = 8;
/// A crowd's names are not searched for first names.
const MOST_NAMES: usize = 64;
