//! The rules of `data/safety.txt` and `data/feelings.txt`: patterns of words, found by the rarest words of each.

use std::{
    ops::Range,
    sync::{LazyLock, OnceLock},
};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::Regex;
use whisperengine_types::{PrimaryEmotion, SafetyKind};

use crate::multilingual::{Kind, fold};

/// All rules, ready to be searched for.
#[derive(Debug)]
pub(crate) struct Rules {
    anchors: AhoCorasick,
    /// The rules that each anchor may belong to.
    of_anchor: Vec<Vec<u32>>,
    list: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    says: Says,
    /// Code of the language that it is written in.
    language: String,
    pattern: String,
    regex: OnceLock<Option<Regex>>,
}

/// What a rule says of a text that it fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Crisis(SafetyKind),
    Concern(SafetyKind),
    /// What it tells of lies behind the writer.
    Past,
    /// It is an idiom, a game, fiction, news or a device.
    Harmless,
    /// A word or an event that mostly goes with an emotion.
    Hints(PrimaryEmotion),
    /// A phrase that is clear whatever words it holds.
    Feels(PrimaryEmotion),
}

/// What the rules say of one text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hits {
    /// Where the first rule for a crisis fits.
    pub(super) crisis: Option<(SafetyKind, Range<usize>)>,
    pub(super) concern: Option<(SafetyKind, Range<usize>)>,
    pub(super) is_past: bool,
    pub(super) is_harmless: bool,
    /// How many rules hint at each emotion.
    pub(crate) hints: [u8; PrimaryEmotion::COUNT],
    /// How many say each clearly.
    pub(crate) feels: [u8; PrimaryEmotion::COUNT],
    candidates: Vec<u32>,
}

impl Rules {
    pub(crate) fn shared() -> &'static Self {
        static SHARED: LazyLock<Rules> = LazyLock::new(|| {
            let files = concat!(
                include_str!("../../data/safety.txt"),
                include_str!("../../data/feelings.txt")
            );
            Rules::parse(files).expect("the tests parse the embedded rules")
        });
        &SHARED
    }

    /// Replaces `hits` by what fits `folded`: small letters, one space between words and at both ends.
    ///
    /// Where the language is clear, only rules for a crisis are of use in another one than their own.
    pub(crate) fn find(&self, folded: &str, language: Option<&str>, hits: &mut Hits) {
        hits.crisis = None;
        hits.concern = None;
        hits.is_past = false;
        hits.is_harmless = false;
        hits.hints = [0; PrimaryEmotion::COUNT];
        hits.feels = [0; PrimaryEmotion::COUNT];
        hits.candidates.clear();
        for anchor in self.anchors.find_overlapping_iter(folded) {
            hits.candidates
                .extend(&self.of_anchor[anchor.pattern().as_usize()]);
        }
        if hits.candidates.is_empty() {
            return;
        }
        hits.candidates.sort_unstable();
        hits.candidates.dedup();
        for at in 0..hits.candidates.len() {
            let rule = &self.list[hits.candidates[at] as usize];
            let is_own = language.is_none_or(|language| language == rule.language);
            let is_needed = match rule.says {
                Says::Crisis(_) => hits.crisis.is_none(),
                Says::Concern(_) => hits.concern.is_none(),
                Says::Past => !hits.is_past,
                Says::Harmless => !hits.is_harmless,
                Says::Hints(_) | Says::Feels(_) => true,
            };
            let is_needed = is_needed && (is_own || matches!(rule.says, Says::Crisis(_)));
            let Some(found) = is_needed.then(|| rule.find(folded)).flatten() else {
                continue;
            };
            match rule.says {
                Says::Crisis(kind) => hits.crisis = Some((kind, found)),
                Says::Concern(kind) => hits.concern = Some((kind, found)),
                Says::Past => hits.is_past = true,
                Says::Harmless => hits.is_harmless = true,
                Says::Hints(emotion) => add_one(&mut hits.hints[emotion as usize]),
                Says::Feels(emotion) => add_one(&mut hits.feels[emotion as usize]),
            }
        }
    }

    /// The rules of a file; `None` when a line is not well formed.
    fn parse(file: &str) -> Option<Self> {
        let mut says = None;
        let mut rules: Vec<Rule> = Vec::new();
        let mut anchors: Vec<String> = Vec::new();
        let mut of_anchor: Vec<Vec<u32>> = Vec::new();
        let mut known = std::collections::HashMap::new();
        let mut language = String::new();
        for line in file.lines().filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix('#') {
                if let Some(heading) = comment.strip_prefix(" --- ") {
                    language = heading.chars().take_while(char::is_ascii_lowercase).collect();
                }
                continue;
            }
            if let Some(section) = line.strip_prefix("@ ") {
                says = Some(section_of(section)?);
                continue;
            }
            let line = folded(line);
            let tokens = tokens(&line)?;
            let number = rules.len() as u32;
            for anchor in rarest(&tokens)? {
                let place = *known.entry(anchor.clone()).or_insert_with(|| {
                    anchors.push(anchor);
                    of_anchor.push(Vec::new());
                    of_anchor.len() - 1
                });
                of_anchor[place].push(number);
            }
            rules.push(Rule {
                says: says?,
                language: language.clone(),
                pattern: pattern(&tokens),
                regex: OnceLock::new(),
            });
        }
        let anchors = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::Standard)
            .dense_depth(4)
            .build(&anchors)
            .ok()?;
        Some(Self {
            anchors,
            of_anchor,
            list: rules,
        })
    }
}

impl Rule {
    fn find(&self, folded: &str) -> Option<Range<usize>> {
        let regex = self
            .regex
            .get_or_init(|| Regex::new(&self.pattern).ok())
            .as_ref()?;
        regex.find(folded).map(|found| found.range())
    }
}

fn add_one(count: &mut u8) {
    *count = count.saturating_add(1);
}

fn section_of(section: &str) -> Option<Says> {
    let (level, name) = section.split_once(' ')?;
    let kinds = [
        SafetyKind::Suicide,
        SafetyKind::SelfHarm,
        SafetyKind::Overdose,
        SafetyKind::Abuse,
        SafetyKind::MedicalEmergency,
        SafetyKind::OtherAtRisk,
        SafetyKind::Hopelessness,
    ];
    let kind = kinds.into_iter().find(|known| known.name() == name);
    match level {
        "crisis" => kind.map(Says::Crisis),
        "concern" => kind.map(Says::Concern),
        "past" => Some(Says::Past),
        "none" => Some(Says::Harmless),
        "hints" => emotion_of(name).map(Says::Hints),
        "feels" => emotion_of(name).map(Says::Feels),
        _ => None,
    }
}

fn emotion_of(name: &str) -> Option<PrimaryEmotion> {
    PrimaryEmotion::ALL
        .into_iter()
        .find(|emotion| emotion.name() == name)
}

/// A part of a line.
#[derive(Debug, PartialEq)]
enum Token<'a> {
    /// One of these; `is_optional` where none will do.
    Words {
        words: Vec<&'a str>,
        is_optional: bool,
    },
    Gap,
    End,
}

fn tokens(line: &str) -> Option<Vec<Token<'_>>> {
    line.split_whitespace()
        .map(|token| {
            let (token, is_optional) = match token {
                ".." => return Some(Token::Gap),
                "$" => return Some(Token::End),
                _ => token
                    .strip_suffix('?')
                    .map_or((token, false), |token| (token, true)),
            };
            let token = match token.strip_prefix('(') {
                Some(rest) => rest.strip_suffix(')')?,
                None => token,
            };
            let words: Vec<&str> = token.split('|').collect();
            let is_plain = |word: &&str| !word.is_empty() && !word.contains(['(', ')', '[', '\\', '+', '.']);
            words
                .iter()
                .all(is_plain)
                .then_some(Token::Words { words, is_optional })
        })
        .collect()
}

/// The line in the letters of a folded text.
fn folded(line: &str) -> String {
    let letters = line.chars().map(|c| {
        if c.is_ascii() {
            (c, Kind::Sign)
        } else {
            (fold(c).c, fold(c).kind)
        }
    });
    letters
        .filter(|&(_, kind)| kind != Kind::Nothing)
        .map(|(c, _)| c)
        .collect()
}

/// Whether the words stand without spaces between them.
fn is_dense(word: &str) -> bool {
    word.chars()
        .any(|c| matches!(c, '\u{E00}'..='\u{E7F}' | '\u{3041}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}'))
}

/// Words that too many texts have for an anchor.
const COMMON: [&str; 48] = [
    "about", "again", "could", "from", "going", "have", "just", "like", "make", "need", "never", "really",
    "should", "some", "that", "them", "they", "think", "this", "time", "time_to", "want", "was", "were",
    "what", "when", "will", "with", "would", "your", "been", "good", "know", "people", "more", "dont",
    "cant", "isnt", "didnt", "doesnt", "wont", "being", "here", "there", "today", "feel", "love", "how",
];

/// The anchors of a line: the words of the token whose shortest is longest.
fn rarest(tokens: &[Token<'_>]) -> Option<Vec<String>> {
    let len = |word: &str| {
        let word = word.trim_end_matches('*');
        if COMMON.contains(&word) { 1 } else { word.len() }
    };
    let shortest = |words: &[&str]| words.iter().map(|word| len(word)).min();
    let needed = tokens.iter().filter_map(|token| match token {
        Token::Words {
            words,
            is_optional: false,
        } if !words.contains(&"$") => Some(words),
        _ => None,
    });
    let rarest = needed.max_by_key(|words| shortest(words))?;
    let anchor = |word: &&str| {
        let stem = word.trim_end_matches('*').split('*').next().unwrap_or(word);
        let text = folded_digits(&stem.replace('_', " "));
        if is_dense(word) {
            text
        } else if word.contains('*') {
            format!(" {text}")
        } else {
            format!(" {text} ")
        }
    };
    Some(rarest.iter().map(anchor).collect())
}

/// A number as the folded text has it: two zeros at most.
fn folded_digits(text: &str) -> String {
    let mut short = text.to_owned();
    while short.contains("000") {
        short = short.replace("000", "00");
    }
    short
}

/// The regular expression of a line.
fn pattern(tokens: &[Token<'_>]) -> String {
    let dense = tokens
        .iter()
        .any(|token| matches!(token, Token::Words { words, .. } if words.iter().any(|word| is_dense(word))));
    let mut pattern = String::from(if dense { "" } else { " " });
    for token in tokens {
        match token {
            Token::Gap if dense => pattern.push_str(".{0,8}"),
            Token::Gap => pattern.push_str("(?:[^ ]+ ){0,4}"),
            Token::End => pattern.push('$'),
            Token::Words { words, is_optional } => {
                let one = |word: &&str| match *word {
                    "$" => "$".to_owned(),
                    word => {
                        let word = folded_digits(word).replace('*', "[^ ]*").replace('_', " ");
                        if dense { word } else { format!("{word} ") }
                    }
                };
                let all: Vec<String> = words.iter().map(one).collect();
                pattern.push_str("(?:");
                pattern.push_str(&all.join("|"));
                pattern.push_str(if *is_optional { ")?" } else { ")" });
            }
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_embedded_rules_is_a_pattern() {
        let rules = Rules::shared();
        assert!(rules.list.len() > 300);
        for rule in &rules.list {
            assert!(Regex::new(&rule.pattern).is_ok(), "{}", rule.pattern);
        }
    }

    #[test]
    fn a_rule_fits_whole_words_with_gaps() {
        let file = "@ crisis suicide\n(end|stop) .. it (now|today*)\nnever? again $\n@ none none\nlol";
        let rules = Rules::parse(file).expect("the lines are well formed");
        for (text, crisis, harmless) in [
            (" i end it now ", true, false),
            (" i end all of it todayy ", true, false),
            (" i send it now ", false, false),
            (" end one two three four five it now ", false, false),
            (" not again lol ", false, true),
            (" oh again ", true, false),
        ] {
            let mut hits = Hits::default();
            rules.find(text, None, &mut hits);
            assert_eq!(
                (hits.crisis.is_some(), hits.is_harmless),
                (crisis, harmless),
                "{text}"
            );
        }
    }
}
