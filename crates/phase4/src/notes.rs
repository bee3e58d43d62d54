//! What a language model should know to answer, in a few lines.
//!
//! Only what is unusual and sure: a mood that is clear, a memory that fits, a subject to keep away from, a wish
//! that was said. What holds for every reply is no note. People's words stand in quotes behind the word "data",
//! and [`crate::text::push_quoted`] takes care that no quote ends early. Notes are never said to the person.

use std::time::Duration;

use whisperengine_types::{
    CommunicationStyle, ConversationPattern, EmotionalState, Focus, InterventionStyle, MomentPlan,
    RelationshipStage, ResponseLength, SupportLevel, ThreadPlan, Timestamp, TurnPlan, Wellbeing,
};

use crate::{number::DAY, text::push_quoted};

/// Characters quoted of one text in a note, at most.
const QUOTE_CHARS: usize = 90;
/// Casualness from which it is worth a note, and how sure of it.
const MARKED: f32 = 0.5;
const SURE: f32 = 0.8;

/// The notes of a plan, most important first. `discreet`: others read along, so nothing of the person's
/// wellbeing.
pub(crate) fn notes(plan: &TurnPlan, at: Timestamp, discreet: bool) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    if !discreet {
        notes.extend(care(&plan.wellbeing).map(str::to_owned));
    }
    notes.extend(mood(plan));
    notes.extend(focus(plan).map(str::to_owned));
    let avoided = &plan.emotional.avoid_topics;
    if !avoided.is_empty() {
        notes.push(data("Do not bring up", &avoided.join(", ")));
    }
    notes.extend(plan.moments.first().map(|moment| memory(moment, at)));
    notes.extend(plan.thread.as_ref().and_then(thread));
    notes.extend(style(&plan.style));
    notes.extend(works(plan));
    notes.extend(relationship(plan).map(str::to_owned));
    if plan.engagement.intervene {
        let suggestion = plan.engagement.suggestions.first();
        notes.extend(
            suggestion.map(|suggestion| data("The talk is dying down; one could say", &suggestion.text)),
        );
    }
    notes
}

/// A note with people's words in it.
fn data(label: &str, words: &str) -> String {
    let mut note = format!("{label} (data): ");
    push_quoted(&mut note, words, QUOTE_CHARS);
    note
}

/// The support that fits when something worries.
fn care(wellbeing: &Wellbeing) -> Option<&'static str> {
    let support = wellbeing.support.filter(|_| !wellbeing.alerts.is_empty())?;
    Some(match support.style {
        InterventionStyle::GentleCheckIn => "They have been low for a while: ask gently how they are coping.",
        InterventionStyle::DirectSupport => "The strain has been high: stay with it, one step at a time.",
        InterventionStyle::ResourceOffering => "They ask for help: name something concrete.",
        InterventionStyle::SkillBuilding => "Their mood swings: look together for what has helped before.",
        InterventionStyle::CrisisIntervention => {
            "The strain is extreme: put everything else aside and ask whether they are safe."
        }
    })
}

fn mood(plan: &TurnPlan) -> Option<String> {
    let emotional = &plan.emotional;
    let feeling = match emotional.state {
        EmotionalState::Sadness => "sad",
        EmotionalState::Anger => "angry",
        EmotionalState::Fear => "worried",
        EmotionalState::Disgust => "put off",
        _ => return None,
    };
    if !emotional.acknowledge {
        return None;
    }
    let mut note = format!("They feel {feeling}: acknowledge it");
    if emotional.validate {
        note.push_str(", say that it is understandable");
    }
    if emotional.offer_support {
        note.push_str(", offer help");
    }
    note.push('.');
    Some(note)
}

fn focus(plan: &TurnPlan) -> Option<&'static str> {
    plan.emotional
        .priority_focus
        .iter()
        .find_map(|focus| match focus {
            Focus::Calm => Some("Help them calm down before anything else."),
            Focus::RepairTrust => Some("Their trust is hurt: be honest and take responsibility."),
            Focus::Celebrate => Some("They have something to celebrate: be glad with them."),
            _ => None,
        })
}

fn memory(moment: &MomentPlan, at: Timestamp) -> String {
    let mut note = format!(
        "Worth bringing up if it fits (data, {}): ",
        ago(at.since(moment.said_at))
    );
    push_quoted(&mut note, &moment.quote, QUOTE_CHARS);
    note
}

fn ago(time: Duration) -> String {
    match time.as_secs() / DAY.as_secs() {
        0 => "today or yesterday".to_owned(),
        1 => "a day or two ago".to_owned(),
        days @ 2..=60 => format!("{days} days ago"),
        days => format!("{} months ago", days / 30),
    }
}

/// What is owed in a thread that was taken up again.
fn thread(thread: &ThreadPlan) -> Option<String> {
    thread.transition.as_ref()?;
    if let Some(question) = thread.open_questions.first() {
        return Some(data("They asked before and got no answer", question));
    }
    let commitment = thread.commitments.first().filter(|_| thread.messages > 1)?;
    Some(data("They said before", commitment))
}

fn style(style: &CommunicationStyle) -> Option<String> {
    let marked = style.casualness.abs() > MARKED && style.confidence >= SURE;
    let mut wishes = Vec::new();
    if style.explicit || marked {
        match style.casualness {
            c if c > MARKED => wishes.push("casual"),
            c if c < -MARKED => wishes.push("formal"),
            _ => {}
        }
    }
    if style.explicit {
        match style.length {
            ResponseLength::Brief => wishes.push("short"),
            ResponseLength::Medium => {}
            ResponseLength::Detailed => wishes.push("detailed"),
        }
        match style.support {
            SupportLevel::Reserved => wishes.push("listening rather than advising"),
            SupportLevel::Balanced => {}
            SupportLevel::Proactive => wishes.push("with active guidance"),
        }
    }
    let source = if style.explicit {
        "They asked for replies that are"
    } else {
        "They write, and like replies,"
    };
    (!wishes.is_empty()).then(|| format!("{source}: {}.", wishes.join(", ")))
}

fn works(plan: &TurnPlan) -> Option<String> {
    let name = |pattern: ConversationPattern| match pattern {
        ConversationPattern::GreetingStyle => "a greeting",
        ConversationPattern::QuestionFrequency => "asking back",
        ConversationPattern::TopicTransitions => "leading over to something else",
        ConversationPattern::EmotionalSharing => "speaking of feelings",
        ConversationPattern::HumorUsage => "humour",
        ConversationPattern::HelpSeeking => "offering help",
        ConversationPattern::KnowledgeSharing => "explaining",
        ConversationPattern::ResponseLength => "replies about as long as their messages",
        ConversationPattern::ConversationInitiation => "bringing something up unasked",
        ConversationPattern::ConflictHandling => "meeting displeasure with understanding",
    };
    let known: Vec<&str> = plan
        .adaptation
        .effective
        .iter()
        .map(|known| name(known.pattern))
        .collect();
    (!known.is_empty()).then(|| format!("What has worked with them: {}.", known.join(", ")))
}

fn relationship(plan: &TurnPlan) -> Option<&'static str> {
    let relationship = plan.relationship;
    if relationship.stage < RelationshipStage::Stranger {
        return Some("The relationship is strained: be respectful and patient, claim no closeness.");
    }
    (relationship.interactions == 1).then_some("This is their first message: welcome them.")
}
