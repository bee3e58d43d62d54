//! Signs of danger: what the model has learned of them, and rules for what must never be missed.
//!
//! Recall comes before precision; idioms, games, fiction, news and devices are no danger.

mod rules;

use whisperengine_types::{Safety, SafetyCue, SafetyKind, SafetyLevel};

pub(crate) use self::rules::Hits;
use self::rules::Rules;
use crate::multilingual::{
    Features, Outputs,
    lanes::{ABUSE, CONCERN, CRISIS, MEDICAL, SELF},
};

/// Looks for signs of danger, with the buffers of one thread.
#[derive(Debug, Clone)]
pub(crate) struct SafetyReader {
    rules: &'static Rules,
    pub(crate) hits: Hits,
}

/// What a rule adds to a logit.
const RULE: f32 = 4.0;
/// What a rule that speaks against danger takes away.
const VETO: f32 = 3.0;
/// What it takes from a crisis that lies in the past.
const PAST: f32 = 5.0;
/// Logits above which there is concern, and crisis.
const CONCERN_ABOVE: f32 = -1.1;
const CRISIS_ABOVE: f32 = -0.5;

impl Default for SafetyReader {
    fn default() -> Self {
        Self {
            rules: Rules::shared(),
            hits: Hits::default(),
        }
    }
}

impl SafetyReader {
    /// What `text` says about danger; its features and outputs were read.
    pub(crate) fn read(
        &mut self,
        text: &str,
        language: Option<&str>,
        features: &Features,
        outputs: &Outputs,
    ) -> Safety {
        self.rules.find(features.folded(), language, &mut self.hits);
        let sentences = outputs.sentences.iter().map(|(_, outputs)| outputs);
        let strongest = sentences.chain([&outputs.text]).max_by(|a, b| {
            let danger = |outputs: &[f32]| outputs[CONCERN] + outputs[CRISIS];
            danger(*a).total_cmp(&danger(*b))
        });
        let strongest = strongest.unwrap_or(&outputs.text);
        let (mut concern, mut crisis) = (strongest[CONCERN], strongest[CRISIS]);
        let hits = &self.hits;
        if hits.crisis.is_some() {
            concern += RULE;
            crisis += RULE;
        } else if hits.concern.is_some() {
            concern += RULE;
        }
        if hits.is_past {
            crisis -= PAST;
        }
        if hits.is_harmless {
            concern -= VETO;
            crisis -= VETO;
        }
        let level = if crisis > CRISIS_ABOVE && concern > CONCERN_ABOVE {
            SafetyLevel::Crisis
        } else if concern > CONCERN_ABOVE {
            SafetyLevel::Concern
        } else {
            return Safety::default();
        };
        let hit = hits.crisis.as_ref().or(hits.concern.as_ref());
        let cue = match hit {
            Some((kind, range)) => SafetyCue {
                kind: *kind,
                span: features.span(range.clone(), text),
            },
            None => SafetyCue {
                kind: learned_kind(strongest, level),
                span: learned_span(text, outputs),
            },
        };
        Safety {
            level,
            cue: Some(cue),
        }
    }
}

/// Which danger the outputs speak for.
fn learned_kind(outputs: &[f32], level: SafetyLevel) -> SafetyKind {
    let most = [SELF, ABUSE, MEDICAL]
        .into_iter()
        .max_by(|&a, &b| outputs[a].total_cmp(&outputs[b]));
    match most {
        Some(ABUSE) => SafetyKind::Abuse,
        Some(MEDICAL) => SafetyKind::MedicalEmergency,
        _ if level == SafetyLevel::Crisis => SafetyKind::Suicide,
        _ => SafetyKind::Hopelessness,
    }
}

/// The sentence that speaks most for danger, or the whole text.
fn learned_span(text: &str, outputs: &Outputs) -> std::ops::Range<u32> {
    let most = outputs
        .sentences
        .iter()
        .max_by(|(_, a), (_, b)| a[CONCERN].total_cmp(&b[CONCERN]));
    most.map_or(0..text.len() as u32, |(sentence, _)| sentence.start..sentence.end)
}
