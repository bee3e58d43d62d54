use serde::{Deserialize, Serialize};

/// Which of the parts around the engine are at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four independent parts")]
pub struct Subsystems {
    /// Emotions are read.
    pub emotion: bool,
    /// Memories are recalled.
    pub memory: bool,
    /// Turns are planned.
    pub conversation: bool,
    /// Messages are embedded, or otherwise made into queries.
    pub query: bool,
}

/// How complete the whole is: the share of [`Subsystems`] at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubsystemHealth {
    /// Less than a quarter.
    Poor,
    /// A quarter and more.
    Fair,
    /// Half and more.
    Good,
    /// Three quarters and more.
    Excellent,
}

impl Subsystems {
    /// How complete the whole is.
    ///
    /// ```
    /// use whisperengine_phase4::{SubsystemHealth, Subsystems};
    ///
    /// let no_embedder = Subsystems { emotion: true, memory: true, conversation: true, query: false };
    /// assert_eq!(no_embedder.health(), SubsystemHealth::Excellent);
    /// assert_eq!(Subsystems::default().health(), SubsystemHealth::Poor);
    /// ```
    pub fn health(self) -> SubsystemHealth {
        let at_work = [self.emotion, self.memory, self.conversation, self.query];
        match at_work.iter().filter(|&&works| works).count() {
            0 => SubsystemHealth::Poor,
            1 => SubsystemHealth::Fair,
            2 => SubsystemHealth::Good,
            _ => SubsystemHealth::Excellent,
        }
    }
}
