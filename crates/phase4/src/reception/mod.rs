//! How replies go down with the person, and which ways of replying work with them.
//!
//! A reply that is fed back is read for the patterns it follows. The person's next message in the same sitting
//! tells how it went down: livelier or duller than this person usually is, happier or sadder than before, with
//! thanks or with a complaint. A suggestion that was sent is judged by the next message whenever it comes. A
//! pattern works when it was answered five times and goes down clearly better than replies on the whole: what
//! is in every reply stands out from nothing. What works is learnt by mood as well: what comforts need not cheer.

mod pattern;
mod tally;

use serde::{Deserialize, Serialize};
use whisperengine_types::{
    Adaptation, ConversationPattern, EffectivePattern, EmotionalPattern, EmotionalState,
};

use pattern::{bit, patterns};
use tally::Tallies;

use crate::{
    emotional::EmotionalContext,
    lexicon::Cue,
    number::{SignedByte, unit},
    text::Utterance,
};

/// What is known of how replies went down.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Reception {
    ever: Tallies,
    /// The same for the replies to messages of one emotional pattern.
    moods: Vec<(EmotionalPattern, Tallies)>,
    /// Patterns of the replies that the next message answers, a bit each.
    replied: Option<u16>,
    /// A suggestion was sent since the last message.
    initiated: bool,
    /// The person's last message: how pleasant, of which emotional pattern, and whether it was displeased.
    valence: SignedByte,
    mood: Option<EmotionalPattern>,
    displeased: bool,
}

/// A message, as an answer to what the bot said before.
pub(crate) struct Response<'a> {
    pub(crate) utterance: &'a Utterance<'a>,
    pub(crate) emotion: &'a EmotionalContext,
    pub(crate) liveliness: f32,
    /// Whether it asks for another manner than so far.
    pub(crate) wish: bool,
    /// The person's own mean liveliness.
    pub(crate) usual: f32,
    /// Whether the message opens a sitting, and so answers no reply.
    pub(crate) opens: bool,
}

/// Patterns named at most.
const NAMED: usize = 2;
/// Intensity from which anger is displeasure.
const ANGRY: f32 = 0.4;
const COMPLAINT: u128 = Cue::Distrust.bit() | Cue::Insult.bit() | Cue::Boundary.bit();

impl Reception {
    /// The bot replied; `words` is the usual length of the person's messages.
    pub(crate) fn take_reply(&mut self, reply: &Utterance<'_>, brings_up: bool, words: f32) {
        let found = patterns(reply, brings_up, words, self.displeased);
        self.replied = Some(self.replied.unwrap_or(0) | found);
    }

    /// The bot spoke unasked.
    pub(crate) fn take_initiative(&mut self) {
        self.initiated = true;
    }

    /// Learns from the person's next message how the last reply went down.
    pub(crate) fn judge(&mut self, response: &Response<'_>) {
        let outcome = outcome(response, self.valence.value());
        if let Some(used) = self.replied.take().filter(|_| !response.opens) {
            self.ever.all.learn(outcome);
            self.ever.learn(used, outcome);
            if let Some(mood) = self.mood {
                let mood = self.tallies_of(mood);
                mood.all.learn(outcome);
                mood.learn(used, outcome);
            }
        }
        if std::mem::take(&mut self.initiated) {
            self.ever
                .learn(bit(ConversationPattern::ConversationInitiation), outcome);
        }
        let emotion = response.emotion;
        self.valence = SignedByte::new(emotion.valence);
        self.mood = emotion.pattern;
        self.displeased = (emotion.state == EmotionalState::Anger && emotion.intensity >= ANGRY)
            || response.utterance.has_any(COMPLAINT);
    }

    fn tallies_of(&mut self, mood: EmotionalPattern) -> &mut Tallies {
        let known = self.moods.iter().position(|(known, _)| *known == mood);
        let place = known.unwrap_or_else(|| {
            self.moods.push((mood, Tallies::default()));
            self.moods.len() - 1
        });
        &mut self.moods[place].1
    }

    /// What works with the person: in a mood like that of the last message first, then on the whole.
    pub(crate) fn adaptation(&self) -> Adaptation {
        let mut effective = self.mood.map_or_else(Vec::new, |mood| self.effective_in(mood));
        for known in self.ever.effective() {
            if !effective.iter().any(|other| other.pattern == known.pattern) {
                effective.push(known);
            }
        }
        effective.truncate(NAMED);
        Adaptation {
            success_rate: self.ever.all.success(),
            effective,
        }
    }

    /// What works after messages of an emotional pattern, best first.
    pub(crate) fn effective_in(&self, mood: EmotionalPattern) -> Vec<EffectivePattern> {
        let known = self.moods.iter().find(|(known, _)| *known == mood);
        known.map_or_else(Vec::new, |(_, tallies)| tallies.effective())
    }

    pub(crate) fn record(&self, pattern: ConversationPattern) -> (u32, f32) {
        let tally = self.ever.of(pattern);
        (tally.replies(), tally.success())
    }

    pub(crate) fn repair(&mut self) {
        self.moods.truncate(EmotionalPattern::COUNT);
    }
}

/// How well a reply went down, `0..=1`; 0.5 is as ever.
fn outcome(response: &Response<'_>, before: f32) -> f32 {
    let one = |holds: bool| f32::from(u8::from(holds));
    let words = response.utterance;
    let said = one(words.has(Cue::Gratitude)) - one(words.has_any(COMPLAINT) || response.wish);
    unit(
        0.5 + (response.liveliness - response.usual) + 0.5 * (response.emotion.valence - before) + 0.2 * said,
    )
}
