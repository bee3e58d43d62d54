//! Words and phrases to listen for in a message.

/// A message as its words: lower case, without accents, marks and links, one blank on either side of each.
#[derive(Debug)]
pub(super) struct Heard {
    text: String,
    /// Whether it asks: a question mark outside of links.
    pub(super) has_mark: bool,
}

impl Heard {
    pub(super) fn new(message: &str) -> Self {
        let words = message.split_whitespace();
        let said: Vec<&str> = words.filter(|word| !is_link(word)).take(MAX_WORDS).collect();
        let said = said.join(" ");
        Self {
            has_mark: said.contains(['?', '？', '؟']),
            text: normal(&said),
        }
    }

    pub(super) fn words(&self) -> usize {
        self.text.split_whitespace().count()
    }

    pub(super) fn chars(&self) -> usize {
        self.text.trim().chars().count()
    }
}

/// Phrases of one kind. A `*` after a phrase lets its last word go on.
#[derive(Debug)]
pub(super) struct Cues {
    phrases: Vec<String>,
    joined: bool,
}

impl Cues {
    /// The phrases of a `|`-separated list; where words are `joined` a phrase may stand within a word.
    pub(super) fn new(list: &str, joined: bool) -> Self {
        let phrase = |part: &str| {
            let goes_on = part.ends_with('*');
            let text = normal(part.trim_end_matches('*'));
            match (joined, goes_on) {
                (true, _) => text.trim().to_owned(),
                (false, true) => text.trim_end().to_owned(),
                (false, false) => text,
            }
        };
        let phrases = list.split('|').map(str::trim).filter(|part| !part.is_empty());
        Self {
            phrases: phrases
                .map(phrase)
                .filter(|phrase| !phrase.trim().is_empty())
                .collect(),
            joined,
        }
    }

    pub(super) fn in_message(&self, heard: &Heard) -> bool {
        self.phrases
            .iter()
            .any(|phrase| heard.text.contains(phrase.as_str()))
    }

    /// Where the first of the phrases stands.
    pub(super) fn position(&self, heard: &Heard) -> Option<usize> {
        let found = self
            .phrases
            .iter()
            .filter_map(|phrase| heard.text.find(phrase.as_str()));
        found.min()
    }

    /// Whether a phrase is there that none of `negations` stands shortly before or, in languages that deny at
    /// the end, right behind.
    pub(super) fn affirmed_in(&self, heard: &Heard, negations: &Self) -> bool {
        self.phrases.iter().any(|phrase| {
            heard.text.match_indices(phrase.as_str()).any(|(at, found)| {
                let around = if self.joined {
                    let before: Vec<char> = heard.text[..at].chars().rev().take(3).collect();
                    let after = heard.text[at + found.len()..].chars().take(6).collect();
                    [before.iter().rev().collect(), after]
                } else {
                    let before: Vec<&str> = heard.text[..at].split_whitespace().rev().collect();
                    let near: Vec<&str> = before.into_iter().take(NEGATION_WORDS).collect();
                    let near: String = near.iter().rev().flat_map(|word| [" ", *word]).collect();
                    [format!("{near} "), String::new()]
                };
                let denied = |part: &String| negations.phrases.iter().any(|not| part.contains(not.as_str()));
                !around.iter().any(denied)
            })
        })
    }

    /// Whether the message ends with one of the phrases.
    pub(super) fn end(&self, heard: &Heard) -> bool {
        let text = heard.text.trim_end();
        self.phrases
            .iter()
            .any(|phrase| text.ends_with(phrase.trim_end()))
    }

    /// Whether the message begins with one of the phrases.
    pub(super) fn begin(&self, heard: &Heard) -> bool {
        let text = if self.joined {
            heard.text.trim_start()
        } else {
            &heard.text
        };
        self.phrases
            .iter()
            .any(|phrase| text.starts_with(phrase.as_str()))
    }
}

fn is_link(word: &str) -> bool {
    word.contains("://") || word.starts_with("www.") || word.starts_with("<@") || word.starts_with('@')
}

fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(' ');
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            '\u{2019}' | '\u{2018}' | '\'' => out.push('\''),
            '\u{307}' => {}
            _ if is_break(c) => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            _ => out.push(without_accent(c)),
        }
    }
    if !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

fn is_break(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || c.is_ascii_punctuation()
        || matches!(c, '\u{2010}'..='\u{206F}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{FF01}'..='\u{FF0F}'
            | '\u{FF1A}'..='\u{FF20}' | '\u{FF5E}' | '\u{FE0F}' | '¿' | '¡' | '«' | '»' | '،' | '؛' | '؟' | '।' | '·')
}

/// Western accents are often left out when typing.
fn without_accent(c: char) -> char {
    match c {
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'ą' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' | 'ę' => 'e',
        'í' | 'ì' | 'î' | 'ï' | 'ı' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ç' | 'ć' => 'c',
        'ñ' | 'ń' => 'n',
        'ś' | 'ş' => 's',
        'ź' | 'ż' => 'z',
        'ł' => 'l',
        'ğ' => 'g',
        'ё' => 'е',
        'أ' | 'إ' | 'آ' => 'ا',
        _ => c,
    }
}

/// Words of a message that are looked at.
const MAX_WORDS: usize = 300;
/// How far before a word its negation may stand, in words.
const NEGATION_WORDS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_whole_words_unless_they_go_on() {
        let cases = [
            ("passed away|funeral", "My gran PASSED  away!", true),
            ("hi", "this is it", false),
            ("worr*", "I can\u{2019}t stop worrying", true),
            ("adios", "¡Adiós!", true),
            ("can't sleep", "can\u{2019}t sleep again", true),
            ("hope", "https://hope.example/hope", false),
        ];
        for (list, text, expected) in cases {
            assert_eq!(
                Cues::new(list, false).in_message(&Heard::new(text)),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_denied_is_not_said() {
        let not = Cues::new("not|never|n't", false);
        let worried = Cues::new("worried", false);
        for (text, expected) in [
            ("I am worried", true),
            ("I'm not worried", false),
            ("I am not at all worried", false),
            ("it did not rain but all the same I was so very worried", true),
        ] {
            assert_eq!(worried.affirmed_in(&Heard::new(text), &not), expected, "{text}");
        }
        let tired = Cues::new("피곤", true);
        let not = Cues::new("안|지 않", true);
        assert!(!tired.affirmed_in(&Heard::new("안 피곤해"), &not));
        assert!(tired.affirmed_in(&Heard::new("오늘 너무 피곤해"), &not));
    }
}
