//! The cues behind each decision.

use whisperengine_types::{Adaptation, Decision, EngagementPlan, MomentPlan, Reason};

use crate::{
    emotional::EmotionalContext,
    lexicon::Cue,
    text::{Utterance, clip},
    thread::Routed,
};

fn reason(decision: Decision, cue: impl Into<String>, weight: f32, score: f32) -> Reason {
    Reason {
        decision,
        cue: cue.into(),
        weight: weight.clamp(0.0, 1.0),
        score: score.clamp(0.0, 1.0),
    }
}

pub(crate) fn emotional(utterance: &Utterance<'_>, emotion: &EmotionalContext, reasons: &mut Vec<Reason>) {
    for trigger in emotion.triggers.iter() {
        let words = utterance.cue_words(&[Cue::Stress, Cue::Support, Cue::Achievement, Cue::Personal], 2);
        let cue = if words.is_empty() {
            format!("{trigger:?}")
        } else {
            format!("{trigger:?}: {words}")
        };
        reasons.push(reason(
            Decision::Emotional,
            cue,
            emotion.confidence,
            emotion.intensity,
        ));
    }
}

pub(crate) fn thread(utterance: &Utterance<'_>, routed: &Routed, reasons: &mut Vec<Reason>) {
    let words = utterance.cue_words(&[Cue::Switch, Cue::Reminder, Cue::Interruption], 2);
    let cue = match (routed.change.is_some(), routed.resumed, words.is_empty()) {
        (false, ..) => "goes on with the current subject".to_owned(),
        (true, true, true) => "fits an earlier thread best".to_owned(),
        (true, false, true) => "a subject of its own".to_owned(),
        (true, true, false) => format!("back to an earlier thread: {words}"),
        (true, false, false) => format!("a new subject: {words}"),
    };
    reasons.push(reason(Decision::Thread, cue, routed.strength, routed.relevance));
}

pub(crate) fn moments(moments: &[MomentPlan], reasons: &mut Vec<Reason>) {
    for moment in moments {
        let cue = format!("{:?} with '{}'", moment.connection, clip(&moment.quote, 40));
        reasons.push(reason(Decision::Moment, cue, moment.impact, moment.impact));
    }
}

pub(crate) fn adaptation(adaptation: &Adaptation, reasons: &mut Vec<Reason>) {
    for known in &adaptation.effective {
        let weight = known.success - adaptation.success_rate;
        let cue = format!("{} after {} replies", known.pattern.name(), known.replies);
        reasons.push(reason(Decision::Adaptation, cue, weight, known.success));
    }
}

pub(crate) fn engagement(plan: &EngagementPlan, reasons: &mut Vec<Reason>) {
    for signal in &plan.signals {
        reasons.push(reason(
            Decision::Engagement,
            format!("{:?}", signal.kind),
            signal.strength,
            plan.stagnation_risk,
        ));
    }
}
