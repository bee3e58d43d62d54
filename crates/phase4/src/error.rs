/// What the engine cannot do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The state belongs to another owner than the input.
    #[error("state belongs to another owner than the message")]
    OwnerMismatch,
    /// A setting is out of its range.
    #[error("setting {field} is not {expected}")]
    InvalidConfig {
        /// The setting.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The bytes do not begin like a state.
    #[error("not a conversation state")]
    NotAState,
    /// The state is of a version that this library does not read.
    #[error("conversation state has version {got}, this library reads {supported}")]
    UnsupportedVersion {
        /// The version found.
        got: u16,
        /// The newest version that can be read.
        supported: u16,
    },
    /// The bytes were changed or cut off.
    #[error("conversation state is damaged: {reason}")]
    DamagedState {
        /// What is wrong with them.
        reason: &'static str,
    },
    /// The feedback names a moment that was not offered.
    #[error("moment {id:?} was not offered")]
    UnknownMoment {
        /// The id given, shortened.
        id: String,
    },
    /// The feedback names a suggestion that was not made.
    #[error("suggestion {id:?} was not made")]
    UnknownSuggestion {
        /// The id given, shortened.
        id: String,
    },
    /// No time zone has this name.
    #[error("no time zone is called {name:?}")]
    UnknownTimeZone {
        /// The name given, shortened.
        name: String,
    },
    /// The engine does not know this kind of feedback.
    #[error("feedback of an unknown kind")]
    UnknownFeedback,
}
