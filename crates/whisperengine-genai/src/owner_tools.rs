//! The memory of one person as tools.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use whisperengine::OwnerHandle;
use whisperengine_reply_context::push_quoted;
use whisperengine_types::{
    BoxFuture, Fact, MemoryId, MemoryKind, MemoryRecord, Polarity, RecallQuery, Timestamp, ZoneId,
};

use crate::tool::{ToolCall, ToolError, ToolSpec, Toolbox};

/// One person's memory as tools of a model: `recall` and `what_is_known`, and if allowed `remember` and `forget`.
///
/// They reach what was said in private: for private conversations only. What they return is quoted data, as in
/// a context.
///
/// ```no_run
/// # async fn example(
/// #     engine: whisperengine::WhisperEngine, model: whisperengine_genai::LanguageModel,
/// #     request: whisperengine_types::ReplyRequest,
/// # ) {
/// use std::sync::Arc;
/// use whisperengine_genai::OwnerTools;
///
/// let owner = engine.handle_of(request.outcome.owner());
/// let tools = OwnerTools::new(owner, request.message.sent_at).with_changes();
/// let reply = model.respond_with_tools(&request, Arc::new(tools));
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct OwnerTools {
    owner: OwnerHandle,
    now: Timestamp,
    zone: Option<ZoneId>,
    may_change: bool,
}

impl OwnerTools {
    /// Tools that read, as of `now`.
    pub fn new(owner: OwnerHandle, now: Timestamp) -> Self {
        Self {
            owner,
            now,
            zone: None,
            may_change: false,
        }
    }

    /// The same with tools that change: `remember` and `forget`. A model can be talked into using them.
    #[must_use]
    pub fn with_changes(mut self) -> Self {
        self.may_change = true;
        self
    }

    /// The same with the zone in which "yesterday" is understood.
    #[must_use]
    pub fn with_zone(mut self, zone: ZoneId) -> Self {
        self.zone = Some(zone);
        self
    }

    async fn recall(&self, arguments: &Value) -> Result<String, ToolError> {
        let query = text(arguments, "query")?;
        let mut query = RecallQuery::new(query, RECALLED, self.now);
        query.zone.clone_from(&self.zone);
        query.min_relevance = MIN_RELEVANCE;
        let recall = self.owner.recall(query).await.map_err(failed)?;
        if recall.memories.is_empty() {
            return Ok("Nothing is remembered of this.".to_owned());
        }
        let mut out = String::from("Quoted data, most relevant first:");
        for recalled in &recall.memories {
            let memory = &recalled.memory;
            out.push_str("\n- ");
            push_date(&mut out, memory.sent_at);
            out.push(' ');
            push_quoted(&mut out, recalled.passage_text());
            if self.may_change {
                out.push_str(" id ");
                push_quoted(&mut out, memory.id.as_str());
            }
        }
        Ok(out)
    }

    async fn what_is_known(&self) -> Result<String, ToolError> {
        let facts = self.owner.facts().await.map_err(failed)?;
        if facts.is_empty() {
            return Ok("Nothing is known yet.".to_owned());
        }
        let mut out = String::from("Quoted data:");
        for fact in &facts {
            push_fact(&mut out, fact);
        }
        Ok(out)
    }

    async fn remember(&self, arguments: &Value) -> Result<String, ToolError> {
        let text = text(arguments, "text")?;
        // The same text at the same time is the same memory, so that a second attempt stores nothing twice.
        let id = format!("note-{}-{:016x}", self.now.as_millis(), fingerprint(text));
        let id = MemoryId::new(id).map_err(failed)?;
        let mut record = MemoryRecord::new(id, text, self.now);
        record.kind = MemoryKind::Fact;
        record.trust = NOTE_TRUST;
        record.metadata = BTreeMap::from([("source".to_owned(), "model".into())]);
        self.owner.remember(vec![record]).await.map_err(failed)?;
        Ok("Remembered.".to_owned())
    }

    async fn forget(&self, arguments: &Value) -> Result<String, ToolError> {
        let id = MemoryId::new(text(arguments, "id")?).map_err(|_| ToolError::Argument { name: "id" })?;
        let known = self.owner.get(std::slice::from_ref(&id)).await.map_err(failed)?;
        if known.iter().all(Option::is_none) {
            // A removal of nothing succeeds, too; the model must not say that something is gone.
            return Err(ToolError::Argument { name: "id" });
        }
        self.owner.delete(&id).await.map_err(failed)?;
        Ok("Forgotten.".to_owned())
    }
}

impl Toolbox for OwnerTools {
    fn tools(&self) -> Vec<ToolSpec> {
        let string = |name: &str, description: &str| {
            json!({
                "type": "object",
                "properties": { name: { "type": "string", "description": description } },
                "required": [name],
                "additionalProperties": false,
            })
        };
        let tool = |name: &str, description: &str, parameters: Value| ToolSpec {
            name: name.to_owned(),
            description: description.to_owned(),
            parameters,
        };
        let nothing = json!({ "type": "object", "properties": {}, "additionalProperties": false });
        let mut tools = vec![
            tool(
                "recall",
                "Looks for what the person said earlier. Use it when the answer hangs on it and is not in view.",
                string(
                    "query",
                    "What to look for, in the person's language, as a question or in its words.",
                ),
            ),
            tool(
                "what_is_known",
                "Lists the facts that are known of the person.",
                nothing,
            ),
        ];
        if self.may_change {
            tools.push(tool(
                "remember",
                "Keeps something that the person asked to be remembered.",
                string("text", "What to keep, as one complete sentence."),
            ));
            tools.push(tool(
                "forget",
                "Removes one memory for good. Only when the person asks for it.",
                string("id", "The memory's id, as recall gave it."),
            ));
        }
        tools
    }

    fn call(&self, call: ToolCall) -> BoxFuture<'_, Result<String, ToolError>> {
        Box::pin(async move {
            match call.name.as_str() {
                "recall" => self.recall(&call.arguments).await,
                "what_is_known" => self.what_is_known().await,
                "remember" if self.may_change => self.remember(&call.arguments).await,
                "forget" if self.may_change => self.forget(&call.arguments).await,
                _ => Err(ToolError::Unknown { name: call.name }),
            }
        })
    }
}

/// How many memories `recall` gives.
const RECALLED: usize = 8;
/// Memories that are less likely to answer are left out.
const MIN_RELEVANCE: f32 = 0.05;
/// What a model notes is trusted less than the person's own words.
const NOTE_TRUST: f32 = 0.8;

fn text<'a>(arguments: &'a Value, name: &'static str) -> Result<&'a str, ToolError> {
    let text = arguments.get(name).and_then(Value::as_str).map(str::trim);
    text.filter(|text| !text.is_empty() && text.len() <= MAX_BYTES)
        .ok_or(ToolError::Argument { name })
}

/// The longest argument, in bytes.
const MAX_BYTES: usize = 4096;

fn failed(error: impl std::fmt::Display) -> ToolError {
    ToolError::Failed {
        reason: error.to_string(),
    }
}

fn push_fact(out: &mut String, fact: &Fact) {
    out.push_str("\n- ");
    out.push_str(fact.slot.name());
    out.push_str(if fact.polarity == Polarity::Denied {
        ": not "
    } else {
        ": "
    });
    push_quoted(out, &fact.value);
    if let Some(detail) = &fact.detail {
        out.push(' ');
        push_quoted(out, detail);
    }
    out.push_str(" since ");
    push_date(out, fact.since);
}

/// The date in UTC.
fn push_date(out: &mut String, at: Timestamp) {
    let text = at.to_string();
    out.push_str(text.split('T').next().unwrap_or_default());
}

/// FNV-1a.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
