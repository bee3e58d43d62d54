use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard},
};

use dashmap::DashMap;
use whisperengine_types::{
    ConversationEngine, ConversationError, Feedback, MemoryOwner, Suggestion, Timestamp, TurnInput, TurnPlan,
};

use crate::{config::Config, engine, error::Error, query::expanded_query, state::UserState};

/// The conversation engine for many owners: one [`UserState`] each, loaded and dropped by the caller.
///
/// Calls for different owners run in parallel; calls for one owner wait for one another, and the caller
/// sees to their order. Nothing is evicted here: whoever restores states decides how many stay, with
/// [`forget`](ConversationEngine::forget) and [`len`](Self::len). Clones share the states.
#[derive(Debug, Clone, Default)]
pub struct Conversations {
    config: Arc<Config>,
    owners: Arc<DashMap<MemoryOwner, Arc<Mutex<UserState>>>>,
}

impl Conversations {
    /// An engine without any owner.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] when a setting is out of range.
    pub fn new(config: Config) -> Result<Self, Error> {
        config.validate()?;
        // Read now, so that the first message does not wait for it.
        config.language.lexicon();
        Ok(Self {
            config: Arc::new(config),
            owners: Arc::default(),
        })
    }

    /// How many owners are loaded.
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// Whether no owner is loaded.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// Looks at an owner's state; `None` when it is not loaded.
    pub fn inspect<T>(&self, owner: &MemoryOwner, look: impl FnOnce(&UserState) -> T) -> Option<T> {
        let state = self.loaded(owner)?;
        let state = lock(&state)?;
        Some(look(&state))
    }

    /// The state of an owner, made if there is none.
    fn state(&self, owner: &MemoryOwner) -> Arc<Mutex<UserState>> {
        if let Some(state) = self.loaded(owner) {
            return state;
        }
        let fresh = || Arc::new(Mutex::new(UserState::new(owner)));
        self.owners.entry(owner.clone()).or_insert_with(fresh).clone()
    }

    fn loaded(&self, owner: &MemoryOwner) -> Option<Arc<Mutex<UserState>>> {
        self.owners.get(owner).map(|state| state.clone())
    }
}

impl ConversationEngine for Conversations {
    fn recall_text<'a>(&self, owner: &MemoryOwner, text: &'a str) -> Cow<'a, str> {
        // A longer message has words of its own to be found by.
        if text.split_whitespace().nth(SHORT_MESSAGE_WORDS).is_some() {
            return Cow::Borrowed(text);
        }
        let expanded = self.inspect(owner, |state| expanded_query(&self.config, state, text));
        expanded.unwrap_or(Cow::Borrowed(text))
    }

    fn plan_turn(&self, input: &TurnInput<'_>) -> Result<TurnPlan, ConversationError> {
        let state = self.state(input.owner);
        let mut state = lock(&state).ok_or_else(broken)?;
        engine::plan_turn(&self.config, &mut state, input, input.sent_at).map_err(unavailable)
    }

    fn after_turn(&self, owner: &MemoryOwner, now: Timestamp) {
        if let Some(state) = self.loaded(owner)
            && let Some(mut state) = lock(&state)
        {
            engine::after_turn(&self.config, &mut state, now);
        }
    }

    fn record_feedback(&self, owner: &MemoryOwner, feedback: &Feedback) -> Result<(), ConversationError> {
        let state = self.state(owner);
        let mut state = lock(&state).ok_or_else(broken)?;
        engine::record_feedback(&self.config, &mut state, feedback).map_err(|error| {
            ConversationError::InvalidFeedback {
                reason: error.to_string(),
            }
        })
    }

    fn tick(&self, owner: &MemoryOwner, now: Timestamp) -> Vec<Suggestion> {
        let Some(state) = self.loaded(owner) else {
            return Vec::new();
        };
        lock(&state).map_or_else(Vec::new, |mut state| engine::tick(&self.config, &mut state, now))
    }

    fn export_state(&self, owner: &MemoryOwner) -> Option<Vec<u8>> {
        self.inspect(owner, UserState::encode)
    }

    fn restore_state(&self, owner: &MemoryOwner, state: &[u8]) -> Result<(), ConversationError> {
        let state = UserState::decode(owner, state).map_err(|error| ConversationError::InvalidState {
            reason: error.to_string(),
        })?;
        self.owners.insert(owner.clone(), Arc::new(Mutex::new(state)));
        Ok(())
    }

    fn forget(&self, owner: &MemoryOwner) {
        self.owners.remove(owner);
    }
}

/// Messages of more words are recalled by as they are.
const SHORT_MESSAGE_WORDS: usize = 5;

/// `None` after a panic of an earlier call: the state may be half changed and is not used again until it
/// is restored or forgotten.
fn lock(state: &Mutex<UserState>) -> Option<MutexGuard<'_, UserState>> {
    state.lock().ok()
}

fn broken() -> ConversationError {
    ConversationError::Unavailable {
        reason: "an earlier call for this owner panicked; restore or forget its state".to_owned(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function of the error")]
fn unavailable(error: Error) -> ConversationError {
    ConversationError::Unavailable {
        reason: error.to_string(),
    }
}
