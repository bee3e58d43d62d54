use std::sync::Arc;

use whisperengine_types::{
    Conversation, ConversationEngine, ConversationError, Feedback, MemoryOwner, Suggestion, Timestamp,
    TurnInput, TurnPlan,
};

use crate::{config::Config, engine, error::Error, lexicon::Lexicon, query::query_context, state::UserState};

/// Opens conversations that follow one [`Config`]; holds none of them.
#[derive(Debug, Clone, Default)]
pub struct Conversations {
    config: Arc<Config>,
}

/// One owner's conversation: its [`UserState`], and the configuration it follows.
#[derive(Debug)]
pub struct Phase4Conversation {
    config: Arc<Config>,
    state: UserState,
}

impl Conversations {
    /// An engine for conversations that follow `config`.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] when a setting is out of range.
    pub fn new(config: Config) -> Result<Self, Error> {
        config.validate()?;
        // Read now, so that the first message does not wait for it.
        Lexicon::of(config.language);
        Ok(Self {
            config: Arc::new(config),
        })
    }

    /// The conversation in `state`.
    pub fn resume(&self, state: UserState) -> Phase4Conversation {
        Phase4Conversation {
            config: Arc::clone(&self.config),
            state,
        }
    }
}

impl ConversationEngine for Conversations {
    fn open(
        &self,
        owner: &MemoryOwner,
        saved: Option<&[u8]>,
    ) -> Result<Box<dyn Conversation>, ConversationError> {
        let state = match saved {
            None => UserState::new(owner),
            Some(bytes) => {
                UserState::decode(owner, bytes).map_err(|error| ConversationError::InvalidState {
                    reason: error.to_string(),
                })?
            }
        };
        Ok(Box::new(self.resume(state)))
    }
}

impl Phase4Conversation {
    /// What is known of the conversation.
    pub fn state(&self) -> &UserState {
        &self.state
    }
}

impl Conversation for Phase4Conversation {
    fn query_context(&self, text: &str) -> Option<String> {
        query_context(&self.state.lexicon(&self.config), &self.state, text)
    }

    fn is_closed(&self, text: &str) -> bool {
        self.state
            .boundaries
            .cover(&self.state.lexicon(&self.config), text)
    }

    fn plan_turn(&mut self, input: &TurnInput<'_>) -> Result<TurnPlan, ConversationError> {
        engine::plan_turn(&self.config, &mut self.state, input, input.sent_at).map_err(|error| {
            ConversationError::Unavailable {
                reason: error.to_string(),
            }
        })
    }

    fn after_turn(&mut self) {
        engine::after_turn(&self.config, &mut self.state);
    }

    fn record_feedback(&mut self, feedback: &Feedback) -> Result<(), ConversationError> {
        engine::record_feedback(&self.config, &mut self.state, feedback).map_err(|error| {
            ConversationError::InvalidFeedback {
                reason: error.to_string(),
            }
        })
    }

    fn tick(&mut self, now: Timestamp) -> Vec<Suggestion> {
        engine::tick(&self.config, &mut self.state, now)
    }

    fn export(&self) -> Vec<u8> {
        if self.state.pending.is_none() {
            return self.state.encode();
        }
        let mut settled = self.state.clone();
        engine::after_turn(&self.config, &mut settled);
        settled.encode()
    }
}
