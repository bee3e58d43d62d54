//! A bot around the engine: reads emotions, embeds, remembers and recalls, all in memory.

use std::{error::Error, sync::Arc};

use whisperengine_emotion::EmotionEngine;
use whisperengine_phase4::{Config, UserState, after_turn, plan_turn, record_feedback};
use whisperengine_text_embedding::StaticEmbedder;
use whisperengine_types::{
    Audience, BotId, ChannelId, Embedder, Embedding, EmotionAnalyzer, EmotionReading, Feedback, MemoryId,
    MemoryOwner, MemoryRecord, RecalledMemory, ScoreParts, Timestamp, TurnInput, TurnPlan, UserId,
};

/// What reads and embeds the messages.
#[derive(Debug)]
pub(crate) struct Senses {
    emotion: EmotionEngine,
    embedder: StaticEmbedder,
    plain: bool,
}

impl Senses {
    pub(crate) fn new(plain: bool) -> Self {
        Self {
            emotion: EmotionEngine::new(),
            embedder: StaticEmbedder::default(),
            plain,
        }
    }

    fn read(&self, text: &str) -> Result<(EmotionReading, Option<Embedding>), Box<dyn Error>> {
        if self.plain {
            return Ok((EmotionReading::neutral(), None));
        }
        let reading = self.emotion.analyze_batch(&[text])?.remove(0);
        Ok((reading, Some(self.embedder.embed(text)?)))
    }
}

/// Everything that the engine is given for one message; kept so that it can be played again.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) message: MemoryId,
    pub(crate) text: String,
    pub(crate) emotion: EmotionReading,
    pub(crate) embedding: Option<Embedding>,
    pub(crate) recalled: Vec<RecalledMemory>,
    pub(crate) at: Timestamp,
}

/// One person and what the bot knows of them.
#[derive(Debug)]
pub(crate) struct Companion {
    pub(crate) config: Config,
    pub(crate) owner: MemoryOwner,
    pub(crate) channel: ChannelId,
    pub(crate) state: UserState,
    memories: Vec<(Arc<MemoryRecord>, Option<Embedding>)>,
}

/// Memories recalled for a message.
const RECALLED: usize = 8;

impl Companion {
    pub(crate) fn new(bot: &str, user: &str) -> Result<Self, Box<dyn Error>> {
        let owner = MemoryOwner::person(BotId::new(bot)?, UserId::new(user)?);
        let (config, mut state) = (Config::default(), UserState::new(&owner));
        // Nobody is written to unasked who has not allowed it.
        record_feedback(&config, &mut state, &Feedback::Proactive { allowed: true })?;
        Ok(Self {
            config,
            state,
            owner,
            channel: ChannelId::new("direct")?,
            memories: Vec::new(),
        })
    }

    /// Takes a message in: reads, recalls, plans, remembers.
    pub(crate) fn hear(
        &mut self,
        senses: &Senses,
        text: &str,
        at: Timestamp,
    ) -> Result<(TurnPlan, Heard), Box<dyn Error>> {
        let (emotion, embedding) = senses.read(text)?;
        let message = MemoryId::from_number(self.memories.len() as u64 + 1);
        let recalled = self.recall(embedding.as_ref());
        let heard = Heard {
            message,
            text: text.to_owned(),
            emotion,
            embedding,
            recalled,
            at,
        };
        let plan = self.plan(&heard)?;
        let record = MemoryRecord::new(heard.message.clone(), text, at);
        self.memories.push((Arc::new(record), heard.embedding.clone()));
        Ok((plan, heard))
    }

    /// Plans the reply to something heard, and does what follows a reply.
    pub(crate) fn plan(&mut self, heard: &Heard) -> Result<TurnPlan, Box<dyn Error>> {
        let input = TurnInput {
            owner: &self.owner,
            channel: &self.channel,
            audience: &Audience::Private,
            message: &heard.message,
            text: &heard.text,
            emotion: &heard.emotion,
            embedding: heard.embedding.as_ref(),
            recalled: &heard.recalled,
            facts: &[],
            sent_at: heard.at,
            replay: None,
        };
        let plan = plan_turn(&self.config, &mut self.state, &input, heard.at)?;
        after_turn(&self.config, &mut self.state);
        Ok(plan)
    }

    /// The nearest memories by cosine.
    fn recall(&self, embedding: Option<&Embedding>) -> Vec<RecalledMemory> {
        let Some(embedding) = embedding else {
            return Vec::new();
        };
        let mut found: Vec<RecalledMemory> = self
            .memories
            .iter()
            .filter_map(|(memory, other)| {
                let similarity = other.as_ref()?.similarity(embedding).ok()?;
                Some(RecalledMemory {
                    memory: Arc::clone(memory),
                    score: similarity.value(),
                    relevance: similarity.value().max(0.0),
                    passage: None,
                    copies: 0,
                    last_copy_at: None,
                    superseded: false,
                    similarity: Some(similarity),
                    parts: ScoreParts {
                        dense: similarity.value(),
                        ..ScoreParts::default()
                    },
                    matched_terms: Vec::new(),
                })
            })
            .collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(RECALLED);
        found
    }
}
