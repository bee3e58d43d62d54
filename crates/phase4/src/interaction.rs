//! What sort of exchange a message opens, and whether feeling or fact comes first.
//!
//! Every class is scored from its cues, the feeling, the form of a question and the types of the last
//! turns; the best wins if it leads by the margin, else the last type stays if it is one of the two best.

use serde::{Deserialize, Serialize};
use whisperengine_types::{ConversationMode, Decision, InteractionType, Reason};

use crate::{
    config::InteractionConfig,
    emotional::EmotionalContext,
    lexicon::Cue,
    number::{push_bounded, squash},
    text::Utterance,
};

/// The types of the last turns and the last mode.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct InteractionHistory {
    recent: Vec<InteractionType>,
    mode: Option<ConversationMode>,
    /// Turns of emotional support ever.
    pub(crate) supportive: u64,
}

/// What was made of a message.
#[derive(Debug)]
pub(crate) struct Classified {
    pub(crate) interaction: InteractionType,
    pub(crate) scores: Vec<(InteractionType, f32)>,
    pub(crate) mode: ConversationMode,
}

const RECENT: usize = 20;

impl InteractionHistory {
    pub(crate) fn repair(&mut self) {
        self.recent.truncate(RECENT);
    }

    /// Classifies a message and remembers the result.
    pub(crate) fn classify(
        &mut self,
        config: &InteractionConfig,
        utterance: &Utterance<'_>,
        emotion: &EmotionalContext,
        reasons: &mut Vec<Reason>,
    ) -> Classified {
        let scores = self.score(utterance, emotion);
        let (best, second) = (scores[0], scores[1]);
        let last = self.recent.last().copied();
        let close = best.1 - second.1 < config.margin;
        let interaction = if close && last == Some(second.0) {
            second.0
        } else {
            best.0
        };
        let score = scores
            .iter()
            .find(|(kind, _)| *kind == interaction)
            .map_or(0.0, |(_, score)| *score);
        reasons.push(Reason {
            decision: Decision::Interaction,
            cue: cue_words(utterance, interaction),
            weight: (best.1 - second.1).clamp(0.0, 1.0),
            score,
        });
        push_bounded(&mut self.recent, interaction, RECENT);
        self.supportive += u64::from(interaction == InteractionType::EmotionalSupport);
        let mode = config
            .mode
            .unwrap_or_else(|| self.choose_mode(utterance, emotion));
        self.mode = Some(mode);
        Classified {
            interaction,
            scores,
            mode,
        }
    }

    fn score(&self, utterance: &Utterance<'_>, emotion: &EmotionalContext) -> Vec<(InteractionType, f32)> {
        use InteractionType as T;
        let weight = |cue| utterance.weight(cue);
        let distress = if emotion.is_unpleasant() {
            emotion.intensity
        } else {
            0.0
        };
        let question = f32::from(u8::from(utterance.is_question()));
        let sum = |kind| match kind {
            T::ProblemSolving => {
                1.1 * weight(Cue::Problem) + 0.5 * weight(Cue::Support) + 0.3 * weight(Cue::Technical)
                    - 0.4 * distress * f32::from(u8::from(utterance.has(Cue::Feeling)))
            }
            T::EmotionalSupport => {
                let felt = if emotion.valence < 0.2 {
                    weight(Cue::Feeling)
                } else {
                    0.2 * weight(Cue::Feeling)
                };
                0.9 * felt
                    + 1.2 * distress
                    + 0.3 * weight(Cue::Stress)
                    + 0.2 * weight(Cue::Personal)
                    + 0.3 * (emotion.topic_weight - 0.5).max(0.0)
            }
            T::InformationSeeking => {
                0.7 * question + 0.9 * weight(Cue::Inquiry) + 0.4 * weight(Cue::Technical)
                    - 0.8 * weight(Cue::Exclaim)
                    - 0.8 * weight(Cue::Smalltalk)
            }
            T::CreativeCollaboration => 1.2 * weight(Cue::Creative),
            T::CasualChat => {
                0.45 + 0.5 * weight(Cue::Smalltalk) + 0.2 * weight(Cue::Light) + 0.4 * weight(Cue::Exclaim)
            }
        };
        let recent = |kind| {
            let same = self
                .recent
                .iter()
                .rev()
                .take(4)
                .filter(|&&before| before == kind)
                .count();
            0.03 * same as f32
        };
        let mut scores: Vec<_> = KINDS
            .iter()
            .map(|&kind| (kind, (squash(sum(kind)) + recent(kind)).clamp(0.0, 1.0)))
            .collect();
        scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        scores
    }

    /// Feeling first when feeling outweighs fact, and the other way round; else as before.
    fn choose_mode(&self, utterance: &Utterance<'_>, emotion: &EmotionalContext) -> ConversationMode {
        let felt = 0.6 * utterance.weight(Cue::Feeling)
            + if emotion.confidence >= 0.4 {
                emotion.intensity
            } else {
                0.0
            }
            + 0.2 * utterance.weight(Cue::Personal);
        let question = utterance.is_question() && !utterance.has(Cue::Smalltalk);
        let fact = 0.5 * f32::from(u8::from(question))
            + 0.6 * utterance.weight(Cue::Inquiry)
            + 0.6 * utterance.weight(Cue::Technical)
            - 0.6 * utterance.weight(Cue::Exclaim);
        if felt >= 0.5 && felt >= fact {
            ConversationMode::HumanLike
        } else if fact >= 0.5 {
            ConversationMode::Analytical
        } else {
            self.mode.unwrap_or_default()
        }
    }
}

const KINDS: [InteractionType; 5] = [
    InteractionType::CasualChat,
    InteractionType::ProblemSolving,
    InteractionType::EmotionalSupport,
    InteractionType::InformationSeeking,
    InteractionType::CreativeCollaboration,
];

/// The words that spoke for a type, or what else did.
fn cue_words(utterance: &Utterance<'_>, kind: InteractionType) -> String {
    let families: &[Cue] = match kind {
        InteractionType::ProblemSolving => &[Cue::Problem, Cue::Support, Cue::Technical],
        InteractionType::EmotionalSupport => &[Cue::Feeling, Cue::Stress, Cue::Personal],
        InteractionType::InformationSeeking => &[Cue::Inquiry, Cue::Technical],
        InteractionType::CreativeCollaboration => &[Cue::Creative],
        InteractionType::CasualChat => &[Cue::Smalltalk, Cue::Light, Cue::Exclaim],
    };
    let mut words = utterance.cue_words(families, 3);
    if words.is_empty() {
        words.push_str(match kind {
            InteractionType::EmotionalSupport => "unpleasant feeling",
            InteractionType::InformationSeeking => "question",
            _ => "no stronger cue",
        });
    }
    words
}
