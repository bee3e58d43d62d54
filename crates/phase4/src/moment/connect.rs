//! How an old memory is connected with the present message.

use whisperengine_types::{ConnectionType, EmotionalState, MomentType};

use super::{
    Moments,
    note::{Marks, Note},
    pattern::Key,
    pick::Occasion,
};
use crate::number::unit;

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

/// What a message and a memory share.
#[derive(Debug, Clone, Copy)]
struct Shared {
    /// Telling words.
    terms: usize,
    /// Subjects.
    themes: usize,
    /// Share of the message's telling words.
    overlap: f32,
    similarity: f32,
    /// Whether the similarity is known; notes have none.
    measured: bool,
}

impl Shared {
    /// Whether the shared words are the subject of both: near in meaning, or much of the message.
    fn is_close(self) -> bool {
        if self.measured {
            self.similarity >= 0.45
        } else {
            self.overlap >= 0.25
        }
    }
}

/// The most specific connection between `old` and the present message, if there is one.
pub(super) fn connect(
    moments: &Moments,
    old: &Note,
    similarity: Option<f32>,
    now: &Occasion<'_>,
) -> Option<Connection> {
    use ConnectionType as C;
    use EmotionalState as S;
    use MomentType as M;
    let shared = shared(old, similarity, now);
    let subject = || {
        old.subject()
            .or_else(|| super::pattern::subject_key(now.themes, &[]))
    };
    let near = shared.similarity >= now.config.similarity;
    let related = near || (shared.terms >= 1 && shared.is_close());
    let linked = related || (shared.terms >= 1 && shared.themes >= 1);
    let (achieved, solved) = (now.marks.has(Marks::ACHIEVEMENT), now.marks.has(Marks::SOLVED));
    let pleasant = now.emotion.valence > 0.2 && !now.emotion.is_unpleasant();
    let felt = now.emotion.intensity >= 0.4 && old.intensity.value() >= 0.4;
    let same_feeling = felt && old.state == now.emotion.state && old.state != S::Neutral;
    let low = |state| matches!(state, S::Sadness | S::Fear);
    let build = |kind, via, key: Option<Key>, base: f32, significance| {
        let strength = unit(
            0.3 * shared.themes.min(2) as f32
                + 0.2 * shared.terms.min(3) as f32
                + 0.4 * shared.similarity
                + base,
        );
        Some(Connection {
            kind,
            via,
            key: key?,
            strength,
            relevance: unit(
                base + 0.3 * shared.terms.min(2) as f32
                    + 0.1 * shared.themes.min(2) as f32
                    + 0.4 * shared.similarity
                    + if same_feeling { 0.1 } else { 0.0 },
            ),
            overlap: shared.overlap,
            significance,
        })
    };
    if old.marks.has(Marks::PROBLEM) && (solved || (achieved && pleasant)) && linked {
        return build(M::ProblemResolution, C::ProblemSolution, subject(), 0.3, 0.8);
    }
    if achieved && pleasant && old.marks.has(Marks::GOAL) && shared.terms >= 1 {
        return build(M::AchievementCallback, C::GoalProgression, subject(), 0.35, 0.8);
    }
    if achieved && old.marks.has(Marks::ACHIEVEMENT) && !now.emotion.is_unpleasant() {
        let key = Some(Key::Theme(crate::lexicon::Theme::Achievements));
        return build(M::AchievementCallback, C::ThematicSimilarity, key, 0.45, 0.7);
    }
    if low(old.state) && felt && pleasant && linked && shared.terms >= 1 {
        return build(M::PersonalGrowth, C::EmotionalResonance, subject(), 0.2, 0.7);
    }
    if same_feeling && low(old.state) && now.emotion.intensity >= 0.5 && now.emotion.valence < 0.0 {
        return build(
            M::SupportFollowUp,
            C::EmotionalResonance,
            Some(Key::Feeling(old.state)),
            0.4,
            0.8,
        );
    }
    if same_feeling && linked {
        let key = Some(Key::Feeling(old.state));
        return match old.state {
            S::Joy | S::Anticipation if shared.terms >= 2 && shared.is_close() => {
                build(M::CelebrationEcho, C::EmotionalResonance, key, 0.1, 0.6)
            }
            S::Anger | S::Disgust => build(M::EmotionalContinuity, C::EmotionalResonance, key, 0.15, 0.6),
            _ => subject_moment(moments, old, now, shared, near)
                .and_then(|(kind, via)| build(kind, via, subject(), 0.0, 0.5)),
        };
    }
    let (kind, via) = subject_moment(moments, old, now, shared, near)?;
    build(kind, via, subject(), if near { 0.2 } else { 0.0 }, 0.5)
}

/// A connection by subject alone takes two telling words, one and a near embedding, or a very near one.
fn subject_moment(
    moments: &Moments,
    old: &Note,
    now: &Occasion<'_>,
    shared: Shared,
    near: bool,
) -> Option<(MomentType, ConnectionType)> {
    use ConnectionType as C;
    use MomentType as M;
    let bound =
        near || (shared.terms >= 2 && shared.is_close()) || (shared.terms == 1 && shared.similarity >= 0.55);
    if !bound {
        return None;
    }
    let both_hobby = old.marks.has(Marks::HOBBY) && now.marks.has(Marks::HOBBY);
    Some(if now.marks.has(Marks::CAUSE) && shared.terms >= 1 {
        (M::SharedExperience, C::CauseEffect)
    } else if both_hobby {
        (M::InterestDevelopment, C::ThematicSimilarity)
    } else if old.subject().is_some_and(|key| moments.frequency(key) >= 3) {
        (M::RecurringTheme, C::PatternRecognition)
    } else if old.session + 1 == now.session {
        (M::SharedExperience, C::TemporalSequence)
    } else {
        (M::SharedExperience, C::ThematicSimilarity)
    })
}

fn shared(old: &Note, similarity: Option<f32>, now: &Occasion<'_>) -> Shared {
    let telling = now.terms.iter().filter(|term| term.weight >= 0.9);
    let terms = telling
        .clone()
        .filter(|term| old.terms.contains(&term.id))
        .count();
    Shared {
        terms,
        themes: old.themes.subjects().shared(now.themes.subjects()).len(),
        overlap: terms as f32 / telling.count().max(1) as f32,
        similarity: similarity.unwrap_or(0.0).max(0.0),
        measured: similarity.is_some(),
    }
}
