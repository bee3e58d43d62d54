//! The words of urgency and of questions; matched as whole words, so that "helpful" is not "help".

use std::ops::Range;

/// A text as lower-case words with straight apostrophes.
#[derive(Debug)]
pub(crate) struct Words {
    lower: String,
    places: Vec<Range<usize>>,
    has_question_mark: bool,
}

impl Words {
    pub(crate) fn of(text: &str) -> Self {
        let (mut lower, mut places) = (String::with_capacity(text.len()), Vec::new());
        for run in text.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '\u{2019}') {
            let word = run.trim_matches(['\'', '\u{2019}']);
            if word.is_empty() {
                continue;
            }
            let from = lower.len();
            if word.is_ascii() {
                lower.push_str(word);
                lower[from..].make_ascii_lowercase();
            } else {
                lower.push_str(&word.to_lowercase().replace('\u{2019}', "'"));
            }
            places.push(from..lower.len());
        }
        Self {
            lower,
            places,
            has_question_mark: text.contains(['?', '？', '؟']),
        }
    }

    /// A call for help, or a word that says "urgent" and is not negated.
    pub(crate) fn are_urgent(&self) -> bool {
        let calls = self.each().any(|word| CALLS.contains(&word));
        calls || PHRASES.iter().any(|phrase| self.contains(phrase)) || self.says_urgent()
    }

    /// A question mark, or a question word at the beginning.
    pub(crate) fn ask(&self) -> bool {
        let first = self.each().next();
        self.has_question_mark || first.is_some_and(|word| QUESTION_WORDS.contains(&word))
    }

    fn says_urgent(&self) -> bool {
        self.each().enumerate().any(|(at, word)| {
            let mut before = self.each().take(at).skip(at.saturating_sub(NEGATION_REACH));
            URGENT.contains(&word) && !before.any(|word| NEGATIONS.contains(&word) || word.ends_with("n't"))
        })
    }

    fn contains(&self, phrase: &[&str]) -> bool {
        let places = self.places.windows(phrase.len());
        let mut windows = places.map(|window| window.iter().map(|place| &self.lower[place.clone()]));
        windows.any(|window| window.eq(phrase.iter().copied()))
    }

    fn each(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| &self.lower[place.clone()])
    }
}

/// Urgent whatever comes before: "no help" is no less of a call than "help".
const CALLS: [&str; 7] = ["help", "sos", "mayday", "911", "suicide", "suicidal", "overdose"];

const URGENT: [&str; 10] = [
    "urgent",
    "urgently",
    "emergency",
    "asap",
    "immediately",
    "crisis",
    "critical",
    "danger",
    "dying",
    "desperate",
];

const PHRASES: [&[&str]; 9] = [
    &["right", "now"],
    &["right", "away"],
    &["as", "soon", "as", "possible"],
    &["can't", "breathe"],
    &["kill", "myself"],
    &["killing", "myself"],
    &["hurt", "myself"],
    &["hurting", "myself"],
    &["end", "my", "life"],
];

const NEGATIONS: [&str; 8] = [
    "not", "no", "never", "nothing", "without", "hardly", "neither", "nor",
];
const NEGATION_REACH: usize = 3;

const QUESTION_WORDS: [&str; 9] = [
    "who", "whom", "whose", "what", "when", "where", "why", "how", "which",
];
