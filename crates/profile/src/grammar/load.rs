//! Reads a rule file.

use std::collections::HashMap;

use whisperengine_types::Slot;

use super::{
    Act, Asked, Calendar, Class, Flag, Grammar, GrammarError, Rule,
    pattern::{self, Capture, Node, Words},
};
use crate::text::{Apostrophe, Kind, Tokens, folded};

impl Grammar {
    /// Reads the rules of the language `code` from `text`.
    pub(super) fn parse(code: &str, text: &str) -> Result<Self, GrammarError> {
        let mut loader = Loader {
            apostrophe: if code == "en" {
                Apostrophe::English
            } else {
                Apostrophe::Elision
            },
            vocabulary: HashMap::new(),
            classes: Vec::new(),
            class_names: HashMap::new(),
        };
        let (mut rules, mut calendar) = (Vec::new(), Vec::new());
        let lines = || {
            text.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
        };
        for class in lines().filter_map(|line| line.strip_prefix('@')) {
            let (name, words) = class.split_once('=').ok_or_else(|| GrammarError::new(class))?;
            loader
                .define(name.trim(), words)
                .map_err(|_| GrammarError::new(class))?;
        }
        for line in lines().filter(|line| !line.starts_with('@')) {
            if let Some((unit, words)) = calendar_line(line) {
                for phrase in words.split('|') {
                    calendar.push((loader.words(phrase), unit));
                }
            } else if let Some((words, rule)) =
                line.strip_prefix("each ").and_then(|each| each.split_once(" > "))
            {
                for word in words.split_whitespace() {
                    let rule = rule.replace("{K}", word);
                    rules.push(loader.rule(&rule).map_err(|_| GrammarError::new(&rule))?);
                }
            } else {
                rules.push(loader.rule(line).map_err(|_| GrammarError::new(line))?);
            }
        }
        // The longest phrase first, so that "the day after tomorrow" is not read as "tomorrow".
        calendar.retain(|(words, _): &(Vec<u32>, Calendar)| !words.is_empty());
        calendar.sort_by_key(|(words, _)| (words[0], std::cmp::Reverse(words.len())));
        let class = |name: &str| loader.class_names.get(name).copied();
        let mut grammar = Self {
            stop: class("stop"),
            determiner: class("det"),
            job: class("job"),
            and: class("and"),
            correction: class("correction"),
            instead: class("instead"),
            not: class("not"),
            question: class("question"),
            common: class("common"),
            state: class("state"),
            asking: class("asking"),
            apostrophe: loader.apostrophe,
            noun_capitals: code == "de",
            wide: matches!(code, "zh" | "ja" | "ko" | "th"),
            rules,
            vocabulary: loader.vocabulary,
            classes: loader.classes,
            class_names: loader.class_names,
            by_word: HashMap::new(),
            by_prefix: HashMap::new(),
            always: Vec::new(),
            calendar,
        };
        grammar.index();
        Ok(grammar)
    }

    /// Files every rule under the words of which one must stand in its sentence: the rarest among the rules.
    fn index(&mut self) {
        let mut frequency: HashMap<Trigger, u32> = HashMap::new();
        for rule in &self.rules {
            for node in &rule.pattern {
                for trigger in self.triggers(node).unwrap_or_default() {
                    *frequency.entry(trigger).or_default() += 1;
                }
            }
        }
        for (at, rule) in self.rules.iter().enumerate() {
            let best = rule
                .pattern
                .iter()
                .filter_map(|node| self.triggers(node))
                .min_by_key(|triggers| triggers.iter().map(|t| frequency[t]).max());
            if best.is_none() {
                self.always.push(at as u16);
            }
            for trigger in best.unwrap_or_default() {
                match trigger {
                    Trigger::Word(word) => self.by_word.entry(word).or_default().push(at as u16),
                    Trigger::Prefix(stem) => {
                        if let Some(first) = stem.chars().next() {
                            self.by_prefix.entry(first).or_default().push((stem, at as u16));
                        }
                    }
                }
            }
        }
    }

    /// The words of which one begins whatever the node matches; `None` when it can match without.
    fn triggers(&self, node: &Node) -> Option<Vec<Trigger>> {
        match node {
            Node::Word(word) => Some(vec![Trigger::Word(*word)]),
            Node::Prefix(stem) => Some(vec![Trigger::Prefix(stem.clone())]),
            Node::Class(class) | Node::Capture(_, Capture::Class(class)) => {
                let class = &self.classes[*class];
                if !class.suffixes.is_empty() {
                    return None;
                }
                let words = class
                    .words
                    .iter()
                    .copied()
                    .chain(class.phrases.iter().map(|phrase| phrase[0]));
                let stems = class.prefixes.iter().cloned().map(Trigger::Prefix);
                Some(words.map(Trigger::Word).chain(stems).collect())
            }
            Node::Any(ways) => {
                let mut all = Vec::new();
                for way in ways {
                    all.extend(way.iter().find_map(|node| self.triggers(node))?);
                }
                Some(all)
            }
            Node::Capture(_, Capture::Job) => self.job.and_then(|class| self.triggers(&Node::Class(class))),
            Node::Capture(_, Capture::State) => {
                self.state.and_then(|class| self.triggers(&Node::Class(class)))
            }
            Node::Gap(_) | Node::Begin | Node::End | Node::Capture(..) => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Trigger {
    Word(u32),
    Prefix(Box<str>),
}

struct Loader {
    apostrophe: Apostrophe,
    vocabulary: HashMap<Box<str>, u32>,
    classes: Vec<Class>,
    class_names: HashMap<Box<str>, usize>,
}

impl Loader {
    fn define(&mut self, name: &str, words: &str) -> Result<(), GrammarError> {
        let at = *self.class_names.entry(name.into()).or_insert_with(|| {
            self.classes.push(Class::default());
            self.classes.len() - 1
        });
        for phrase in words.split('|') {
            let phrase = phrase.trim();
            if let Some(other) = phrase.strip_prefix('@') {
                let other = *self
                    .class_names
                    .get(other)
                    .ok_or_else(|| GrammarError::new(phrase))?;
                let Class {
                    words,
                    phrases,
                    prefixes,
                    suffixes,
                } = &self.classes[other];
                let copy = (words.clone(), phrases.clone(), prefixes.clone(), suffixes.clone());
                let class = &mut self.classes[at];
                class.words.extend(copy.0);
                class.phrases.extend(copy.1);
                class.prefixes.extend(copy.2);
                class.suffixes.extend(copy.3);
            } else if let Some(stem) = phrase.strip_suffix('*') {
                self.classes[at].prefixes.push(folded(stem).into());
            } else if let Some(stem) = phrase.strip_prefix('*') {
                self.classes[at].suffixes.push(folded(stem).into());
            } else {
                let words = self.words(phrase);
                match words[..] {
                    [] => {}
                    [word] => self.classes[at].words.push(word),
                    _ => self.classes[at].phrases.push(words),
                }
            }
        }
        self.classes[at].words.sort_unstable();
        self.classes[at]
            .phrases
            .sort_by_key(|phrase| (phrase[0], std::cmp::Reverse(phrase.len())));
        Ok(())
    }

    fn rule(&mut self, line: &str) -> Result<Rule, GrammarError> {
        let bad = || GrammarError::new(line);
        let (head, pattern) = line.split_once(" : ").ok_or_else(bad)?;
        let mut rule = Rule {
            slots: Vec::new(),
            act: Act::Affirm,
            pattern: pattern::parse(pattern, self)?,
            value: None,
            detail: None,
            asked: Asked::Value,
            confidence: 0.9,
            flags: Vec::new(),
        };
        for word in head.split_whitespace() {
            match word {
                "+" => rule.act = Act::Affirm,
                "-" => rule.act = Act::Deny,
                "block" => rule.act = Act::Block,
                "ask" => rule.act = Act::Ask,
                "silent" => rule.flags.push(Flag::Silent),
                "known" => rule.flags.push(Flag::KnownOnly),
                "outcome" => rule.flags.extend([Flag::Outcome, Flag::KnownOnly]),
                "real" => rule.flags.push(Flag::Real),
                "dated" => rule.flags.push(Flag::Dated),
                "questions" => rule.flags.push(Flag::InQuestion),
                "when" => rule.asked = Asked::When,
                "before" => rule.asked = Asked::Before,
                _ => {
                    if let Some((key, text)) = word.split_once('=') {
                        let text = text.replace('_', " ");
                        match key {
                            "value" => rule.value = Some(text.into()),
                            "detail" => rule.detail = Some(text.into()),
                            "sure" => rule.confidence = text.parse().map_err(|_| bad())?,
                            _ => return Err(bad()),
                        }
                    } else {
                        for name in word.split(',') {
                            let slot = Slot::ALL.iter().find(|slot| slot.name() == name);
                            rule.slots.push(*slot.ok_or_else(bad)?);
                        }
                    }
                }
            }
        }
        Ok(rule)
    }
}

impl Words for Loader {
    fn words(&mut self, text: &str) -> Vec<u32> {
        if text.contains(char::is_whitespace) {
            return text
                .split_whitespace()
                .flat_map(|piece| self.words(piece))
                .collect();
        }
        // Clitics are written as they are cut: `'m`, `n't`.
        let clitic = text.starts_with('\'') || text == "n't" || text.ends_with('\'');
        if clitic && !text.is_empty() {
            let next = self.vocabulary.len() as u32 + 1;
            return vec![*self.vocabulary.entry(text.into()).or_insert(next)];
        }
        let tokens = Tokens::new(text, self.apostrophe, |_| 0);
        let mut words = Vec::with_capacity(tokens.all.len());
        for token in &tokens.all {
            if token.kind == Kind::Stop {
                continue;
            }
            let next = self.vocabulary.len() as u32 + 1;
            words.push(*self.vocabulary.entry(tokens.folded(token).into()).or_insert(next));
        }
        words
    }

    fn class(&self, name: &str) -> Option<usize> {
        self.class_names.get(name).copied()
    }
}

fn calendar_line(line: &str) -> Option<(Calendar, &str)> {
    let (head, words) = line.split_once('=')?;
    let (unit, number) = head.trim().split_once('.')?;
    let number: i8 = number.parse().ok()?;
    let unit = match unit {
        "month" => Calendar::Month(number),
        "weekday" => Calendar::Weekday(number),
        "day" => Calendar::Day(number),
        "week" => Calendar::Week(number),
        "month_from" => Calendar::MonthFrom(number),
        "year" => Calendar::Year(number),
        "number" => Calendar::Number(number.unsigned_abs()),
        _ => return None,
    };
    Some((unit, words))
}
