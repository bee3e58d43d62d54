//! One micro-batch of turns, from text to outcome: [`Pipeline::serve`] is the way, one stage a line.
//!
//! Each turn is a [`TurnDraft`] that every stage completes. A stage that panics or fails on one turn costs that
//! turn this stage's result, which its outcome then names as degraded; the other turns are not touched.

use std::{convert::Infallible, sync::Arc, time::Instant};

use whisperengine_memory_batcher::{Submission, WriteGroup};
use whisperengine_types::{
    Clock, Component, ConversationError, Degradation, Durability, Embedder, Embedding, EmotionAnalyzer,
    EmotionReading, MemoryId, Recall, ReplyContext, Slot, StageTimings, TurnOutcome, TurnPlan,
};

use crate::{
    cells::{Cells, Save},
    context::{Contexts, Scene, Turning},
    fallback::{Answered, Fallback, isolate},
    metrics,
    plan::Planner,
    recall::TurnRecall,
    safety::SafetyHook,
    turn::Turn,
    upkeep::Upkeep,
    writer::Writer,
};

/// Everything a turn passes through.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) emotion: Fallback<dyn EmotionAnalyzer>,
    pub(crate) embedder: Fallback<dyn Embedder>,
    pub(crate) cells: Arc<Cells>,
    pub(crate) recall: TurnRecall,
    pub(crate) planner: Planner,
    pub(crate) contexts: Contexts,
    pub(crate) writer: Writer,
    pub(crate) upkeep: Upkeep,
    pub(crate) safety: SafetyHook,
    /// What was switched off when the engine was built.
    pub(crate) disabled: Vec<Degradation>,
}

/// A turn on its way to an outcome.
#[derive(Debug)]
pub(crate) struct TurnDraft {
    pub(crate) turn: Turn,
    /// `None` until it is issued, and for good when the person was forgotten.
    pub(crate) id: Option<MemoryId>,
    pub(crate) emotion: EmotionReading,
    pub(crate) embedding: Option<Embedding>,
    pub(crate) recalled: Recall,
    pub(crate) plan: TurnPlan,
    /// What the message states of its writer, foremost.
    pub(crate) states: Option<Slot>,
    /// What its context is assembled from.
    pub(crate) scene: Scene,
    pub(crate) context: ReplyContext,
    pub(crate) redelivered: bool,
    /// The place of its write among those of the batch, or why there is none.
    pub(crate) write: Result<usize, Durability>,
    pub(crate) degraded: Vec<Degradation>,
    pub(crate) timings: StageTimings,
}

impl Pipeline {
    /// Takes each turn from text to a durable outcome; `reply` gets the outcomes, in order, on the thread that
    /// stored the turns.
    pub(crate) fn serve(
        self: Arc<Self>,
        turns: Vec<Turn>,
        reply: impl FnOnce(Vec<TurnOutcome>) + Send + 'static,
    ) {
        let mut drafts = self.begin(turns);
        // A message to an audience is stored twice: for the person, and for those who heard it.
        let mut writes = self.writer.group(2 * drafts.len());

        self.stage(&mut drafts, |timings| &mut timings.emotion, Self::read_emotions);
        self.stage(&mut drafts, |timings| &mut timings.embedding, Self::embed);
        self.stage(&mut drafts, |timings| &mut timings.recall, Self::recall);
        self.stage(
            &mut drafts,
            |timings| &mut timings.plan,
            |pipeline, drafts| {
                pipeline.plan(drafts, &mut writes);
            },
        );
        self.stage(&mut drafts, |timings| &mut timings.context, Self::assemble);
        self.store(drafts, writes, reply);
    }

    /// The context of a turn that is not taken.
    pub(crate) fn context(
        &self,
        turn: Turn,
        budget_tokens: Option<u32>,
    ) -> Result<ReplyContext, ConversationError> {
        let mut drafts = self.begin(vec![turn]);
        self.read_emotions(&mut drafts);
        self.recall(&mut drafts);
        let draft = &mut drafts[0];
        self.planner.look(&self.cells, draft)?;
        Ok(self.assembled(draft, budget_tokens))
    }

    /// Submits every state that was changed since it was saved.
    pub(crate) fn save_all(&self) -> Vec<(Save, Submission)> {
        let save = |owner| self.cells.save(&owner, |_| true, |op| self.writer.submit_one(op));
        self.cells.owners().into_iter().filter_map(save).collect()
    }

    fn begin(&self, turns: Vec<Turn>) -> Vec<TurnDraft> {
        let now = self.clock.instant();
        let begin = |turn: Turn| TurnDraft {
            id: None,
            emotion: EmotionReading::neutral(),
            embedding: None,
            recalled: Recall::default(),
            plan: TurnPlan::default(),
            states: None,
            scene: Scene::default(),
            context: ReplyContext::default(),
            redelivered: false,
            write: Err(Durability::NotStored {
                reason: FORGOTTEN.to_owned(),
            }),
            degraded: self.disabled.clone(),
            timings: StageTimings {
                queued: now.saturating_duration_since(turn.accepted),
                ..StageTimings::default()
            },
            turn,
        };
        turns.into_iter().map(begin).collect()
    }

    fn read_emotions(&self, drafts: &mut [TurnDraft]) {
        let texts: Vec<&str> = drafts.iter().map(TurnDraft::text).collect();
        let read = self.emotion.analyze_each(&texts);
        for (draft, answered) in drafts.iter_mut().zip(read) {
            draft.emotion = draft.take(answered);
        }
    }

    fn embed(&self, drafts: &mut [TurnDraft]) {
        let texts: Vec<&str> = drafts.iter().map(TurnDraft::text).collect();
        let embedded = self.embedder.embed_each(&texts);
        for (draft, answered) in drafts.iter_mut().zip(embedded) {
            draft.embedding = draft.take(answered);
        }
    }

    fn recall(&self, drafts: &mut [TurnDraft]) {
        for draft in drafts {
            let recalled = self.recall.recall(&self.cells, draft);
            draft.recalled = draft.take(recalled);
        }
    }

    /// Plans each turn and submits its write, both under the lock of its owner.
    fn plan(&self, drafts: &mut [TurnDraft], writes: &mut WriteGroup) {
        for draft in drafts {
            let now = self.clock.now();
            self.planner
                .plan(&self.cells, draft, now, |op| self.writer.submit(writes, op));
        }
    }

    fn assemble(&self, drafts: &mut [TurnDraft]) {
        for draft in drafts {
            let assemble = || Ok::<_, Infallible>(self.assembled(draft, None));
            let context = isolate(Component::Context, assemble);
            draft.context = draft.take(Answered::or_default(context));
        }
    }

    fn assembled(&self, draft: &TurnDraft, budget_tokens: Option<u32>) -> ReplyContext {
        let turn = Turning {
            message: &draft.turn.message,
            id: draft.id.as_ref(),
            emotion: &draft.emotion,
            recalled: &draft.recalled,
            notes: &draft.plan.notes,
        };
        let now = draft.turn.message.sent_at;
        self.contexts.assemble(turn, &draft.scene, now, budget_tokens)
    }

    fn store(
        self: Arc<Self>,
        drafts: Vec<TurnDraft>,
        writes: WriteGroup,
        reply: impl FnOnce(Vec<TurnOutcome>) + Send + 'static,
    ) {
        let submitted = self.clock.instant();
        let writer = self.writer.clone();
        writer.conclude(writes, move |stored| {
            let now = self.clock.instant();
            let outcome = |draft: TurnDraft| draft.conclude(&stored, submitted, now);
            let outcomes: Vec<TurnOutcome> = drafts.into_iter().map(outcome).collect();
            outcomes.iter().for_each(metrics::record_turn);
            outcomes.iter().for_each(|outcome| self.safety.notify(outcome));
            self.upkeep.schedule(outcomes.iter().map(TurnOutcome::owner));
            reply(outcomes);
        });
    }

    /// Runs a stage of the batch and notes its time in every draft.
    fn stage(
        &self,
        drafts: &mut [TurnDraft],
        timing: impl Fn(&mut StageTimings) -> &mut std::time::Duration,
        work: impl FnOnce(&Self, &mut [TurnDraft]),
    ) {
        let from = self.clock.instant();
        work(self, drafts);
        let took = self.clock.instant().saturating_duration_since(from);
        drafts
            .iter_mut()
            .for_each(|draft| *timing(&mut draft.timings) = took);
    }
}

impl TurnDraft {
    pub(crate) fn text(&self) -> &str {
        &self.turn.message.text
    }

    /// The answer's value; who did not give it is noted.
    pub(crate) fn take<T>(&mut self, answered: Answered<T>) -> T {
        self.degraded.extend(answered.degraded);
        answered.value
    }

    fn conclude(mut self, stored: &[Durability], submitted: Instant, now: Instant) -> TurnOutcome {
        let stored = match self.write {
            Ok(at) => stored.get(at).cloned().unwrap_or(Durability::Volatile),
            Err(durability) => durability,
        };
        if stored == Durability::Volatile && !self.degraded.iter().any(|d| d.component == Component::Store) {
            self.degraded.push(Degradation {
                component: Component::Store,
                reason: "the message waits in memory for the store".to_owned(),
                since: None,
            });
        }
        self.timings.store = now.saturating_duration_since(submitted);
        self.timings.total = now.saturating_duration_since(self.turn.accepted);
        TurnOutcome {
            turn: self.id.unwrap_or_else(|| MemoryId::from_number(0)),
            session: self.turn.message.session(),
            audience: self.turn.message.audience,
            sequence: self.turn.sequence,
            priority: self.turn.priority,
            emotion: self.emotion,
            recalled: self.recalled,
            facts: self.scene.facts,
            answers: self.scene.answers,
            plan: self.plan,
            context: self.context,
            redelivered: self.redelivered,
            stored,
            degraded: self.degraded,
            timings: self.timings,
        }
    }
}

/// Why a turn that was accepted is not stored.
pub(crate) const FORGOTTEN: &str = "the person was forgotten after the message was accepted";
