//! Parts that the tests put contexts together from.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::sync::Arc;

use whisperengine_reply_context::TokenCounter;
use whisperengine_types::{
    DialogueLine, Fact, MemoryId, MemoryRecord, RecalledMemory, ReplyContext, ScoreParts, Slot, Timestamp,
};

pub const NOW: &str = "2026-03-10T17:45:00Z";

pub fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

pub fn id(id: &str) -> MemoryId {
    MemoryId::new(id).unwrap()
}

pub fn line(from_bot: bool, text: &str) -> DialogueLine {
    DialogueLine {
        id: None,
        from_bot,
        name: None,
        text: text.to_owned(),
        at: at("2026-03-10T17:40:00Z"),
    }
}

pub fn named(name: &str, text: &str) -> DialogueLine {
    DialogueLine {
        name: Some(name.to_owned()),
        ..line(false, text)
    }
}

pub fn memory(id: &str, text: &str, sent_at: &str, relevance: f32) -> RecalledMemory {
    let mut record = MemoryRecord::new(self::id(id), text, at(sent_at));
    record.speaker = Some("Ana".to_owned());
    RecalledMemory {
        memory: Arc::new(record),
        score: relevance,
        relevance,
        passage: None,
        copies: 0,
        last_copy_at: None,
        superseded: false,
        similarity: None,
        parts: ScoreParts::default(),
        matched_terms: Vec::new(),
    }
}

pub fn fact(slot: Slot, value: &str, since: &str) -> Fact {
    let source = id(&format!("{slot}-{since}"));
    Fact::new(slot, value, source, at(since))
}

/// What the context costs, counted anew from what is sent in OpenAI's shape.
pub fn sent_tokens(context: &ReplyContext, counter: &dyn TokenCounter) -> u32 {
    let messages = whisperengine_reply_context::openai_messages(context);
    let costs = messages.iter().map(|message| {
        let name = message.name.as_deref().map_or(0, |name| counter.count(name) + 1);
        4 + name + counter.count(&message.content)
    });
    3 + costs.sum::<u32>()
}
