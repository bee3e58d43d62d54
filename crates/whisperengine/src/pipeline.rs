//! One micro-batch of turns, from text to outcome. [`Pipeline::plan`] is the way to the write, one stage a
//! line; [`Pipeline::finish`] the way from there.
//!
//! A stage that panics or fails on one turn costs that turn this stage's result, which its outcome then
//! names as degraded; the other turns of the batch are not touched. Stages that take the whole batch have
//! a [`Fallback`](crate::Fallback) before them, which asks text by text when the batch fails.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rayon::prelude::*;
use whisperengine_text_embedding::CachedEmbedder;
use whisperengine_types::{
    Clock, Comparison, Component, Degradation, Durability, Embedder, Embedding, EmotionAnalyzer,
    EmotionReading, Filter, MemoryRecall, MemoryRecord, Recall, RecallQuery, SessionId, StageTimings,
    TurnInput, TurnOutcome, TurnPlan, Visibility, WriteOp,
};

use crate::{
    FACT, PUBLIC,
    aftermath::Aftermath,
    fallback::guarded,
    forgetting::Forgetting,
    health::Gates,
    metrics,
    state::ConversationStates,
    turn::Turn,
    writer::{Writer, Writing},
};

/// Everything a turn passes through.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) emotion: Arc<dyn EmotionAnalyzer>,
    pub(crate) embedder: Arc<dyn Embedder>,
    /// The texts behind it that are kept for a while.
    pub(crate) embedded: Option<Arc<CachedEmbedder>>,
    pub(crate) recall: Arc<dyn MemoryRecall>,
    pub(crate) states: Arc<ConversationStates>,
    pub(crate) writer: Writer,
    pub(crate) aftermath: Aftermath,
    pub(crate) gates: Gates,
    pub(crate) recall_k: usize,
    pub(crate) forgetting: Arc<Forgetting>,
}

/// A stage's result for one turn, and what it cost the outcome.
type Staged<T> = (T, Option<Degradation>);

/// A plan, and the sitting that the turn belongs to.
type Planning = (TurnPlan, Option<SessionId>);

/// Turns that are planned and whose writes are handed in.
#[derive(Debug)]
pub(crate) struct Planned {
    outcomes: Vec<TurnOutcome>,
    /// Whose turns are not written.
    forgotten: Vec<bool>,
    handed_in: Instant,
    accepted: Vec<Instant>,
    mark: Vec<u64>,
}

impl Pipeline {
    /// Takes each turn from text to a planned outcome whose write is handed in.
    pub(crate) fn plan(&self, turns: &[Turn]) -> (Planned, Writing) {
        let started = self.clock.instant();
        let mark = self.gates.mark();
        let texts: Vec<&str> = turns.iter().map(|turn| turn.message.text.as_str()).collect();
        let remembering = self.forgetting.remember();
        let is_forgotten = |turn: &Turn| remembering.is_forgotten(&turn.message.owner(), &turn.id);
        let forgotten: Vec<bool> = turns.iter().map(is_forgotten).collect();

        let (emotions, emotion) = self.timed(|| self.read_emotions(&texts));
        let (embeddings, embedding) = self.timed(|| self.embed(&texts));
        let (recalls, recall) = self.timed(|| self.recall_each(turns));
        let (plans, plan) =
            self.timed(|| self.plan_each(turns, &forgotten, &emotions, &embeddings, &recalls));
        let handed_in = self.clock.instant();
        let writing = self.writer.begin(writes_of(turns, &forgotten, &emotions, &plans));

        drop(remembering);
        let timings = (emotion, embedding, recall, plan);
        let stages = emotions.into_iter().zip(embeddings).zip(recalls).zip(plans);
        let outcome = |(turn, (((emotion, embedding), recall), plan)): (&Turn, _)| {
            let (emotion_reading, lost_emotion): Staged<EmotionReading> = emotion;
            let (_, lost_embedding): Staged<Option<Embedding>> = embedding;
            let (recalled, lost_recall): Staged<Recall> = recall;
            let ((turn_plan, _), lost_plan): Staged<Planning> = plan;
            let lost = [lost_emotion, lost_embedding, lost_recall, lost_plan];
            TurnOutcome {
                turn: turn.id.clone(),
                session: turn.message.session(),
                sequence: turn.sequence,
                priority: turn.priority,
                emotion: emotion_reading,
                recalled,
                plan: turn_plan,
                stored: Durability::NotStored {
                    reason: FORGOTTEN.to_owned(),
                },
                degraded: lost.into_iter().flatten().collect(),
                timings: StageTimings {
                    queued: started.saturating_duration_since(turn.accepted),
                    emotion: timings.0,
                    embedding: timings.1,
                    recall: timings.2,
                    plan: timings.3,
                    ..StageTimings::default()
                },
            }
        };
        let outcomes = turns.iter().zip(stages).map(outcome).collect();
        let planned = Planned {
            outcomes,
            forgotten,
            handed_in,
            accepted: turns.iter().map(|turn| turn.accepted).collect(),
            mark,
        };
        (planned, writing)
    }

    /// Gives the turns' outcomes to `tell`, in order, once the turns are stored: on the thread that stored
    /// them, since every change of threads costs about as much as a stage.
    pub(crate) fn finish(
        self: Arc<Self>,
        (planned, writing): (Planned, Writing),
        tell: impl FnOnce(Vec<TurnOutcome>) + Send + 'static,
    ) {
        let writer = self.writer.clone();
        writer.finish_then(writing, move |stored| {
            tell(self.conclude(planned, stored));
        });
    }

    /// [`plan`](Self::plan) and [`finish`](Self::finish) in one, on a thread that may block.
    pub(crate) fn run(&self, turns: &[Turn]) -> Vec<TurnOutcome> {
        let (planned, writing) = self.plan(turns);
        let stored = self.writer.finish_blocking(writing);
        self.conclude(planned, stored)
    }

    fn conclude(&self, planned: Planned, stored: Vec<Durability>) -> Vec<TurnOutcome> {
        let now = self.clock.instant();
        let degraded = self.gates.degraded_since(&planned.mark);
        let mut outcomes = planned.outcomes;
        let mut stored = stored.into_iter();
        for ((outcome, accepted), forgotten) in
            outcomes.iter_mut().zip(planned.accepted).zip(planned.forgotten)
        {
            if let Some(stored) = (!forgotten).then(|| stored.next()).flatten() {
                outcome.stored = stored;
            }
            outcome.degraded.extend(degraded.iter().cloned());
            outcome.timings.store = now.saturating_duration_since(planned.handed_in);
            outcome.timings.total = now.saturating_duration_since(accepted);
            metrics::record_turn(outcome, !forgotten);
        }
        self.aftermath.schedule(outcomes.iter().map(TurnOutcome::owner));
        outcomes
    }

    fn read_emotions(&self, texts: &[&str]) -> Vec<Staged<EmotionReading>> {
        let read = isolate(Component::Emotion, || self.emotion.analyze_batch(texts));
        or_missing(read, texts.len(), EmotionReading::neutral)
    }

    fn embed(&self, texts: &[&str]) -> Vec<Staged<Option<Embedding>>> {
        let embedded = isolate(Component::Embedding, || self.embedder.embed_batch(texts));
        let embedded = embedded.map(|batch| batch.into_iter().map(Some).collect());
        or_missing(embedded, texts.len(), || None)
    }

    fn recall_each(&self, turns: &[Turn]) -> Vec<Staged<Recall>> {
        let recall = |turn: &Turn| {
            let (owner, message) = (turn.message.owner(), &turn.message);
            let found = isolate(Component::Recall, || {
                let text = self.states.recall_text(&owner, &message.text);
                let mut query = RecallQuery::new(text, self.recall_k, message.sent_at);
                if message.visibility == Visibility::Public {
                    // Where others read along, only what was said in public may be brought up.
                    query.filter = Filter::Metadata {
                        key: PUBLIC.to_owned(),
                        is: Comparison::Eq(true.into()),
                    };
                }
                self.recall.recall(&owner, &query)
            });
            let (found, lost) = or_default(found);
            let partly = found
                .degraded
                .clone()
                .map(|reason| degradation(Component::Recall, reason));
            (found, lost.or(partly))
        };
        each(turns.len(), |at| recall(&turns[at]))
    }

    fn plan_each(
        &self,
        turns: &[Turn],
        forgotten: &[bool],
        emotions: &[Staged<EmotionReading>],
        embeddings: &[Staged<Option<Embedding>>],
        recalls: &[Staged<Recall>],
    ) -> Vec<Staged<Planning>> {
        let plan = |at: usize| {
            let (turn, message) = (&turns[at], &turns[at].message);
            if forgotten[at] {
                let lost = degradation(Component::Conversation, FORGOTTEN.to_owned());
                return (Planning::default(), Some(lost));
            }
            let input = TurnInput {
                owner: &message.owner(),
                channel: &message.channel,
                visibility: message.visibility,
                message: &turn.id,
                text: &message.text,
                emotion: &emotions[at].0,
                embedding: embeddings[at].0.as_ref(),
                recalled: &recalls[at].0.memories,
                sent_at: message.sent_at,
            };
            let planned = isolate(Component::Conversation, || {
                self.states.plan(&input, self.clock.now())
            });
            or_default(planned.map(|(plan, sitting)| (plan, Some(sitting))))
        };
        each(turns.len(), plan)
    }

    fn timed<T>(&self, work: impl FnOnce() -> T) -> (T, Duration) {
        let from: Instant = self.clock.instant();
        let result = work();
        (result, self.clock.instant().saturating_duration_since(from))
    }
}

/// `work` for each place, in order. A small batch stays on its thread: the scheduler's other workers have
/// batches of their own, and the way through the pool and back costs more than it saves.
fn each<T: Send>(turns: usize, work: impl Fn(usize) -> T + Send + Sync) -> Vec<T> {
    if turns < PARALLEL_TURNS {
        return (0..turns).map(work).collect();
    }
    let turns = (0..turns).into_par_iter().with_min_len(PARALLEL_TURNS / 4);
    turns.map(work).collect()
}

fn writes_of(
    turns: &[Turn],
    forgotten: &[bool],
    emotions: &[Staged<EmotionReading>],
    plans: &[Staged<Planning>],
) -> Vec<WriteOp> {
    let write = |at: usize| {
        let record = record_of(&turns[at], &emotions[at].0, &plans[at].0);
        WriteOp::Store {
            owner: turns[at].message.owner(),
            record: Arc::new(record),
        }
    };
    let kept = (0..turns.len()).filter(|&at| !forgotten[at]);
    kept.map(write).collect()
}

/// The message as a memory: what moved the person, or tells of them, matters more. The store makes the
/// embedding, because it leaves names out and cuts long texts.
fn record_of(turn: &Turn, emotion: &EmotionReading, (plan, sitting): &Planning) -> MemoryRecord {
    let message = &turn.message;
    let fact = plan.facts.first();
    let matters = fact.map_or(0.0, |fact| fact.relevance).max(emotion.intensity);
    let mut record = MemoryRecord::new(turn.id.clone(), &*message.text, message.sent_at);
    record.speaker = Some(message.user.as_str().to_owned());
    record.session.clone_from(sitting);
    record.channel = Some(message.channel.clone());
    record.importance = (0.35 + 0.5 * matters).clamp(0.0, 1.0);
    if message.visibility == Visibility::Public {
        record.metadata.insert(PUBLIC.to_owned(), true.into());
    }
    if let Some(fact) = fact {
        record.metadata.insert(FACT.to_owned(), fact.kind.name().into());
    }
    record
}

fn isolate<T, E: std::fmt::Display>(
    component: Component,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, Degradation> {
    match guarded(work) {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(error)) => Err(degradation(component, error.to_string())),
        Err(panic) => Err(degradation(component, panic)),
    }
}

fn or_missing<T>(batch: Result<Vec<T>, Degradation>, len: usize, missing: impl Fn() -> T) -> Vec<Staged<T>> {
    match batch {
        Ok(results) => results.into_iter().map(|result| (result, None)).collect(),
        Err(lost) => (0..len).map(|_| (missing(), Some(lost.clone()))).collect(),
    }
}

fn or_default<T: Default>(result: Result<T, Degradation>) -> Staged<T> {
    match result {
        Ok(result) => (result, None),
        Err(lost) => (T::default(), Some(lost)),
    }
}

fn degradation(component: Component, reason: String) -> Degradation {
    Degradation {
        component,
        reason,
        since: None,
    }
}

/// Why a turn that was accepted is not stored.
const FORGOTTEN: &str = "the person was forgotten after the message was accepted";
/// Fewer turns than this are not worth handing to other threads.
const PARALLEL_TURNS: usize = 32;
