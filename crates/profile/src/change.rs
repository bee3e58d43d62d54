use whisperengine_types::{Fact, MemoryId};

/// What a statement, an edit or a deletion changed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FactChange {
    /// A fact came to be known.
    Learned(Fact),
    /// A fact that holds was said again.
    Repeated(Fact),
    /// A fact ceased to hold; its `until` says when.
    Ended {
        /// The fact.
        fact: Fact,
        /// The message that ended it.
        by: MemoryId,
    },
    /// A fact is gone with its source, or for want of room.
    Removed(Fact),
    /// A fact holds again, since the message that had ended it is gone.
    Restored(Fact),
}
