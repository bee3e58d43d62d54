//! What to say to a feeling: chosen by the event that the words tell of and by the reading.

use whisperengine_types::{PrimaryEmotion, SafetyKind, SafetyLevel, Slot};

use super::{
    Reply,
    phrasebook::{Cue, Saying},
    words::spoken,
};

impl Reply<'_> {
    /// The answer to somebody in danger, or to somebody who was a moment ago.
    pub(super) fn to_danger(&self) -> Option<String> {
        let safety = &self.outcome.emotion.safety;
        let kind = safety.cue.as_ref().map(|cue| cue.kind);
        let saying = match (safety.level, kind) {
            (SafetyLevel::None, _) => {
                return self.follows_crisis().then(|| self.say(Saying::AfterCrisis));
            }
            (SafetyLevel::Concern, _) => {
                // A loss is met as one; the words for it are as gentle.
                let is_loss = self.event() == Some(Saying::Grief);
                return Some(if is_loss {
                    self.about_somebody(Saying::Grief)
                } else {
                    self.say(Saying::Concern)
                });
            }
            (_, Some(SafetyKind::MedicalEmergency | SafetyKind::Overdose)) => Saying::CrisisMedical,
            (_, Some(SafetyKind::Abuse)) => Saying::CrisisAbuse,
            (_, Some(SafetyKind::OtherAtRisk)) => Saying::CrisisOther,
            _ => Saying::Crisis,
        };
        let mut reply = self.say(saying);
        let resources = self.outcome.context.resources.trim();
        if !resources.is_empty() {
            reply.push(' ');
            reply.push_str(&self.fill(Saying::Resources, &[("{resources}", resources)]));
        }
        Some(reply)
    }

    /// Whether one of the bot's last lines answers a crisis and the message says nothing else.
    fn follows_crisis(&self) -> bool {
        let is_short = self.length() <= SHORT_WORDS && !self.asks && !self.hears(Cue::Thanks);
        let sayings = [
            Saying::Crisis,
            Saying::CrisisMedical,
            Saying::CrisisAbuse,
            Saying::CrisisOther,
        ];
        let mut answers = sayings.iter().flat_map(|saying| self.book.variants(*saying));
        is_short && answers.any(|answer| self.said_of_late(answer))
    }

    /// What the words and the reading tell of a feeling; `None` when nothing stands out.
    pub(super) fn to_feeling(&self) -> Option<String> {
        if let Some(saying) = self.event() {
            return Some(self.about_somebody(saying));
        }
        self.feeling().map(|saying| self.say(saying))
    }

    /// The kind of event that the message tells of, where the reading does not speak against it.
    pub(super) fn event(&self) -> Option<Saying> {
        let emotion = &self.outcome.emotion;
        let is_glad = is_pleasant(emotion.primary) && emotion.valence > 0.3;
        let is_bad = is_unpleasant(emotion.primary) && emotion.valence < -0.2;
        let tells = |cue: Cue| {
            self.book
                .cues(cue)
                .affirmed_in(&self.heard, self.book.cues(Cue::Not))
        };
        if tells(Cue::GoodNews) && !is_bad {
            return Some(Saying::GoodNews);
        }
        if is_glad {
            return None;
        }
        // A phone that died is not mourned.
        if tells(Cue::Death) && (is_bad || self.somebody().is_some()) {
            return Some(Saying::Grief);
        }
        // Fear for somebody ill is worry; the rest of the events are told by their own words.
        let is_worried = tells(Cue::Worry);
        if tells(Cue::Illness) && !is_worried && (is_bad || self.somebody().is_some()) {
            return Some(Saying::Illness);
        }
        let events = [
            (Cue::Heartbreak, Saying::Heartbreak),
            (Cue::Setback, Saying::Setback),
            (Cue::Lonely, Saying::Lonely),
            (Cue::Shame, Saying::Shame),
            (Cue::Worry, Saying::Worry),
            (Cue::Anger, Saying::Anger),
            (Cue::Tired, Saying::Tired),
        ];
        let told = events.into_iter().find(|(cue, _)| tells(*cue));
        told.map(|(_, saying)| saying)
    }

    /// The saying, about the one the message is about where there is a wording for that.
    fn about_somebody(&self, saying: Saying) -> String {
        let about = match saying {
            Saying::Grief => Saying::GriefFor,
            Saying::Illness => Saying::IllnessFor,
            Saying::Worry => Saying::WorryFor,
            _ => return self.say(saying),
        };
        match self.somebody() {
            Some(who) => self.fill(about, &[("{who}", &who)]),
            None => self.say(saying),
        }
    }

    /// Somebody dear whom the message names: by a name that is known, else by a word for them.
    fn somebody(&self) -> Option<String> {
        let known = self.outcome.facts.iter().chain(&self.stated);
        let named = known
            .filter(|fact| NAMED.contains(&fact.slot) && fact.is_visible_to(&self.message.audience))
            .map(|fact| fact.value.trim())
            .find(|name| is_name(name) && self.names(name));
        if let Some(name) = named {
            return Some(spoken(name, MAX_NAME));
        }
        let dear = self.book.dear().iter();
        let named = dear.filter_map(|(words, who)| Some((words.position(&self.heard)?, who)));
        named.min_by_key(|(at, _)| *at).map(|(_, who)| who.clone())
    }

    fn names(&self, name: &str) -> bool {
        let mut words = self
            .message
            .text
            .split(|c: char| !c.is_alphanumeric() && c != '-');
        words.any(|word| word == name) || (self.book.joined && self.message.text.contains(name))
    }

    fn feeling(&self) -> Option<Saying> {
        let emotion = &self.outcome.emotion;
        let (primary, valence) = (emotion.primary, emotion.valence);
        // A reading that contradicts itself says nothing.
        let is_contradiction =
            is_unpleasant(primary) && valence > 0.2 || is_pleasant(primary) && valence < -0.2;
        if is_contradiction && !emotion.mixed {
            return None;
        }
        if emotion.confidence < SURE || primary == PrimaryEmotion::Neutral {
            return match valence {
                low if low < -0.4 => Some(Saying::Low),
                high if high > 0.6 => Some(Saying::Joy),
                _ => None,
            };
        }
        if emotion.mixed && valence.abs() < 0.35 {
            return Some(Saying::Mixed);
        }
        Some(match primary {
            PrimaryEmotion::Joy | PrimaryEmotion::Gratitude => Saying::Joy,
            PrimaryEmotion::Excitement => Saying::Excitement,
            PrimaryEmotion::Pride => Saying::Pride,
            PrimaryEmotion::Love => Saying::Love,
            PrimaryEmotion::Calm => Saying::Calm,
            PrimaryEmotion::Sadness => Saying::Sad,
            PrimaryEmotion::Fear => Saying::Worry,
            PrimaryEmotion::Anger => Saying::Anger,
            PrimaryEmotion::Disgust => Saying::Disgust,
            PrimaryEmotion::Shame => Saying::Shame,
            PrimaryEmotion::Surprise if valence < -0.3 => Saying::Low,
            PrimaryEmotion::Surprise => Saying::Surprise,
            PrimaryEmotion::Neutral => return None,
        })
    }

    /// Whether a question is above all an outcry.
    pub(super) fn is_outcry(&self) -> bool {
        let emotion = &self.outcome.emotion;
        let is_felt = emotion.valence < -0.4 && emotion.confidence >= 0.5;
        is_unpleasant(emotion.primary) && is_felt || self.event().is_some()
    }
}

fn is_name(value: &str) -> bool {
    value.chars().next().is_some_and(|first| !first.is_lowercase())
        && (2..=MAX_NAME).contains(&value.chars().count())
        && !value.contains(char::is_whitespace)
}

fn is_unpleasant(emotion: PrimaryEmotion) -> bool {
    use PrimaryEmotion::{Anger, Disgust, Fear, Sadness, Shame};
    matches!(emotion, Sadness | Fear | Anger | Disgust | Shame)
}

fn is_pleasant(emotion: PrimaryEmotion) -> bool {
    use PrimaryEmotion::{Calm, Excitement, Gratitude, Joy, Love, Pride};
    matches!(emotion, Joy | Excitement | Pride | Love | Gratitude | Calm)
}

/// Those whom somebody grieves for or worries about.
pub(super) const NAMED: &[Slot] = &[
    Slot::Pet,
    Slot::Partner,
    Slot::Sibling,
    Slot::Child,
    Slot::Parent,
    Slot::Relative,
    Slot::Friend,
];
/// A less sure reading is answered by its valence alone.
const SURE: f32 = 0.4;
const MAX_NAME: usize = 24;
/// After a crisis a message of at most so many words is met with care, whatever it says.
const SHORT_WORDS: usize = 4;
