//! Memories: what is stored of a person, and what comes back.

use std::{collections::BTreeMap, fmt, ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    Audience, AudienceId, BotId, ChannelId, Embedding, Filter, MemoryId, MetadataValue, PlatformId,
    SessionId, Similarity, SpaceId, Timestamp, UserId, ZoneId,
};

/// Whose memories these are. Two owners share nothing: no index, no cache entry, no duplicate check.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryOwner {
    /// What one bot knows of one person.
    Person {
        /// The bot.
        bot: BotId,
        /// The person.
        user: UserId,
    },
    /// What one bot knows regardless of the person: lore, house rules, a knowledge base.
    Shared {
        /// The bot.
        bot: BotId,
        /// The body of knowledge.
        space: SpaceId,
    },
}

impl MemoryOwner {
    /// What `bot` knows of `user`.
    pub fn person(bot: BotId, user: UserId) -> Self {
        Self::Person { bot, user }
    }

    /// What `bot` knows in `space`.
    pub fn shared(bot: BotId, space: SpaceId) -> Self {
        Self::Shared { bot, space }
    }

    /// The bot.
    pub fn bot(&self) -> &BotId {
        match self {
            Self::Person { bot, .. } | Self::Shared { bot, .. } => bot,
        }
    }
}

impl fmt::Display for MemoryOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person { bot, user } => write!(f, "{bot}/@{user}"),
            Self::Shared { bot, space } => write!(f, "{bot}/#{space}"),
        }
    }
}

/// One memory, as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemoryRecord {
    /// Unique within the owner. Storing the same id again replaces the record.
    pub id: MemoryId,
    /// What is remembered.
    pub text: String,
    /// Who said it, as the platform names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// The sitting it was said in; memories of one session are each other's context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The channel it was said in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// When it was said.
    pub sent_at: Timestamp,
    /// What sort of memory it is.
    #[serde(default)]
    pub kind: MemoryKind,
    /// How much it matters, `0..=1`; 0.5 is ordinary.
    #[serde(default = "half")]
    pub importance: f32,
    /// How far its source is trusted, `0..=1`; 1 is the person's own words.
    #[serde(default = "one")]
    pub trust: f32,
    /// Never decays and is never evicted.
    #[serde(default)]
    pub pinned: bool,
    /// Anything else.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, MetadataValue>,
    /// Its embedding; a store with an embedder of its own fills it in when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<Embedding>,
}

fn half() -> f32 {
    0.5
}

fn one() -> f32 {
    1.0
}

impl MemoryRecord {
    /// An ordinary memory of `text`: kind message, importance 0.5, trust 1, not pinned.
    pub fn new(id: MemoryId, text: impl Into<String>, sent_at: Timestamp) -> Self {
        Self {
            id,
            text: text.into(),
            speaker: None,
            session: None,
            channel: None,
            sent_at,
            kind: MemoryKind::Message,
            importance: half(),
            trust: one(),
            pinned: false,
            metadata: BTreeMap::new(),
            embedding: None,
        }
    }

    /// Who could read it when it was said: the metadata under [`MemoryRecord::AUDIENCE`].
    pub fn audience(&self) -> Audience {
        match self.metadata.get(Self::AUDIENCE) {
            Some(MetadataValue::Text(group)) => {
                AudienceId::new(group).map_or(Audience::Private, Audience::Group)
            }
            _ => Audience::Private,
        }
    }

    /// Notes who could read it.
    pub fn set_audience(&mut self, audience: &Audience) {
        match audience.group() {
            Some(group) => self
                .metadata
                .insert(Self::AUDIENCE.to_owned(), group.as_str().into()),
            None => self.metadata.remove(Self::AUDIENCE),
        };
    }

    /// The platform's number of the message: the metadata under [`MemoryRecord::PLATFORM_ID`].
    pub fn platform_id(&self) -> Option<PlatformId> {
        match self.metadata.get(Self::PLATFORM_ID) {
            Some(MetadataValue::Text(id)) => PlatformId::new(id).ok(),
            _ => None,
        }
    }

    /// The metadata key of the audience that a memory was said to; memories without it are private.
    pub const AUDIENCE: &'static str = "audience";
    /// The metadata key of the platform's number of a message.
    pub const PLATFORM_ID: &'static str = "platform_id";
}

/// What sort of memory a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum MemoryKind {
    /// A message as it was said.
    #[default]
    Message,
    /// A message and the reply to it.
    Exchange,
    /// Something known to be so ("allergic to nuts").
    Fact,
    /// What the person likes or wants ("prefers short answers").
    Preference,
    /// A digest of several memories.
    Summary,
    /// A passage of a document.
    Document,
}

/// Changes to a stored record; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryPatch {
    /// A new text; the embedding is made anew unless given too.
    pub text: Option<String>,
    /// A new embedding.
    pub embedding: Option<Embedding>,
    /// A new importance, `0..=1`.
    pub importance: Option<f32>,
    /// A new trust, `0..=1`.
    pub trust: Option<f32>,
    /// Pin or unpin.
    pub pinned: Option<bool>,
    /// Metadata to set; keys not named stay.
    pub metadata: BTreeMap<String, MetadataValue>,
    /// Metadata keys to remove.
    pub remove_metadata: Vec<String>,
}

/// One change to an owner's memories. A batch is applied in order and becomes durable as one.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteOp {
    /// Store a record, replacing one of the same id: storing it twice is storing it once.
    Store {
        /// Whose.
        owner: MemoryOwner,
        /// The record.
        record: Arc<MemoryRecord>,
    },
    /// Change a record.
    Update {
        /// Whose.
        owner: MemoryOwner,
        /// Which.
        id: MemoryId,
        /// How.
        patch: Arc<MemoryPatch>,
    },
    /// Remove a record.
    Delete {
        /// Whose.
        owner: MemoryOwner,
        /// Which.
        id: MemoryId,
    },
    /// Remove everything of an owner, the conversation state too.
    ForgetAll {
        /// Whose.
        owner: MemoryOwner,
    },
    /// Keep the owner's conversation state beside the memories, replacing the one before.
    PutState {
        /// Whose.
        owner: MemoryOwner,
        /// The state, opaque to the store.
        state: Arc<[u8]>,
    },
}

impl WriteOp {
    /// Whose memories the operation changes.
    pub fn owner(&self) -> &MemoryOwner {
        match self {
            Self::Store { owner, .. }
            | Self::Update { owner, .. }
            | Self::Delete { owner, .. }
            | Self::ForgetAll { owner }
            | Self::PutState { owner, .. } => owner,
        }
    }
}

/// The operation is on stable storage: it survives a crash of the process and of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The record concerned; `None` for operations on the whole owner.
    pub id: Option<MemoryId>,
}

/// What to look for among one owner's memories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecallQuery {
    /// The question, in words.
    pub text: String,
    /// Words borrowed from what was said before the question. They add to what the question's own words
    /// find and never outvote it.
    #[serde(default)]
    pub context: Option<String>,
    /// Its embedding; made from `text` when absent.
    pub embedding: Option<Embedding>,
    /// How many memories at most.
    pub k: usize,
    /// Which memories may be found.
    pub filter: Filter,
    /// The time to judge recency by, and to understand "yesterday".
    pub now: Timestamp,
    /// The zone in which days begin; UTC when absent.
    #[serde(default)]
    pub zone: Option<ZoneId>,
    /// Memories of a lower [`RecalledMemory::relevance`] are left out; 0 keeps all.
    #[serde(default)]
    pub min_relevance: f32,
}

impl RecallQuery {
    /// The `k` memories that fit `text` best, as of `now`.
    pub fn new(text: impl Into<String>, k: usize, now: Timestamp) -> Self {
        Self {
            text: text.into(),
            context: None,
            embedding: None,
            k,
            filter: Filter::Any,
            now,
            zone: None,
            min_relevance: 0.0,
        }
    }
}

/// What was found, best first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Recall {
    /// The memories, by descending score.
    pub memories: Vec<RecalledMemory>,
    /// The time that the question asks about, where it names one: `from..until`.
    #[serde(default)]
    pub asked_time: Option<AskedTime>,
    /// Why the answer may be worse than usual, if so.
    pub degraded: Option<String>,
}

impl Recall {
    /// Whether anything found is at least as likely to answer the question as not.
    pub fn is_relevant(&self) -> bool {
        self.memories.iter().any(|memory| memory.relevance >= 0.5)
    }
}

/// The time that a question asks about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedTime {
    /// Its beginning.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// Whether a memory of that time was found.
    pub found: bool,
}

/// A memory that was found, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecalledMemory {
    /// The memory.
    pub memory: Arc<MemoryRecord>,
    /// The rank score, higher is better; comparable within one recall only.
    pub score: f32,
    /// How likely the memory answers the question, `0..=1`, comparable between recalls. Fitted for the first
    /// memory of a recall; an order with the same scale, not a calibrated probability, for those after it.
    #[serde(default)]
    pub relevance: f32,
    /// The part of the memory that matched, where it is not the whole: a byte range of its text on
    /// character boundaries.
    #[serde(default)]
    pub passage: Option<Range<u32>>,
    /// How many other memories say the same and are left out for this one.
    #[serde(default)]
    pub copies: u32,
    /// When the last of the copies was said.
    #[serde(default)]
    pub last_copy_at: Option<Timestamp>,
    /// Whether what it says no longer holds, as far as the facts known of the person tell.
    #[serde(default)]
    pub superseded: bool,
    /// Cosine similarity of the embeddings, where both have one.
    pub similarity: Option<Similarity>,
    /// What the score is made of; the parts add up to `score`.
    pub parts: ScoreParts,
    /// Words of the question that the memory holds too, as written in the question.
    pub matched_terms: Vec<String>,
}

impl RecalledMemory {
    /// The part of the text that matched; the whole text without a [`passage`](Self::passage).
    pub fn passage_text(&self) -> &str {
        let range = self
            .passage
            .as_ref()
            .map(|range| range.start as usize..range.end as usize);
        range
            .and_then(|range| self.memory.text.get(range))
            .unwrap_or(&self.memory.text)
    }
}

/// The parts of a recall score, in rank-score points.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ScoreParts {
    /// From the embeddings.
    pub dense: f32,
    /// From shared words (BM25).
    pub lexical: f32,
    /// From the memories before and after it in its session.
    pub neighbours: f32,
    /// From being said by whom the question asks about.
    pub speaker: f32,
    /// From its age, its importance, its source's trust, and whether its time fits a date in the question;
    /// may be negative.
    pub prior: f32,
}
