//! The stage that changes the person's state: plan, id and write of a turn, under the owner's lock.

use std::{convert::Infallible, sync::Arc, time::Duration};

use whisperengine_profile::{FactChange, Statement};
use whisperengine_reply_context::DialogueWindow;
use whisperengine_types::{
    Audience, Component, ConversationError, Degradation, Durability, MemoryId, MemoryRecord, Message,
    OfferedMoment, SafetyLevel, Slot, Timestamp, TurnInput, TurnPlan, WriteOp,
};

use crate::{
    FACT,
    cell::{Loaded, OwnerCell},
    cells::{Cells, MOMENTS, ZONE, line_of},
    channels::{AUTHOR, Channels},
    fallback::{Answered, Gate, isolate},
    pipeline::TurnDraft,
    recall::audience_owner,
    turn::{Ids, Order, Role},
};

/// Plans turns.
#[derive(Debug)]
pub(crate) struct Planner {
    pub(crate) ids: Ids,
    pub(crate) gate: Arc<Gate>,
    pub(crate) channels: Arc<Channels>,
}

impl Planner {
    /// Plans a turn and submits its writes, or says in the draft why not. `submit` must not block.
    pub(crate) fn plan(
        &self,
        cells: &Cells,
        draft: &mut TurnDraft,
        now: Timestamp,
        mut submit: impl FnMut(WriteOp) -> Result<usize, Durability>,
    ) {
        let (cell, owner) = (Arc::clone(&draft.turn.cell), draft.turn.owner.clone());
        let mut locked = cell.lock();
        if cell.epoch() != draft.turn.epoch {
            draft.id = Some(self.ids.id(Order::at(now), &owner, Role::Person));
            return;
        }
        if Self::recognise(cells, draft, &mut locked, now) {
            return;
        }
        let opened = isolate(Component::Conversation, || {
            cells.load(&owner, &mut locked).map(drop)
        });
        let id = locked.issue(self.ids, &owner, now, Role::Person);
        draft.id = Some(id.clone());
        let planned = opened.and_then(|()| {
            Self::look_up(draft, &mut locked);
            let (plan, states) = self.plan_loaded(cells, draft, &mut locked)?;
            draft.states = states;
            leave_closed(draft, &locked);
            Ok(plan)
        });
        if planned.is_err() {
            // What was not planned now is replayed from the store when the conversation is opened next.
            locked.loaded = None;
            locked.unsaved = 0;
        }
        draft.plan = draft.take(Answered::or_default(planned));

        let record = Arc::new(Self::record(cells, draft, &mut locked));
        self.take_down(draft, &record, &mut locked);
        if let Audience::Group(group) = &draft.turn.message.audience {
            let message = &draft.turn.message;
            let mut heard = (*record).clone();
            heard.speaker = message.display_name.clone().or(heard.speaker);
            heard
                .metadata
                .insert(AUTHOR.to_owned(), message.user.as_str().into());
            // The person's own record is the one that is answered for.
            let _ = submit(WriteOp::Store {
                owner: audience_owner(&message.bot, group),
                record: Arc::new(heard),
            });
        }
        draft.write = submit(WriteOp::Store { owner, record });
        locked.changed(now);
        if let Some(deliveries) = &mut locked.deliveries {
            let message = &draft.turn.message;
            for platform in message.platform_id.iter().chain(&draft.turn.merged) {
                deliveries.note(&message.channel, platform, id.clone());
            }
        }
    }

    /// Gathers what the context of a turn needs, without a turn.
    pub(crate) fn look(&self, cells: &Cells, draft: &mut TurnDraft) -> Result<(), ConversationError> {
        let (cell, owner) = (Arc::clone(&draft.turn.cell), draft.turn.owner.clone());
        let mut locked = cell.lock();
        cells.load(&owner, &mut locked)?;
        Self::look_up(draft, &mut locked);
        leave_closed(draft, &locked);
        self.gather(draft, &mut locked, |_, _| ());
        Ok(())
    }

    /// Looks up what is known of the person: what holds, what ceased to hold of late, what answers the message, and
    /// which of the recalled memories say what no longer holds; those come last.
    fn look_up(draft: &mut TurnDraft, cell: &mut OwnerCell) {
        let message = &draft.turn.message;
        let Some(loaded) = &mut cell.loaded else { return };
        if message.zone.is_some() && message.zone != loaded.settings.zone {
            loaded.settings.zone.clone_from(&message.zone);
            draft.scene.moved_to.clone_from(&message.zone);
        }
        let (now, profile) = (message.sent_at, &loaded.profile);
        let mut facts = loaded.facts(now, &message.audience);
        let ended = profile.recently_ended(now, RECENTLY_ENDED).into_iter();
        facts.extend(
            ended
                .filter(|fact| fact.is_visible_to(&message.audience))
                .take(MAX_ENDED)
                .cloned(),
        );
        let question = Statement {
            zone: loaded.settings.zone.as_ref(),
            language: draft.emotion.language,
            audience: message.audience.clone(),
            ..Statement::new(MemoryId::from_number(0), &message.text, now)
        };
        draft.scene.answers = profile
            .answer(&question)
            .map_or_else(Vec::new, |answer| answer.facts);
        draft.scene.facts = facts;
        draft.scene.superseded = profile.superseded_sources(now);
        for hit in &mut draft.recalled.memories {
            hit.superseded = draft.scene.superseded.contains(&hit.memory.id);
        }
        draft.recalled.memories.sort_by_key(|hit| hit.superseded);
    }

    /// Enters the facts that the message states; which slot the first is of.
    fn learn(draft: &TurnDraft, loaded: &mut Loaded) -> Option<Slot> {
        let message = &draft.turn.message;
        let changes = loaded.profile.learn(&Statement {
            zone: loaded.settings.zone.as_ref(),
            language: draft.emotion.language,
            audience: message.audience.clone(),
            crisis: draft.emotion.safety.level == SafetyLevel::Crisis,
            ..Statement::new(
                draft.id.clone().expect("it was issued"),
                &message.text,
                message.sent_at,
            )
        });
        changes.iter().find_map(|change| match change {
            FactChange::Learned(fact) => Some(fact.slot),
            _ => None,
        })
    }

    /// Gathers what the context of a turn needs, and adds the message to its dialogue.
    fn take_down(&self, draft: &mut TurnDraft, record: &MemoryRecord, cell: &mut OwnerCell) {
        let mut line = line_of(record, false);
        self.gather(draft, cell, |window, message| {
            if message.audience.is_private() {
                window.push(line, None);
            } else {
                let name = message.display_name.as_deref().unwrap_or(message.user.as_str());
                line.name = Some(name.to_owned());
                window.push(line, Some(message.user.clone()));
            }
        });
    }

    /// Gathers zone, language and dialogue; `then` may add to the dialogue.
    fn gather(
        &self,
        draft: &mut TurnDraft,
        cell: &mut OwnerCell,
        then: impl FnOnce(&mut DialogueWindow, &Message),
    ) {
        let message = &draft.turn.message;
        let (scene, language) = (&mut draft.scene, draft.emotion.language);
        scene.zone.clone_from(&message.zone);
        scene.language = language;
        if let Some(loaded) = &mut cell.loaded {
            loaded.settings.language = language.or(loaded.settings.language);
            scene.language = loaded.settings.language;
            if scene.zone.is_none() {
                scene.zone.clone_from(&loaded.settings.zone);
            }
        }
        match (&message.audience, &mut cell.loaded) {
            (Audience::Private, None) => {}
            (Audience::Private, Some(loaded)) => {
                scene.take(loaded.dialogue(&message.channel));
                if !loaded.conversation.is_closed(&message.text) {
                    scene.leave_out(|text| loaded.conversation.is_closed(text));
                }
                then(loaded.dialogue(&message.channel), message);
            }
            (Audience::Group(group), _) => {
                let key = (message.bot.clone(), group.clone(), message.channel.clone());
                self.channels.with(&key, message.sent_at, |window| {
                    scene.take(window);
                    then(window, message);
                });
            }
        }
    }

    /// Whether the message was delivered before; then it is answered for what is stored of it.
    fn recognise(cells: &Cells, draft: &mut TurnDraft, cell: &mut OwnerCell, now: Timestamp) -> bool {
        let message = &draft.turn.message;
        let Some(platform) = &message.platform_id else {
            return false;
        };
        let known = isolate(Component::Store, || {
            cells.deliveries(&draft.turn.owner, cell, now)
        });
        match known {
            Ok(deliveries) => {
                let Some(turn) = deliveries.turn(&message.channel, platform) else {
                    return false;
                };
                draft.id = Some(turn.clone());
                draft.redelivered = true;
                draft.write = Err(Durability::Durable);
                true
            }
            Err(degraded) => {
                draft.degraded.push(degraded);
                false
            }
        }
    }

    fn plan_loaded(
        &self,
        cells: &Cells,
        draft: &TurnDraft,
        cell: &mut OwnerCell,
    ) -> Result<(TurnPlan, Option<Slot>), Degradation> {
        let Some(attempt) = self.gate.enter() else {
            return Err(self.gate.degradation());
        };
        let loaded = cell.loaded.as_mut().expect("the caller has loaded it");
        let message = &draft.turn.message;
        let learnt = isolate(Component::Profile, || {
            Ok::<_, Infallible>(Self::learn(draft, loaded))
        })?;
        let facts = loaded.facts(message.sent_at, &message.audience);
        let input = TurnInput {
            owner: &draft.turn.owner,
            channel: &message.channel,
            audience: &message.audience,
            message: draft.id.as_ref().expect("the caller has issued it"),
            text: &message.text,
            emotion: &draft.emotion,
            embedding: draft.embedding.as_ref(),
            recalled: &draft.recalled.memories,
            facts: &facts,
            sent_at: message.sent_at,
            replay: None,
        };
        let planned = isolate(Component::Conversation, || {
            loaded.conversation.plan_turn(&input).map(|plan| (plan, learnt))
        });
        match &planned {
            Ok(_) => attempt.succeeded(),
            Err(degraded) => attempt.failed(&degraded.reason),
        }
        loaded.session(&message.channel, message.sent_at, cells.session_gap());
        planned
    }

    /// The message as a memory: what moved the person, or tells of them, matters more. The store makes the
    /// embedding, because it leaves names out and cuts long texts.
    fn record(cells: &Cells, draft: &TurnDraft, cell: &mut OwnerCell) -> MemoryRecord {
        let message = &draft.turn.message;
        let id = draft.id.clone().expect("it was issued");
        let stated = if draft.states.is_some() { 0.7 } else { 0.0 };
        let stated = draft
            .plan
            .facts
            .first()
            .map_or(stated, |fact| fact.relevance.max(stated));
        let matters = stated.max(draft.emotion.intensity);
        let mut record = MemoryRecord::new(id, &*message.text, message.sent_at);
        record.speaker = Some(message.user.as_str().to_owned());
        record.session = cell
            .loaded
            .as_mut()
            .map(|loaded| loaded.session(&message.channel, message.sent_at, cells.session_gap()));
        record.channel = Some(message.channel.clone());
        record.importance = (0.35 + 0.5 * matters).clamp(0.0, 1.0);
        record.metadata.clone_from(&message.metadata);
        record.set_audience(&message.audience);
        if let Some(platform) = &message.platform_id {
            let key = MemoryRecord::PLATFORM_ID.to_owned();
            record.metadata.insert(key, platform.as_str().into());
        }
        if let Some(slot) = draft.states {
            record.metadata.insert(FACT.to_owned(), slot.name().into());
        }
        if let Some(zone) = draft.scene.moved_to.as_ref() {
            record.metadata.insert(ZONE.to_owned(), zone.as_str().into());
        }
        if !draft.plan.moments.is_empty() {
            let offered = draft.plan.moments.iter().map(|moment| OfferedMoment {
                id: moment.id.clone(),
                kind: moment.kind,
                quote: moment.quote.clone(),
            });
            let offered: Vec<OfferedMoment> = offered.collect();
            let json = serde_json::to_string(&offered).expect("names and texts are JSON");
            record.metadata.insert(MOMENTS.to_owned(), json.as_str().into());
        }
        record
    }
}

/// Takes out what touches a subject that the person does not want to be asked about, unless they raise it
/// themselves.
fn leave_closed(draft: &mut TurnDraft, cell: &OwnerCell) {
    let Some(loaded) = &cell.loaded else { return };
    let is_closed = |text: &str| loaded.conversation.is_closed(text);
    if is_closed(&draft.turn.message.text) {
        return;
    }
    draft.recalled.memories.retain(|hit| !is_closed(&hit.memory.text));
    draft
        .scene
        .facts
        .retain(|fact| !is_closed(&fact.value) && !is_closed(&fact.quote));
}

/// How long facts that ceased to hold are still given.
const RECENTLY_ENDED: Duration = Duration::from_secs(90 * 86_400);
/// Facts that ceased to hold of late, at most.
const MAX_ENDED: usize = 8;
