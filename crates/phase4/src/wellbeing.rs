//! How the person has been lately: mood, stress, what should worry, and which support fits.
//!
//! Read off the feelings of the last messages, the latest weighing most; nothing here is a diagnosis. An
//! alert says how urgent it is, from 1 to 5; support is due when nothing was sent for two hours and the
//! day's cap leaves room, an alert of urgency 5 at once - and never to somebody who opted out.

use std::time::Duration;

use whisperengine_types::{
    Alert, AlertKind, EmotionalTrigger, InterventionStyle, MoodCategory, StressLevel, SupportAdvice,
    SupportKind, SupportTiming, Timestamp, Wellbeing,
};

use crate::{
    config::Config,
    emotional::Felt,
    number::{DAY, HOUR, signed, unit},
    state::UserState,
};

/// Messages that stress is read off, and what each weighs compared with the one after it.
const WINDOW: usize = 8;
const FADING: f32 = 0.8;
/// Older feelings say nothing of now.
const RECENT: Duration = DAY.saturating_mul(7);
const GAP: Duration = HOUR.saturating_mul(2);
const SILENCE: Duration = DAY.saturating_mul(3);
/// Messages from which somebody is used to talk.
const USED_TO_TALK: u64 = 10;

/// How the person has been lately, as of `now`. The plan of a turn has the same in `wellbeing`; this is for
/// asking between turns, after a long silence for instance.
pub fn wellbeing(config: &Config, state: &UserState, now: Timestamp) -> Wellbeing {
    let latest = state.pending.as_ref().map(|pending| &pending.felt);
    let all = state.emotional.recent().iter().chain(latest).rev();
    let lately = all.filter(|felt| now.since(felt.at) <= RECENT);
    let mut recent: Vec<&Felt> = lately.take(WINDOW).collect();
    recent.reverse();
    let (mood_score, mood_confidence) = mood(&recent);
    let stress_score = stress(&recent);
    let mut alerts = alerts(&recent, stress_score);
    let silent = state
        .session
        .last_message
        .is_some_and(|last| now.since(last) >= SILENCE);
    if silent && state.turns >= USED_TO_TALK {
        alerts.push(Alert {
            kind: AlertKind::IsolationPattern,
            urgency: 2,
        });
    }
    alerts.sort_by_key(|alert| std::cmp::Reverse(alert.urgency));
    let asks = recent
        .last()
        .is_some_and(|felt| felt.triggers.has(EmotionalTrigger::SupportOpportunities));
    let support = advise(&alerts, asks, stress_score).map(|advice| {
        let initiative = &state.engagement.initiative;
        let room = initiative.sent_within(now, GAP) == 0
            && initiative.sent_within(now, DAY) < config.engagement.daily_cap as usize;
        SupportAdvice {
            due: initiative.is_allowed() && (room || advice.kind == SupportKind::Crisis),
            ..advice
        }
    });
    Wellbeing {
        mood: category(mood_score),
        mood_score,
        mood_confidence,
        stress: level(stress_score),
        stress_score,
        alerts,
        support,
    }
}

/// The latest valence, strengthened when the messages before it agree, and how sure of it.
fn mood(recent: &[&Felt]) -> (f32, f32) {
    let Some(last) = recent.last() else {
        return (0.0, 0.3);
    };
    let valence = last.valence();
    let same = |felt: &&&Felt| felt.valence() * valence > 0.0;
    let agreeing = recent.iter().rev().take(3).take_while(same).count();
    let amplified = if agreeing > 2 { 1.5 } else { 1.0 };
    let confidence = if agreeing == 0 {
        0.3
    } else {
        unit(agreeing as f32 / 3.0)
    };
    (signed(valence * amplified), confidence)
}

fn category(score: f32) -> MoodCategory {
    match score {
        s if s >= 0.75 => MoodCategory::VeryPositive,
        s if s >= 0.25 => MoodCategory::Positive,
        s if s > -0.25 => MoodCategory::Neutral,
        s if s > -0.75 => MoodCategory::Negative,
        _ => MoodCategory::VeryNegative,
    }
}

/// Stress words and unpleasant feelings of the last messages, the latest weighing most.
fn stress(recent: &[&Felt]) -> f32 {
    let (mut sum, mut weights, mut weight) = (0.0, 0.0, 1.0);
    for felt in recent.iter().rev().take(WINDOW) {
        let told = felt.triggers.has(EmotionalTrigger::StressIndicators);
        let low = if felt.is_unpleasant() {
            felt.intensity.value()
        } else {
            0.0
        };
        sum += weight * unit(if told { 0.5 } else { 0.0 } + 0.6 * low);
        weights += weight;
        weight *= FADING;
    }
    // One message alone is weak evidence.
    unit(sum / (weights + 0.5_f32))
}

fn level(score: f32) -> StressLevel {
    match score {
        s if s < 0.2 => StressLevel::Minimal,
        s if s < 0.4 => StressLevel::Low,
        s if s < 0.6 => StressLevel::Moderate,
        s if s < 0.8 => StressLevel::High,
        _ => StressLevel::Critical,
    }
}

fn alerts(recent: &[&Felt], stress: f32) -> Vec<Alert> {
    let mut alerts = Vec::new();
    let mut raise = |holds: bool, kind, urgency| {
        if holds {
            alerts.push(Alert { kind, urgency });
        }
    };
    let urgency = if stress > 0.85 { 5 } else { 4 };
    raise(stress > 0.7, AlertKind::StressEscalation, urgency);
    let last = &recent[recent.len().saturating_sub(3)..];
    let low = last.len() == 3 && last.iter().all(|felt| felt.valence() < -0.3);
    raise(low, AlertKind::MoodDecline, 4);
    let window = &recent[recent.len().saturating_sub(6)..];
    let jumps = window
        .windows(2)
        .map(|pair| (pair[1].valence() - pair[0].valence()).abs());
    let mean = jumps.sum::<f32>() / window.len().saturating_sub(1).max(1) as f32;
    raise(window.len() >= 4 && mean > 0.6, AlertKind::EmotionalVolatility, 3);
    let overwhelmed = last
        .iter()
        .any(|felt| felt.triggers.has(EmotionalTrigger::OverwhelmingEmotions));
    raise(overwhelmed, AlertKind::OverwhelmIndicators, 3);
    alerts
}

fn advise(alerts: &[Alert], asks: bool, stress: f32) -> Option<SupportAdvice> {
    use InterventionStyle as Style;
    let urgency = alerts.first().map_or(0, |alert| alert.urgency);
    let style = match alerts.first().map(|alert| alert.kind) {
        _ if urgency >= 5 => Style::CrisisIntervention,
        Some(AlertKind::StressEscalation | AlertKind::OverwhelmIndicators) => Style::DirectSupport,
        Some(AlertKind::MoodDecline | AlertKind::IsolationPattern) => Style::GentleCheckIn,
        Some(AlertKind::EmotionalVolatility) => Style::SkillBuilding,
        None if asks => Style::ResourceOffering,
        None if stress >= 0.4 => Style::SkillBuilding,
        None => return None,
    };
    let kind = match urgency {
        5.. => SupportKind::Crisis,
        3..=4 => SupportKind::Reactive,
        1..=2 => SupportKind::Preventive,
        0 if asks => SupportKind::Reactive,
        0 => SupportKind::Maintenance,
    };
    let timing = match urgency {
        5.. => SupportTiming::Immediate,
        4 => SupportTiming::WithinHour,
        3 => SupportTiming::WithinDay,
        _ => SupportTiming::NextInteraction,
    };
    Some(SupportAdvice {
        kind,
        style,
        timing,
        due: false,
    })
}
