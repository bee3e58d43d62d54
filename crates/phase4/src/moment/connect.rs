//! How an old memory is connected with the present message.

use whisperengine_types::{ConnectionType, EmotionalState, MomentType, Timestamp};

use super::{
    Moments,
    note::Marks,
    pattern::{Key, subject_key},
    pick::Occasion,
};
use crate::{
    lexicon::{Theme, Themes},
    number::unit,
};

/// An old message of the person, kept as a note or recalled from the store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Old<'a> {
    pub(super) marks: Marks,
    pub(super) state: EmotionalState,
    pub(super) intensity: f32,
    pub(super) themes: Themes,
    /// The telling words of the sentence that would be quoted.
    pub(super) terms: &'a [u32],
    /// What tells each of them apart, where known.
    pub(super) modifiers: &'a [u32],
    /// Whether that sentence tells an achievement.
    pub(super) achieved: bool,
    /// Cosine with the present message, where known.
    pub(super) similarity: Option<f32>,
    pub(super) session: u32,
    pub(super) at: Timestamp,
    pub(super) depth: f32,
    pub(super) trust: f32,
}

/// A connection found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connection {
    pub(super) kind: MomentType,
    pub(super) via: ConnectionType,
    pub(super) key: Key,
    pub(super) strength: f32,
    pub(super) relevance: f32,
    pub(super) overlap: f32,
    pub(super) significance: f32,
}

/// Cosine from which two telling words in common are the subject, and from which one is.
pub(super) const ALIKE: f32 = 0.45;
pub(super) const NEAR_WORD: f32 = 0.65;

/// Share of the telling words of either that a single word in common has to be.
const GOOD_PART: f32 = 0.25;

/// What a message and a memory share.
#[derive(Debug, Clone, Copy)]
struct Shared {
    /// Telling words, in the sentence to quote and in what the person tells now.
    terms: usize,
    /// The most of them that stand in one sentence now: together they name a thing, apart they name two.
    together: usize,
    /// Subjects.
    themes: usize,
    /// Share of the telling words of what the person tells now.
    overlap: f32,
    /// Share of the telling words of the longer of the two.
    part: f32,
    similarity: f32,
    /// Whether the similarity is known; notes have none.
    measured: bool,
    /// Near in meaning as a whole.
    near: bool,
}

impl Shared {
    fn of(old: &Old<'_>, now: &Occasion<'_>) -> Self {
        let told = now.utterance.told();
        let mut terms = 0;
        let mut in_sentence = [0_usize; 64];
        for term in now
            .utterance
            .terms
            .iter()
            .filter(|term| now.told.contains(&term.id))
        {
            if !old.terms.contains(&term.id) || is_another(term.id, old, now) {
                continue;
            }
            terms += 1;
            let mut left = term.sentences & told;
            while left != 0 {
                in_sentence[left.trailing_zeros() as usize] += 1;
                left &= left - 1;
            }
        }
        let similarity = old.similarity.unwrap_or(0.0).max(0.0);
        Self {
            terms,
            together: in_sentence.into_iter().max().unwrap_or(0),
            themes: old.themes.subjects().shared(now.themes.subjects()).len(),
            overlap: terms as f32 / now.told.len().max(1) as f32,
            part: terms as f32 / now.told.len().max(old.terms.len()).max(1) as f32,
            similarity,
            measured: old.similarity.is_some(),
            near: similarity >= now.config.similarity,
        }
    }

    /// Whether both are about the same thing: two telling words and nearness, or one and more of it.
    fn is_same_subject(self) -> bool {
        match (self.together, self.measured) {
            (0, _) => self.near,
            (1, true) => self.near || (self.similarity >= NEAR_WORD && self.part >= GOOD_PART),
            (1, false) => false,
            (_, true) => self.similarity >= ALIKE,
            (_, false) => self.overlap >= 0.25,
        }
    }

    /// Whether a subject in common is likely enough where something else ties the two together as well.
    fn is_linked(self) -> bool {
        self.is_same_subject()
            || (self.terms >= 1 && self.themes >= 1 && (!self.measured || self.similarity >= ALIKE))
    }
}

/// Whether a word in common names different things in the two: a homeless shelter is no dog shelter.
fn is_another(term: u32, old: &Old<'_>, now: &Occasion<'_>) -> bool {
    let place = old.terms.iter().position(|&known| known == term);
    let before = place
        .and_then(|place| old.modifiers.get(place))
        .copied()
        .unwrap_or(0);
    if before == 0 {
        return false;
    }
    let told = now.utterance.told();
    let modifier = now
        .utterance
        .modifier(term, |sentence| sentence < 64 && told & (1 << sentence) != 0);
    modifier != 0 && modifier != before && !now.told.contains(&before) && !old.terms.contains(&modifier)
}

/// The most specific connection between `old` and the present message, if there is one.
pub(super) fn connect(moments: &Moments, old: &Old<'_>, now: &Occasion<'_>) -> Option<Connection> {
    use ConnectionType as C;
    use EmotionalState as S;
    use MomentType as M;
    let shared = Shared::of(old, now);
    let subject = || subject_key(old.themes, old.terms).or_else(|| subject_key(now.themes, &[]));
    let linked = shared.is_linked();
    let (achieved, solved) = (now.marks.has(Marks::ACHIEVEMENT), now.marks.has(Marks::SOLVED));
    let pleasant = now.emotion.valence > 0.2 && !now.emotion.is_unpleasant();
    let felt = now.emotion.intensity >= 0.4 && old.intensity >= 0.4;
    let same_feeling = felt && old.state == now.emotion.state && old.state != S::Neutral;
    let was_low = matches!(old.state, S::Sadness | S::Fear);
    let build = |kind, via, key: Option<Key>, base: f32, significance| {
        let subjects = 0.1 * shared.themes.min(2) as f32 + 0.4 * shared.similarity;
        Some(Connection {
            kind,
            via,
            key: key?,
            strength: unit(
                base + subjects + 0.2 * shared.themes.min(2) as f32 + 0.2 * shared.terms.min(3) as f32,
            ),
            relevance: unit(
                base + subjects + 0.3 * shared.terms.min(2) as f32 + if same_feeling { 0.1 } else { 0.0 },
            ),
            overlap: shared.overlap,
            significance,
        })
    };
    if old.marks.has(Marks::PROBLEM) && (solved || (achieved && pleasant)) && linked && shared.terms >= 1 {
        return build(M::ProblemResolution, C::ProblemSolution, subject(), 0.3, 0.8);
    }
    let likely = linked || !shared.measured;
    if achieved && pleasant && old.marks.has(Marks::GOAL) && shared.terms >= 1 && likely {
        return build(M::AchievementCallback, C::GoalProgression, subject(), 0.35, 0.8);
    }
    // What was recalled for its likeness has to be alike; a note of the person's last success need not be.
    let alike = !shared.measured || shared.terms >= 1 || shared.similarity >= ALIKE;
    if achieved && old.achieved && pleasant && alike {
        let key = Some(Key::Theme(Theme::Achievements));
        return build(M::AchievementCallback, C::ThematicSimilarity, key, 0.45, 0.7);
    }
    if was_low && felt && pleasant && shared.terms >= 1 && linked && (shared.terms >= 2 || !shared.measured) {
        return build(M::PersonalGrowth, C::EmotionalResonance, subject(), 0.2, 0.7);
    }
    // Low again: the same cause, or no cause told at all.
    if same_feeling
        && was_low
        && now.emotion.intensity >= 0.5
        && now.emotion.valence < 0.0
        && now.own_feeling
        && (now.is_bare() || linked)
    {
        let key = Some(Key::Feeling(old.state));
        return build(M::SupportFollowUp, C::EmotionalResonance, key, 0.4, 0.8);
    }
    if same_feeling && linked {
        let key = Some(Key::Feeling(old.state));
        match old.state {
            S::Joy | S::Anticipation if shared.terms >= 2 && shared.is_same_subject() => {
                return build(M::CelebrationEcho, C::EmotionalResonance, key, 0.1, 0.6);
            }
            S::Anger | S::Disgust if shared.terms >= 1 => {
                return build(M::EmotionalContinuity, C::EmotionalResonance, key, 0.15, 0.6);
            }
            _ => {}
        }
    }
    if !shared.is_same_subject() {
        return None;
    }
    let (kind, via) = subject_moment(moments, old, now);
    build(kind, via, subject(), if shared.near { 0.2 } else { 0.0 }, 0.5)
}

/// What a subject in common makes.
fn subject_moment(moments: &Moments, old: &Old<'_>, now: &Occasion<'_>) -> (MomentType, ConnectionType) {
    use ConnectionType as C;
    use MomentType as M;
    let both_hobby = old.marks.has(Marks::HOBBY) && now.marks.has(Marks::HOBBY);
    if now.marks.has(Marks::CAUSE) {
        (M::SharedExperience, C::CauseEffect)
    } else if both_hobby {
        (M::InterestDevelopment, C::ThematicSimilarity)
    } else if subject_key(old.themes, old.terms).is_some_and(|key| moments.frequency(key) >= 3) {
        (M::RecurringTheme, C::PatternRecognition)
    } else if old.session + 1 == now.session {
        (M::SharedExperience, C::TemporalSequence)
    } else {
        (M::SharedExperience, C::ThematicSimilarity)
    }
}
