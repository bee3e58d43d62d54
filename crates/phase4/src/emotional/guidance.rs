use whisperengine_types::{EmotionalGuidance, EmotionalState, EmotionalTrigger, Tone, ToneDials};

use super::{context::EmotionalContext, history::EmotionalHistory};
use crate::number::unit;

/// How to answer the feeling; what to avoid and what comes first is added by the caller, who knows what was
/// refused and what sort of exchange it is.
pub(crate) fn guide(context: &EmotionalContext, history: &EmotionalHistory) -> EmotionalGuidance {
    use EmotionalState as S;
    let has = |trigger| context.triggers.has(trigger);
    let (similar, mean_intensity) = history.similar(context.state);
    let support = has(EmotionalTrigger::SupportOpportunities);
    let strong = context.intensity > 0.6 && context.state != S::Neutral;
    EmotionalGuidance {
        tone: tone(context),
        empathy: context.empathy,
        acknowledge: strong || !context.triggers.is_empty(),
        validate: matches!(context.state, S::Sadness | S::Anger | S::Fear),
        offer_support: support,
        triggers: context.triggers.iter().collect(),
        pattern: context.pattern,
        state: context.state,
        dials: dials(context, similar, mean_intensity),
        length_factor: length_factor(context, support),
        suggest_solutions: has(EmotionalTrigger::StressIndicators),
        share_empathy: context.trust > 0.6 && context.intensity > 0.5,
        style_override: style_override(context),
        expected_effectiveness: (0.7_f32
            + if similar > 3 { 0.1 } else { 0.0 }
            + if context.trust > 0.7 { 0.1 } else { 0.0 }
            - if context.intensity > 0.9 { 0.1 } else { 0.0 })
        .clamp(0.3, 1.0),
        // An unusual feeling for this person is answered with less certainty.
        confidence: (0.5_f32
            + (0.05 * similar as f32).min(0.2)
            + 0.2 * context.confidence
            + 0.1 * context.depth
            + 0.1 * context.alignment)
            .clamp(0.3, 1.0),
        avoid_topics: Vec::new(),
        priority_focus: Vec::new(),
    }
}

fn tone(context: &EmotionalContext) -> Tone {
    use EmotionalState as S;
    let distant = context.trust < 0.4 && matches!(context.state, S::Sadness | S::Fear);
    match context.state {
        _ if distant => Tone::ProfessionallySupportive,
        S::Joy if context.depth > 0.7 => Tone::WarmlyCelebratory,
        S::Sadness if context.depth > 0.7 => Tone::DeeplyEmpathetic,
        S::Joy | S::Anticipation => Tone::EnthusiasticSharing,
        S::Sadness => Tone::GentleSupportive,
        S::Anger => Tone::CalmUnderstanding,
        S::Fear => Tone::ReassuringStable,
        S::Surprise => Tone::EngagedCurious,
        S::Disgust | S::Neutral | S::Trust => Tone::BalancedNatural,
    }
}

fn dials(context: &EmotionalContext, similar: usize, mean_intensity: f32) -> ToneDials {
    use EmotionalState as S;
    let mut dials = ToneDials {
        warmth: 0.5,
        formality: 0.5,
        enthusiasm: 0.5,
        gentleness: 0.5,
    };
    match context.state {
        S::Sadness => (dials.warmth, dials.gentleness, dials.enthusiasm) = (0.8, 0.9, 0.3),
        S::Joy => (dials.warmth, dials.enthusiasm) = (0.7, 0.8),
        S::Anger => (dials.gentleness, dials.formality) = (0.8, 0.6),
        _ => {}
    }
    if context.depth > 0.7 {
        dials.warmth += 0.1;
        dials.formality -= 0.1;
    }
    if similar > 3 && mean_intensity > 0.7 {
        dials.gentleness += 0.1;
    } else if similar > 3 && mean_intensity < 0.3 {
        dials.enthusiasm -= 0.1;
    }
    ToneDials {
        warmth: unit(dials.warmth),
        formality: unit(dials.formality),
        enthusiasm: unit(dials.enthusiasm),
        gentleness: unit(dials.gentleness),
    }
}

fn length_factor(context: &EmotionalContext, support: bool) -> f32 {
    let strong = if context.intensity > 0.7 { 1.3 } else { 1.0 };
    let asked = if support { 1.2 } else { 1.0 };
    let distant = if context.trust < 0.4 { 0.8 } else { 1.0 };
    strong * asked * distant
}

fn style_override(context: &EmotionalContext) -> Option<Tone> {
    if context.triggers.has(EmotionalTrigger::OverwhelmingEmotions) {
        Some(Tone::CalmGrounding)
    } else if context.triggers.has(EmotionalTrigger::CelebrationMoments) {
        Some(Tone::EnthusiasticCelebratory)
    } else if context.state == EmotionalState::Fear {
        Some(Tone::ReassuringStable)
    } else {
        None
    }
}
