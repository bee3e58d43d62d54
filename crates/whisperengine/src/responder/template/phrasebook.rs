//! The sentences and cue words of each language, from the data files in `replies/`.

use std::{collections::BTreeMap, sync::LazyLock};

use figment::providers::{Format, Toml};
use serde::Deserialize;
use whisperengine_types::{Language, Slot};

use super::cues::{Cues, Heard};

/// What a reply can say. Every language has at least one sentence for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Saying {
    /// Thoughts of suicide, self-harm, or a danger of no known kind.
    Crisis,
    /// An emergency or an overdose.
    CrisisMedical,
    /// Violence by somebody else.
    CrisisAbuse,
    /// Somebody else is at risk.
    CrisisOther,
    /// Leads over to the resources that the app configures: `{resources}`.
    Resources,
    /// Soon after a crisis.
    AfterCrisis,
    /// Hopelessness, past harm, not coping.
    Concern,
    Greeting,
    HowAreYou,
    Thanks,
    Goodbye,
    /// A short yes, no or ok.
    Ack,
    /// A request that takes a language model.
    Help,
    Advice,
    /// They want to chat and look for a subject.
    Chat,
    AboutBot,
    /// Leads over to what is known of them: `{facts}`.
    AboutMe,
    UnknownSelf,
    UnknownWorld,
    /// Nothing is known of the day asked for: `{when}`.
    NothingThen,
    NothingPlanned,
    /// `{when}` and `{quote}`.
    YouWrote,
    /// `{when}`, `{speaker}` and `{quote}`.
    TheyWrote,
    /// A record that nobody said: `{when}` and `{quote}`.
    Recorded,
    /// A fact and when they said so: `{fact}` and `{when}`.
    FactSaid,
    /// Asks how something that they wrote of went on.
    MomentAsk,
    /// A fact that the message states: `{value}`.
    Learned,
    Grief,
    /// As [`Saying::Grief`], with `{who}`.
    GriefFor,
    Illness,
    IllnessFor,
    Heartbreak,
    Setback,
    Worry,
    WorryFor,
    Anger,
    Shame,
    Lonely,
    Tired,
    Sad,
    Disgust,
    /// Something bad of no known kind.
    Low,
    GoodNews,
    Joy,
    Excitement,
    Pride,
    Love,
    Calm,
    Surprise,
    Mixed,
    Neutral,
}

/// What a message can be heard to say. The words stand in the data file, separated by `|`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cue {
    Greeting,
    HowAreYou,
    Thanks,
    Goodbye,
    Ack,
    /// What a question begins with.
    Question,
    /// The person speaks of themselves.
    Me,
    Not,
    Help,
    Advice,
    Chat,
    AboutBot,
    AboutMe,
    Death,
    Illness,
    Heartbreak,
    Setback,
    Worry,
    Anger,
    Shame,
    Lonely,
    Tired,
    GoodNews,
}

/// How a day is named within a sentence.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DateWords {
    /// Monday first.
    pub(super) weekdays: [String; 7],
    pub(super) months: [String; 12],
    /// Of this year: `{weekday}`, `{day}`, `{month}`.
    pub(super) near: String,
    /// Of another year: `{year}` too.
    pub(super) far: String,
    pub(super) today: String,
    pub(super) yesterday: String,
}

/// One language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Phrasebook {
    /// Words are written without blanks between them, or with endings that are words of their own.
    #[serde(default)]
    pub(super) joined: bool,
    /// Words take endings, so that a value seldom stands as it was written.
    #[serde(default)]
    pub(super) inflected: bool,
    /// The marks around a quotation.
    pub(super) marks: [String; 2],
    /// Between the parts of a list.
    pub(super) comma: String,
    pub(super) date: DateWords,
    cues: BTreeMap<Cue, String>,
    /// Somebody dear, as the person writes it, and as `{who}`.
    kin: BTreeMap<String, String>,
    say: BTreeMap<Saying, Vec<String>>,
    /// What a fact is called: `{label}: {value}`.
    label: BTreeMap<Slot, String>,
    /// A sentence for a fact: `{value}`. Only where the value stands as it was written.
    #[serde(default)]
    pub(super) fact: BTreeMap<Slot, String>,
    #[serde(skip)]
    heard: BTreeMap<Cue, Cues>,
    #[serde(skip)]
    dear: Vec<(Cues, String)>,
}

impl Phrasebook {
    /// The language of the data files; English where there is none.
    pub(super) fn of(language: Option<Language>) -> &'static Self {
        let own = language.and_then(|language| BOOKS.get(language.code()));
        own.unwrap_or_else(|| &BOOKS["en"])
    }

    /// The language that a greeting, thanks or farewell is in; English where none is.
    pub(super) fn of_courtesy(heard: &Heard) -> &'static Self {
        let courtesies = [Cue::Greeting, Cue::Thanks, Cue::Goodbye];
        let is_in = |book: &&Self| courtesies.iter().any(|cue| book.cues(*cue).begin(heard));
        let english = &BOOKS["en"];
        let mut books = std::iter::once(english).chain(BOOKS.values());
        books.find(is_in).unwrap_or(english)
    }

    fn parse(text: &str) -> Self {
        let mut book: Self = Toml::from_str(text).expect("a test parses every file");
        let cues = book.cues.iter();
        book.heard = cues
            .map(|(cue, words)| (*cue, Cues::new(words, book.joined)))
            .collect();
        let kin = book.kin.iter();
        book.dear = kin
            .map(|(words, who)| (Cues::new(words, book.joined), who.clone()))
            .collect();
        book
    }

    /// The variants of a saying; never empty.
    pub(super) fn variants(&self, saying: Saying) -> &[String] {
        &self.say[&saying]
    }

    pub(super) fn cues(&self, cue: Cue) -> &Cues {
        &self.heard[&cue]
    }

    pub(super) fn label(&self, slot: Slot) -> Option<&str> {
        self.label.get(&slot).map(String::as_str)
    }

    /// Words for somebody dear, and what the reply calls them.
    pub(super) fn dear(&self) -> &[(Cues, String)] {
        &self.dear
    }
}

macro_rules! books {
    ($($code:literal)*) => {
        static BOOKS: LazyLock<BTreeMap<&'static str, Phrasebook>> = LazyLock::new(|| {
            BTreeMap::from([$((
                $code,
                Phrasebook::parse(include_str!(concat!("../../../replies/", $code, ".toml"))),
            )),*])
        });
    };
}

books! { "ar" "de" "en" "es" "fr" "hi" "id" "it" "ja" "ko" "nl" "pl" "pt" "ru" "th" "tr" "vi" "zh" }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_can_say_and_hear_everything() {
        let english = &BOOKS["en"];
        assert_eq!(BOOKS.len(), 18);
        for (code, book) in BOOKS.iter() {
            let sayings = |book: &Phrasebook| book.say.keys().copied().collect::<Vec<_>>();
            assert_eq!(sayings(book), sayings(english), "{code}");
            let cues = |book: &Phrasebook| book.cues.keys().copied().collect::<Vec<_>>();
            assert_eq!(cues(book), cues(english), "{code}");
            let labels = |book: &Phrasebook| book.label.keys().copied().collect::<Vec<_>>();
            assert_eq!(labels(book), labels(english), "{code}");
            assert!(book.kin.len() >= 8, "{code}");
        }
    }

    #[test]
    fn every_sentence_is_short_and_has_its_places() {
        let places = |book: &Phrasebook, saying| -> &[&str] {
            match saying {
                Saying::Resources => &["{resources}"],
                Saying::AboutMe => &["{facts}"],
                Saying::NothingThen => &["{when}"],
                Saying::YouWrote | Saying::Recorded => &["{when}", "{quote}"],
                Saying::TheyWrote => &["{when}", "{speaker}", "{quote}"],
                Saying::FactSaid => &["{fact}", "{when}"],
                Saying::Learned if !book.inflected => &["{value}"],
                Saying::GriefFor | Saying::IllnessFor | Saying::WorryFor => &["{who}"],
                _ => &[],
            }
        };
        for (code, book) in BOOKS.iter() {
            for (saying, variants) in &book.say {
                assert!(!variants.is_empty(), "{code} {saying:?}");
                for text in variants {
                    let places = places(book, *saying);
                    assert!(places.iter().all(|place| text.contains(place)), "{code}: {text}");
                    assert_eq!(text.matches('{').count(), places.len(), "{code}: {text}");
                    assert!(text.chars().count() <= 400, "{code}: {text}");
                }
            }
            for saying in [
                Saying::Neutral,
                Saying::Greeting,
                Saying::Joy,
                Saying::Sad,
                Saying::Low,
            ] {
                assert!(book.variants(saying).len() >= 2, "{code} {saying:?}");
            }
        }
    }
}
