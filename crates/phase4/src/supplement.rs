//! The plan as text for a language model, in the language of the talk.
//!
//! Lines come in the order of their worth and a line that does not fit the budget is left out whole.
//! Words of people, however old, stand in quotes on one line behind the word "data", and the first line
//! says that quoted text is never an instruction; [`crate::text::push_quoted`] takes care that no quote ends
//! early.

use whisperengine_types::{
    ConversationMode, EmotionalState, InteractionType, InterventionStyle, MomentPlan, RelationshipLevel,
    RelationshipStage, ResponseLength, SupportLevel, ThreadPlan, TurnPlan,
};

use crate::{
    config::PromptConfig,
    lexicon::{Lexicon, Prompt},
    text::push_quoted,
};

/// Writes the supplement of a plan. `discreet`: others read along, so nothing of the person's wellbeing.
pub(crate) fn write(config: &PromptConfig, lexicon: &Lexicon, plan: &TurnPlan, discreet: bool) -> String {
    let mut lines = Lines {
        lexicon,
        config,
        text: String::with_capacity(config.budget_chars.min(USUAL_BYTES)),
        chars: 0,
    };
    // Without room for this line there is none for what it guards.
    lines.line(|out| out.say(Prompt::Guard));
    if lines.text.is_empty() {
        return lines.text;
    }
    lines.line(|out| mode_and_exchange(out, plan));
    if !discreet {
        care(&mut lines, plan);
    }
    lines.line(|out| mood(out, plan));
    let focus = &plan.emotional.priority_focus;
    if !focus.is_empty() {
        lines.line(|out| list(out, Prompt::First, "focus.", focus.iter().map(String::as_str)));
    }
    if !plan.emotional.avoid_topics.is_empty() {
        lines.line(|out| {
            out.data(Prompt::Avoid);
            out.quote(&plan.emotional.avoid_topics.join(", "), 80);
            out.add(".");
        });
    }
    if let Some(moment) = plan.moments.first() {
        lines.line(|out| memory(out, moment));
    }
    if let Some(thread) = &plan.thread {
        thread_lines(&mut lines, thread);
    }
    if !plan.insights.important_topics.is_empty() {
        lines.line(|out| {
            out.data(Prompt::KeyTopics);
            out.quote(&plan.insights.important_topics.join(", "), 60);
            out.add(".");
        });
    }
    lines.line(|out| style(out, plan));
    let works = &plan.adaptation.effective;
    if !works.is_empty() {
        let names = works.iter().map(|known| known.pattern.name());
        lines.line(|out| list(out, Prompt::Works, "pattern.", names));
    }
    lines.line(|out| relationship(out, plan));
    if plan.engagement.intervene {
        for suggestion in plan.engagement.suggestions.iter().take(2) {
            lines.line(|out| {
                out.item(Prompt::LivenUp, ": ");
                out.quote(&suggestion.text, config.quote_chars);
            });
        }
    }
    lines.text
}

/// A text that takes whole lines as long as they fit.
struct Lines<'a> {
    lexicon: &'a Lexicon,
    config: &'a PromptConfig,
    text: String,
    chars: usize,
}

impl Lines<'_> {
    fn line(&mut self, write: impl FnOnce(&mut Self)) {
        let before = self.text.len();
        if before > 0 {
            self.text.push('\n');
        }
        write(self);
        let chars = self.text[before..].chars().count();
        if self.chars + chars > self.config.budget_chars {
            self.text.truncate(before);
        } else {
            self.chars += chars;
        }
    }

    fn add(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn say(&mut self, prompt: Prompt) {
        self.text.push_str(self.lexicon.prompt(prompt));
    }

    /// Begins a line.
    fn item(&mut self, label: Prompt, mark: &str) {
        self.add("- ");
        self.say(label);
        self.add(mark);
    }

    /// Begins a line of other people's words.
    fn data(&mut self, label: Prompt) {
        self.item(label, DATA);
    }

    fn quote(&mut self, text: &str, limit: usize) {
        push_quoted(&mut self.text, text, limit);
    }
}

const DATA: &str = " (data): ";

fn mode_and_exchange(out: &mut Lines<'_>, plan: &TurnPlan) {
    out.item(Prompt::Mode, ": ");
    out.say(match plan.mode {
        ConversationMode::HumanLike => Prompt::HumanLike,
        ConversationMode::Analytical => Prompt::Analytical,
        ConversationMode::Balanced => Prompt::Balanced,
    });
    out.add(". ");
    out.say(Prompt::Exchange);
    out.add(": ");
    out.say(match plan.interaction {
        InteractionType::CasualChat => Prompt::CasualChat,
        InteractionType::ProblemSolving => Prompt::ProblemSolving,
        InteractionType::EmotionalSupport => Prompt::EmotionalSupport,
        InteractionType::InformationSeeking => Prompt::InformationSeeking,
        InteractionType::CreativeCollaboration => Prompt::CreativeCollaboration,
    });
    out.add(".");
}

/// Things by name, most important first.
fn list<'n>(out: &mut Lines<'_>, label: Prompt, prefix: &str, names: impl Iterator<Item = &'n str>) {
    let lexicon = out.lexicon;
    out.item(label, ": ");
    for (index, name) in names.enumerate() {
        out.add(if index > 0 { ", " } else { "" });
        out.add(lexicon.named(prefix, name));
    }
    out.add(".");
}

/// The support that fits when something worries; the mood's line has what the message itself asks for.
fn care(lines: &mut Lines<'_>, plan: &TurnPlan) {
    let Some(support) = plan
        .wellbeing
        .support
        .filter(|_| !plan.wellbeing.alerts.is_empty())
    else {
        return;
    };
    lines.line(|out| {
        out.item(Prompt::Care, ": ");
        out.say(match support.style {
            InterventionStyle::GentleCheckIn => Prompt::CheckIn,
            InterventionStyle::DirectSupport => Prompt::DirectSupport,
            InterventionStyle::ResourceOffering => Prompt::Resources,
            InterventionStyle::SkillBuilding => Prompt::Skills,
            InterventionStyle::CrisisIntervention => Prompt::Crisis,
        });
        out.add(".");
    });
}

fn mood(out: &mut Lines<'_>, plan: &TurnPlan) {
    let emotional = &plan.emotional;
    let lexicon = out.lexicon;
    out.item(Prompt::Mood, ": ");
    out.add(lexicon.named("state.", crate::emotional::state_name(emotional.state)));
    out.add("; ");
    out.say(Prompt::Tone);
    out.add(": ");
    out.add(lexicon.named("manner.", &emotional.tone));
    let concise = emotional.length_factor > 0.0 && emotional.length_factor <= 0.8;
    let advice = [
        (
            emotional.acknowledge && emotional.state != EmotionalState::Neutral,
            Prompt::Acknowledge,
        ),
        (emotional.validate, Prompt::Validate),
        (emotional.offer_support, Prompt::OfferSupport),
        (emotional.suggest_solutions, Prompt::Solutions),
        (emotional.empathy > 0.7, Prompt::Understanding),
        (emotional.length_factor > 1.2, Prompt::Longer),
        (concise, Prompt::Concise),
    ];
    for (_, prompt) in advice.into_iter().filter(|(holds, _)| *holds) {
        out.add("; ");
        out.say(prompt);
    }
    if let Some(style) = &emotional.style_override {
        out.add("; ");
        out.say(Prompt::Overall);
        out.add(" ");
        out.add(lexicon.named("manner.", style));
    }
    out.add(".");
}

fn memory(out: &mut Lines<'_>, moment: &MomentPlan) {
    let date = moment.said_at.to_string();
    out.item(Prompt::Memory, " (data, ");
    out.add(date.get(..10).unwrap_or(&date));
    out.add("): ");
    out.quote(&moment.quote, out.config.quote_chars);
    out.add(". ");
    out.add(&moment.callback);
    out.add(" ");
    out.say(Prompt::MemoryTone);
    out.add(": ");
    out.add(&moment.tone);
    out.add(". ");
    out.say(Prompt::Gently);
}

fn thread_lines(lines: &mut Lines<'_>, thread: &ThreadPlan) {
    lines.line(|out| {
        out.data(Prompt::Thread);
        out.quote(&thread.topics.join(", "), 80);
        for (label, items) in [
            (Prompt::OpenQuestion, &thread.open_questions),
            (Prompt::Commitment, &thread.commitments),
        ] {
            if let Some(item) = items.first() {
                out.add("; ");
                out.say(label);
                out.add(": ");
                out.quote(item, out.config.quote_chars.min(90));
            }
        }
        out.add(".");
    });
    if let Some(transition) = thread.transition.as_ref().filter(|change| change.from.is_some()) {
        lines.line(|out| {
            out.item(Prompt::Change, ": ");
            out.add(&transition.bridge);
        });
    }
    if let Some(waiting) = &thread.waiting {
        lines.line(|out| {
            out.data(Prompt::Waiting);
            out.quote(&waiting.topics.join(", "), 40);
            out.add(": ");
            out.quote(&waiting.because, 80);
        });
    }
}

fn style(out: &mut Lines<'_>, plan: &TurnPlan) {
    let style = &plan.style;
    out.item(Prompt::Style, "");
    if style.explicit {
        out.add(" (");
        out.say(Prompt::Asked);
        out.add(")");
    }
    out.add(": ");
    out.say(match style.casualness {
        c if c > 0.3 => Prompt::Casual,
        c if c < -0.3 => Prompt::Formal,
        _ => Prompt::Middling,
    });
    out.add(", ");
    out.say(match style.length {
        ResponseLength::Brief => Prompt::Brief,
        ResponseLength::Medium => Prompt::Medium,
        ResponseLength::Detailed => Prompt::Detailed,
    });
    let support = match style.support {
        SupportLevel::Reserved => Some(Prompt::Listen),
        SupportLevel::Balanced => None,
        SupportLevel::Proactive => Some(Prompt::Guide),
    };
    if let Some(support) = support {
        out.add("; ");
        out.say(support);
    }
    out.add(".");
}

fn relationship(out: &mut Lines<'_>, plan: &TurnPlan) {
    let strained = plan.relationship.stage < RelationshipStage::Stranger;
    out.item(Prompt::Relationship, ": ");
    out.say(match plan.relationship.level {
        _ if strained => Prompt::Strained,
        RelationshipLevel::New => Prompt::New,
        RelationshipLevel::Developing => Prompt::Developing,
        RelationshipLevel::Established => Prompt::Established,
        RelationshipLevel::Deep => Prompt::Deep,
    });
    out.add(".");
}

/// As much as most supplements take. Pieces of up to 1,032 bytes each thread of glibc's has at hand; for larger
/// ones it tidies up all that it has.
const USUAL_BYTES: usize = 1_000;
