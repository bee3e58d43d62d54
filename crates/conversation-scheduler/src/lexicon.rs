//! The words of urgency and of questions; matched as whole words, so that "helpful" is not "help".

/// A text as lower-case words.
#[derive(Debug)]
pub(crate) struct Words {
    words: Vec<String>,
    has_question_mark: bool,
}

impl Words {
    pub(crate) fn of(text: &str) -> Self {
        let words = text
            .split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '\u{2019}')
            .filter(|word| !word.is_empty())
            .map(|word| word.to_lowercase().replace('\u{2019}', "'"))
            .map(|word| word.trim_matches('\'').to_owned())
            .filter(|word| !word.is_empty())
            .collect();
        Self {
            words,
            has_question_mark: text.contains(['?', '？', '؟']),
        }
    }

    /// A call for help, or a word that says "urgent" and is not negated.
    pub(crate) fn are_urgent(&self) -> bool {
        let calls = self.words.iter().any(|word| CALLS.contains(&word.as_str()));
        calls || PHRASES.iter().any(|phrase| self.contains(phrase)) || self.says_urgent()
    }

    /// A question mark, or a question word at the beginning.
    pub(crate) fn ask(&self) -> bool {
        let first = self.words.first().map(String::as_str);
        self.has_question_mark || first.is_some_and(|word| QUESTION_WORDS.contains(&word))
    }

    fn says_urgent(&self) -> bool {
        self.words.iter().enumerate().any(|(at, word)| {
            let before = &self.words[at.saturating_sub(NEGATION_REACH)..at];
            URGENT.contains(&word.as_str())
                && !before
                    .iter()
                    .any(|word| NEGATIONS.contains(&word.as_str()) || word.ends_with("n't"))
        })
    }

    fn contains(&self, phrase: &[&str]) -> bool {
        self.words.windows(phrase.len()).any(|window| window == phrase)
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
