//! What a message, a reply and a request do to a thread.

use whisperengine_types::{ThreadPriority, ThreadState, Timestamp};

use super::{
    ItemKind, PauseReason, Thread, Threads,
    route::{Routed, Turn, urgency},
};
use crate::{
    lexicon::{Cue, Theme},
    number::unit,
    text::Utterance,
};

impl Threads {
    /// Counts a message in the thread it was routed to.
    pub(crate) fn take_in(&mut self, routed: &Routed, turn: &Turn<'_>) {
        let (utterance, at) = (turn.utterance, turn.at);
        self.note_items(routed.number, utterance, turn.scope, at);
        self.asked = false;
        let open_items = self
            .items
            .iter()
            .any(|item| item.thread == routed.number && item.kind == ItemKind::Question);
        let urgency = urgency(turn);
        let Some(thread) = self.find_mut(routed.number) else {
            return;
        };
        thread.messages = thread.messages.saturating_add(1);
        thread.last_active = at;
        thread
            .topic
            .absorb(&utterance.terms, utterance.themes, turn.sketch);
        let first = thread.messages == 1;
        let mix = |old: f32, new: f32| if first { new } else { 0.7 * old + 0.3 * new };
        thread.engagement = unit(mix(thread.engagement, engagement(utterance)));
        thread.urgency = unit(mix(thread.urgency, urgency));
        let timely = if utterance.has(Cue::Timely) { 0.8 } else { 0.2 };
        thread.time_sensitivity = unit(mix(thread.time_sensitivity, timely));
        let effort = unit(utterance.words() as f32 / 40.0 + 0.2 * utterance.weight(Cue::Personal));
        thread.investment = unit(mix(thread.investment, effort));
        let closes = utterance.has(Cue::Closing);
        let solved = utterance.has(Cue::Solved) && !utterance.is_question();
        thread.closing |= closes || solved;
        let settled =
            closes || (thread.closing && !open_items && !utterance.is_question() && thread.messages > 1);
        if settled && thread.messages > 1 {
            thread.state = ThreadState::Resolved;
        } else if thread.is_closed() && turn.utterance.is_question() {
            thread.state = ThreadState::Active;
        }
        thread.priority = level(thread.score(), thread.priority, first);
    }

    /// Takes the bot's reply to the current thread in.
    pub(crate) fn take_reply(&mut self, reply: &Utterance<'_>) {
        self.answer_items(reply);
        self.asked = reply.is_question();
        if let Some(thread) = self.current.and_then(|number| self.find_mut(number)) {
            thread.topic.reinforce(&reply.terms, 0.4);
        }
    }

    /// Pauses a thread because somebody asked for it. `false` when there is no such open thread.
    pub(crate) fn pause(&mut self, number: u64) -> bool {
        let Some(thread) = self.find_mut(number).filter(|thread| thread.is_open()) else {
            return false;
        };
        thread.state = ThreadState::Paused;
        thread.pause = Some(PauseReason::Asked);
        if self.current == Some(number) {
            self.current = None;
        }
        true
    }

    /// Makes a thread the current one again. `false` when there is none or it was merged away.
    pub(crate) fn resume(&mut self, number: u64, at: Timestamp) -> bool {
        if self
            .find(number)
            .is_none_or(|thread| thread.state == ThreadState::Merged)
        {
            return false;
        }
        if let Some(left) = self
            .current
            .filter(|&left| left != number)
            .and_then(|left| self.find_mut(left))
            && left.state == ThreadState::Active
        {
            left.state = ThreadState::Paused;
            left.pause = Some(PauseReason::Switched);
        }
        if let Some(thread) = self.find_mut(number) {
            thread.state = ThreadState::Active;
            thread.pause = None;
            thread.last_active = at;
        }
        self.current = Some(number);
        true
    }
}

impl Thread {
    /// How much the thread matters now, `0..=1`.
    pub(super) fn score(&self) -> f32 {
        let weighty = [Theme::Relationships, Theme::Family, Theme::Health, Theme::Work];
        let count = weighty.iter().filter(|&&theme| self.topic.has(theme)).count();
        let importance = unit(0.2 * count as f32 + self.trust_at_start.value());
        unit(
            0.30 * self.urgency
                + 0.25 * self.time_sensitivity
                + 0.20 * self.engagement
                + 0.15 * importance
                + 0.10 * (1.0 - self.completion()),
        )
    }
}

fn engagement(utterance: &Utterance<'_>) -> f32 {
    let words = utterance.words();
    let length = if words > 20 {
        0.1
    } else if words < 5 {
        -0.1
    } else {
        0.0
    };
    unit(
        0.5 + 0.2 * utterance.count(Cue::Lively) as f32 + 0.1 * utterance.count(Cue::Willing) as f32
            - 0.1 * utterance.count(Cue::Flat) as f32
            + length,
    )
}

/// The level of a score; a level is left only when the score is clearly beyond its border.
fn level(score: f32, present: ThreadPriority, first: bool) -> ThreadPriority {
    use ThreadPriority as P;
    const BORDERS: [(f32, P); 4] = [
        (0.8, P::Critical),
        (0.6, P::High),
        (0.4, P::Medium),
        (0.2, P::Low),
    ];
    const SLACK: f32 = 0.03;
    let plain = |score: f32| {
        BORDERS
            .iter()
            .find(|(border, _)| score > *border)
            .map_or(P::Minimal, |(_, level)| *level)
    };
    let reached = plain(score);
    if first || plain(score - SLACK) == plain(score + SLACK) {
        reached
    } else {
        let near = [plain(score - SLACK), plain(score + SLACK)];
        if near.contains(&present) { present } else { reached }
    }
}
