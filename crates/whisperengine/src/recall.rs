//! What a turn recalls: the person's own memories, those of the audience they speak to, and lore.
//!
//! Before an audience only what was said to that audience may be found; in private all of the person's own.

use std::sync::Arc;

use dashmap::DashMap;
use whisperengine_memory_batcher::CachedRecall;
use whisperengine_types::{
    Audience, AudienceId, BotId, Component, Degradation, MemoryOwner, MemoryRecall, MemoryStore, Recall,
    RecallQuery, SpaceId,
};

use crate::{
    cells::Cells,
    fallback::{Answered, Fallback, isolate},
    pipeline::TurnDraft,
};

/// Searches the memories that a turn may bring up.
#[derive(Debug)]
pub(crate) struct TurnRecall {
    pub(crate) port: Fallback<dyn MemoryRecall>,
    /// The answers behind the port.
    pub(crate) cache: CachedRecall,
    /// How many memories at most.
    pub(crate) limit: usize,
    /// Memories of a lower relevance are not recalled.
    pub(crate) min_relevance: f32,
    /// Shared spaces that every turn of the bot searches.
    pub(crate) lore: Vec<SpaceId>,
    pub(crate) store: Arc<dyn MemoryStore>,
    /// Whether a shared space holds anything.
    pub(crate) inhabited: DashMap<MemoryOwner, bool>,
}

impl TurnRecall {
    pub(crate) fn recall(&self, cells: &Cells, draft: &TurnDraft) -> Answered<Recall> {
        let message = &draft.turn.message;
        let mut query = RecallQuery::new(&*message.text, self.limit, message.sent_at);
        query.context = query_context(cells, draft);
        query.min_relevance = self.min_relevance;
        query.zone = zone(draft);
        let mut owners = vec![match &message.audience {
            Audience::Private => draft.turn.owner.clone(),
            Audience::Group(group) => audience_owner(&message.bot, group),
        }];
        let lore = self
            .lore
            .iter()
            .map(|space| MemoryOwner::shared(message.bot.clone(), space.clone()));
        owners.extend(lore.filter(|space| self.is_inhabited(space)));

        let mut all = Answered::by_primary(Recall::default());
        for owner in owners {
            let found = self.search(&owner, &query);
            all.degraded = all.degraded.or(found.degraded);
            merge(&mut all.value, found.value, self.limit);
        }
        all
    }

    /// Notes that a shared space was written to.
    pub(crate) fn note_written(&self, owner: &MemoryOwner) {
        if matches!(owner, MemoryOwner::Shared { .. }) {
            self.inhabited.insert(owner.clone(), true);
        }
    }

    /// Whether a shared space holds anything, as far as this engine and the store knew when it was first asked.
    fn is_inhabited(&self, space: &MemoryOwner) -> bool {
        if let Some(known) = self.inhabited.get(space) {
            return *known;
        }
        let Ok(page) = self.store.scan(space, None, 1) else {
            return false;
        };
        *self.inhabited.entry(space.clone()).or_insert(!page.is_empty())
    }

    /// The memories of `owner` that answer `query`, or none and why.
    fn search(&self, owner: &MemoryOwner, query: &RecallQuery) -> Answered<Recall> {
        let found = isolate(Component::Recall, || {
            self.port.call(
                |port| port.recall(owner, query),
                whisperengine_types::MemoryError::is_unavailable,
            )
        });
        match found {
            Ok(mut found) => {
                let partly = found.value.degraded.clone().map(|reason| Degradation {
                    component: Component::Recall,
                    reason,
                    since: None,
                });
                found.degraded = found.degraded.or(partly);
                found
            }
            Err(degraded) => Answered {
                value: Recall::default(),
                degraded: Some(degraded),
            },
        }
    }
}

/// Whose memories hold what was said to an audience.
pub(crate) fn audience_owner(bot: &BotId, group: &AudienceId) -> MemoryOwner {
    let space = format!("{AUDIENCE_SPACE}{group}");
    let space = SpaceId::new(&space).unwrap_or_else(|_| {
        // Longer than an id may be; its hash names it as well.
        let mut hasher = std::hash::DefaultHasher::new();
        std::hash::Hash::hash(group, &mut hasher);
        SpaceId::new(format!(
            "{AUDIENCE_SPACE}#{:016x}",
            std::hash::Hasher::finish(&hasher)
        ))
        .expect("letters and digits")
    });
    MemoryOwner::shared(bot.clone(), space)
}

/// What a short message borrows from what was said before it.
fn query_context(cells: &Cells, draft: &TurnDraft) -> Option<String> {
    let turn = &draft.turn;
    let mut cell = turn.cell.lock();
    if turn.cell.epoch() != turn.epoch {
        return None;
    }
    let loaded = cells.load(&turn.owner, &mut cell).ok()?;
    loaded.conversation.query_context(&turn.message.text)
}

fn zone(draft: &TurnDraft) -> Option<whisperengine_types::ZoneId> {
    let cell = draft.turn.cell.lock();
    let settings = cell.loaded.as_ref().map(|loaded| &loaded.settings);
    draft.turn.message.zone.clone().or_else(|| settings?.zone.clone())
}

/// Adds what was found elsewhere; the most relevant `limit` stay, best first.
fn merge(all: &mut Recall, found: Recall, limit: usize) {
    if all.memories.is_empty() {
        *all = Recall {
            degraded: all.degraded.take().or(found.degraded),
            ..found
        };
        return;
    }
    all.memories.extend(found.memories);
    all.memories.sort_by(|a, b| {
        b.relevance
            .total_cmp(&a.relevance)
            .then(b.score.total_cmp(&a.score))
    });
    all.memories.truncate(limit);
    all.degraded = all.degraded.take().or(found.degraded);
}

const AUDIENCE_SPACE: &str = "audience/";
