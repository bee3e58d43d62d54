//! Words that lead from one thread to another.

use whisperengine_types::TransitionType;

use super::{Routed, Scope, Thread, Threads};
use crate::{
    lexicon::Lexicon,
    text::{Word, clip},
};

impl Threads {
    /// A sentence that leads over to where the message went, naming at most two words of each side; taken
    /// up again, a thread's open question or commitment is recalled.
    pub(crate) fn bridge(&self, lexicon: &Lexicon, routed: &Routed, here: Scope) -> Option<String> {
        let kind = routed.change.filter(|_| lexicon.speaks())?;
        let name = |number: Option<u64>| {
            let thread = number
                .and_then(|number| self.find(number))
                .filter(|t| t.scope.visible_in(here));
            thread
                .and_then(Thread::name)
                .unwrap_or_else(|| lexicon.phrase("bridge.nothing").to_owned())
        };
        let key = if routed.from.is_none() && !routed.resumed {
            "first"
        } else {
            kind_name(kind)
        };
        let places = [("from", name(routed.from)), ("to", name(Some(routed.number)))];
        let places = [("from", places[0].1.as_str()), ("to", places[1].1.as_str())];
        let mut text = lexicon.fill(&format!("bridge.{key}"), &places);
        let owed = |item: &&super::Item| item.thread == routed.number && !item.is_fresh();
        if routed.resumed
            && let Some(item) = self.items(here).find(owed)
        {
            let key = match item.kind {
                super::ItemKind::Question => "bridge.resume_question",
                super::ItemKind::Commitment => "bridge.resume_commitment",
            };
            text.push(' ');
            text.push_str(&lexicon.fill(key, &[("item", &format!("'{}'", clip(&item.text, 60)))]));
        }
        Some(text)
    }
}

impl Thread {
    /// Its one or two strongest words.
    pub(crate) fn name(&self) -> Option<String> {
        let words: Vec<&str> = self.topic.words(2).map(Word::as_str).collect();
        (!words.is_empty()).then(|| format!("'{}'", words.join(", ")))
    }
}

pub(super) fn kind_name(kind: TransitionType) -> &'static str {
    match kind {
        TransitionType::NaturalFlow => "natural_flow",
        TransitionType::ExplicitSwitch => "explicit_switch",
        TransitionType::ReminderDriven => "reminder_driven",
        TransitionType::Interruption => "interruption",
        TransitionType::EmotionalDriven => "emotional_driven",
        TransitionType::TimeDriven => "time_driven",
        TransitionType::PriorityDriven => "priority_driven",
        TransitionType::CompletionDriven => "completion_driven",
    }
}
