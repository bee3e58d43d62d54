use std::borrow::Cow;

use whisperengine_types::{
    ConversationEngine, ConversationError, Feedback, MemoryOwner, Suggestion, Timestamp, TurnInput, TurnPlan,
};

use super::Fallback;

/// Only planning has a stand-in; everything else concerns the primary's state and goes to it alone.
#[deny(clippy::missing_trait_methods)]
impl ConversationEngine for Fallback<dyn ConversationEngine> {
    fn recall_text<'a>(&self, owner: &MemoryOwner, text: &'a str) -> Cow<'a, str> {
        self.primary.recall_text(owner, text)
    }

    fn plan_turn(&self, input: &TurnInput<'_>) -> Result<TurnPlan, ConversationError> {
        let unavailable = |error: &ConversationError| matches!(error, ConversationError::Unavailable { .. });
        self.call(|port| port.plan_turn(input), unavailable)
    }

    fn after_turn(&self, owner: &MemoryOwner, now: Timestamp) {
        self.primary.after_turn(owner, now);
    }

    fn record_feedback(&self, owner: &MemoryOwner, feedback: &Feedback) -> Result<(), ConversationError> {
        self.primary.record_feedback(owner, feedback)
    }

    fn tick(&self, owner: &MemoryOwner, now: Timestamp) -> Vec<Suggestion> {
        self.primary.tick(owner, now)
    }

    fn export_state(&self, owner: &MemoryOwner) -> Option<Vec<u8>> {
        self.primary.export_state(owner)
    }

    fn restore_state(&self, owner: &MemoryOwner, state: &[u8]) -> Result<(), ConversationError> {
        self.primary.restore_state(owner, state)
    }

    fn forget(&self, owner: &MemoryOwner) {
        self.primary.forget(owner);
    }
}
