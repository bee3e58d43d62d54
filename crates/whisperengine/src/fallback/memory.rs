use whisperengine_types::{MemoryError, MemoryOwner, MemoryRecall, Recall, RecallQuery};

use super::Fallback;

impl MemoryRecall for Fallback<dyn MemoryRecall> {
    fn recall(&self, owner: &MemoryOwner, query: &RecallQuery) -> Result<Recall, MemoryError> {
        self.call(|port| port.recall(owner, query), MemoryError::is_unavailable)
    }
}
