//! What time and limits do to threads. Run after the turn; running it twice changes nothing more.

use whisperengine_types::{ThreadState, Timestamp};

use super::{MAX_BACKGROUND, MAX_CLOSED, MAX_OPEN, Thread, Threads};
use crate::{
    config::ThreadConfig,
    number::{HOUR, unit},
};

/// Terms that a thread keeps in the background, and when it is over.
const BACKGROUND_TERMS: usize = 5;
const CLOSED_TERMS: usize = 4;

impl Threads {
    /// Suspends, archives, moves to the background and forgets.
    pub(crate) fn age(&mut self, config: &ThreadConfig, now: Timestamp) {
        self.rest(config, now);
        self.limit(config);
        self.forget_closed();
    }

    /// Threads that came to be about the same become one: the current one, or the older of two.
    pub(crate) fn merge_alike(&mut self, config: &ThreadConfig) {
        let Some(keep) = self
            .current
            .and_then(|n| self.all.iter().position(|thread| thread.number == n))
        else {
            return;
        };
        let candidate = |thread: &Thread| {
            matches!(
                thread.state,
                ThreadState::Paused | ThreadState::Background | ThreadState::Suspended
            ) && thread.scope == self.all[keep].scope
                && thread.messages >= 2
                && self.all[keep].messages >= 2
                && thread.topic.terms.len() >= 3
                && thread.topic.likeness(&self.all[keep].topic) >= config.merge
        };
        let Some(other) = self.all.iter().position(candidate) else {
            return;
        };
        let merged = self.all[other].clone();
        let survivor = self.all[keep].number;
        let into = &mut self.all[keep];
        into.topic.merge(&merged.topic);
        into.messages = into.messages.saturating_add(merged.messages);
        into.created = into.created.min(merged.created);
        into.investment = into.investment.max(merged.investment);
        let gone = &mut self.all[other];
        gone.state = ThreadState::Merged;
        gone.merged_into = Some(survivor);
        gone.topic.shrink(CLOSED_TERMS);
        for item in &mut self.items {
            if item.thread == merged.number {
                item.thread = survivor;
            }
        }
    }

    fn rest(&mut self, config: &ThreadConfig, now: Timestamp) {
        for index in 0..self.all.len() {
            let thread = &mut self.all[index];
            let idle = now.since(thread.last_active);
            let closed = matches!(thread.state, ThreadState::Archived | ThreadState::Merged);
            if !closed && idle > HOUR * config.archive_after_hours {
                thread.state = ThreadState::Archived;
                thread.topic.shrink(CLOSED_TERMS);
                thread.related.clear();
            } else if thread.state == ThreadState::Paused
                && idle > HOUR * config.suspend_after_hours
                && self.items.iter().any(|item| item.thread == thread.number)
            {
                thread.state = ThreadState::Suspended;
                thread.topic.shrink(BACKGROUND_TERMS);
            }
        }
    }

    fn limit(&mut self, config: &ThreadConfig) {
        let (open, background) = (
            config.open.clamp(1, MAX_OPEN),
            config.background.min(MAX_BACKGROUND),
        );
        let weakest = |threads: &Self| {
            let paused = threads
                .all
                .iter()
                .enumerate()
                .filter(|(_, t)| t.state == ThreadState::Paused);
            paused
                .min_by(|(_, a), (_, b)| {
                    a.engagement
                        .total_cmp(&b.engagement)
                        .then(a.last_active.cmp(&b.last_active))
                })
                .map(|(index, _)| index)
        };
        while self.all.iter().filter(|thread| thread.is_open()).count() > open {
            let Some(index) = weakest(self) else { break };
            self.all[index].state = ThreadState::Background;
            self.all[index].topic.shrink(BACKGROUND_TERMS);
        }
        let waits =
            |thread: &Thread| matches!(thread.state, ThreadState::Background | ThreadState::Suspended);
        while self.all.iter().filter(|thread| waits(thread)).count() > background {
            let waiting = self.all.iter_mut().filter(|thread| waits(thread));
            let Some(oldest) = waiting.min_by_key(|thread| thread.last_active) else {
                break;
            };
            oldest.state = ThreadState::Archived;
            oldest.topic.shrink(CLOSED_TERMS);
            oldest.related.clear();
        }
    }

    fn forget_closed(&mut self) {
        while self.all.iter().filter(|thread| thread.is_closed()).count() > MAX_CLOSED {
            let current = self.current;
            let closed = self
                .all
                .iter()
                .enumerate()
                .filter(|(_, thread)| thread.is_closed());
            let oldest = closed
                .filter(|(_, thread)| Some(thread.number) != current)
                .min_by_key(|(_, thread)| (thread.state != ThreadState::Merged, thread.last_active))
                .map(|(index, _)| index);
            let Some(index) = oldest else { break };
            let gone = self.all.remove(index);
            self.items.retain(|item| item.thread != gone.number);
        }
    }

    /// Brings decoded values into their ranges and limits.
    pub(crate) fn repair(&mut self) {
        let limit = MAX_OPEN + MAX_BACKGROUND + MAX_CLOSED + 1;
        self.all.truncate(limit);
        for thread in &mut self.all {
            thread.topic.repair();
            thread.related.truncate(3);
            thread.engagement = unit(thread.engagement);
            thread.urgency = unit(thread.urgency);
            thread.time_sensitivity = unit(thread.time_sensitivity);
            thread.investment = unit(thread.investment);
            self.opened = self.opened.max(thread.number);
        }
        self.transitions.truncate(super::MAX_TRANSITIONS);
        self.repair_items();
        if self.current.is_some_and(|number| self.find(number).is_none()) {
            self.current = None;
        }
    }
}
