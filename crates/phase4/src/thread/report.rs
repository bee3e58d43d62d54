use whisperengine_types::{
    ThreadId, ThreadPhase, ThreadPlan, ThreadPriority, ThreadState, ThreadTransition, Timestamp,
    TransitionType, WaitingThread,
};

use super::{ItemKind, PauseReason, Routed, Scope, Thread, Threads};
use crate::{
    lexicon::{Lexicon, Theme},
    number::unit,
    text::{Word, clip},
};

/// A thread as it stands, for looking at.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadReport {
    /// The thread.
    pub id: ThreadId,
    /// Where it stands.
    pub state: ThreadState,
    /// How far it has come.
    pub phase: ThreadPhase,
    /// How much it matters.
    pub priority: ThreadPriority,
    /// Its strongest words, strongest first, at most five.
    pub topics: Vec<String>,
    /// What it is about, broadly.
    pub themes: Vec<Theme>,
    /// The person's messages in it.
    pub messages: u32,
    /// When it began.
    pub created: Timestamp,
    /// When it was last talked about.
    pub last_active: Timestamp,
    /// How engaged the person is in it, `0..=1`.
    pub engagement: f32,
    /// How much of itself the person put into it, `0..=1`.
    pub investment: f32,
    /// How near it is to its end, `0..=1`.
    pub completion: f32,
    /// How pressing the feeling in it is, `0..=1`.
    pub urgency: f32,
    /// How much it is about now, `0..=1`.
    pub time_sensitivity: f32,
    /// Why it rests, if it was paused.
    pub paused_because: Option<PauseReason>,
    /// Questions and commitments that are still open.
    pub open_items: Vec<String>,
    /// The thread it came out of, if any.
    pub parent: Option<ThreadId>,
    /// The thread that took it up, if it was merged.
    pub merged_into: Option<ThreadId>,
    /// Threads it has to do with.
    pub related: Vec<ThreadId>,
}

/// A change of thread that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct TransitionReport {
    /// The thread that was left; `None` at the very first message.
    pub from: Option<ThreadId>,
    /// The thread that was taken up.
    pub to: ThreadId,
    /// Why.
    pub kind: TransitionType,
    /// How surely the message changed the thread, `0..=1`.
    pub strength: f32,
    /// When.
    pub at: Timestamp,
    /// Whether the person's next message stayed in the new thread; `None` before it came.
    pub accepted: Option<bool>,
}

/// How a person changes the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwitchingHabit {
    /// In which way.
    pub kind: TransitionType,
    /// How often.
    pub times: u32,
    /// How often the next message stayed with the new thread.
    pub stayed: u32,
}

const KINDS: [TransitionType; 8] = [
    TransitionType::NaturalFlow,
    TransitionType::ExplicitSwitch,
    TransitionType::ReminderDriven,
    TransitionType::Interruption,
    TransitionType::EmotionalDriven,
    TransitionType::TimeDriven,
    TransitionType::PriorityDriven,
    TransitionType::CompletionDriven,
];

impl Threads {
    /// The latest changes of thread, latest first.
    pub(crate) fn transition_reports(&self, owner: u128) -> Vec<TransitionReport> {
        let id = |number| thread_id(owner, number);
        let latest = self.transitions.iter().rev();
        latest
            .map(|change| TransitionReport {
                from: change.from.map(id),
                to: id(change.to),
                kind: change.kind,
                strength: change.strength.value(),
                at: change.at,
                accepted: change.accepted,
            })
            .collect()
    }

    /// How the person changes the subject, most usual way first.
    pub(crate) fn switching_habits(&self) -> Vec<SwitchingHabit> {
        let mut habits: Vec<SwitchingHabit> = KINDS
            .into_iter()
            .map(|kind| (kind, self.habits[kind as usize]))
            .filter(|(_, (times, _))| *times > 0)
            .map(|(kind, (times, stayed))| SwitchingHabit { kind, times, stayed })
            .collect();
        habits.sort_by_key(|habit| std::cmp::Reverse(habit.times));
        habits
    }

    /// Every thread, latest first.
    pub(crate) fn reports(&self, owner: u128) -> Vec<ThreadReport> {
        let id = |number| thread_id(owner, number);
        let mut reports: Vec<_> = self
            .all
            .iter()
            .map(|thread| ThreadReport {
                id: id(thread.number),
                state: thread.state,
                phase: thread.phase(),
                priority: thread.priority,
                topics: thread.topics(5),
                themes: thread.topic.themes().iter().collect(),
                messages: thread.messages,
                created: thread.created,
                last_active: thread.last_active,
                engagement: thread.engagement,
                investment: thread.investment,
                completion: thread.completion(),
                urgency: thread.urgency,
                time_sensitivity: thread.time_sensitivity,
                paused_because: thread.pause,
                open_items: self.open_texts(thread.number, None, Scope::Private),
                parent: thread.parent.map(id),
                merged_into: thread.merged_into.map(id),
                related: thread.related.iter().copied().map(id).collect(),
            })
            .collect();
        reports.sort_by_key(|report| std::cmp::Reverse(report.last_active));
        reports
    }

    /// The plan's view of the thread that a message went to.
    pub(crate) fn plan(
        &self,
        lexicon: &Lexicon,
        owner: u128,
        routed: &Routed,
        here: Scope,
    ) -> Option<ThreadPlan> {
        let thread = self.find(routed.number)?;
        Some(ThreadPlan {
            id: thread_id(owner, thread.number),
            state: thread.state,
            phase: thread.phase(),
            priority: thread.priority,
            topics: thread.topics(5),
            messages: thread.messages,
            open_questions: self.open_texts(thread.number, Some(ItemKind::Question), here),
            commitments: self.open_texts(thread.number, Some(ItemKind::Commitment), here),
            transition: routed.change.map(|kind| ThreadTransition {
                from: routed.from.map(|number| thread_id(owner, number)),
                kind,
                strength: routed.strength,
                bridge: self.bridge(lexicon, routed, here).unwrap_or_default(),
            }),
            waiting: self.waiting(owner, here),
        })
    }

    fn open_texts(&self, number: u64, kind: Option<ItemKind>, here: Scope) -> Vec<String> {
        self.items(here)
            .filter(|item| item.thread == number && kind.is_none_or(|kind| item.kind == kind))
            .filter(|item| item.kind == ItemKind::Commitment || !item.is_fresh() || kind.is_none())
            .map(|item| item.text.clone())
            .collect()
    }

    /// The thread besides the current one that deserves attention most, if one does.
    fn waiting(&self, owner: u128, here: Scope) -> Option<WaitingThread> {
        let rests = |thread: &&Thread| {
            Some(thread.number) != self.current && !thread.is_closed() && thread.scope.visible_in(here)
        };
        let score = |thread: &Thread| {
            let owes = self.items(here).any(|item| item.thread == thread.number);
            unit(thread.score() + if owes { 0.2 } else { 0.0 })
        };
        let scored = self
            .all
            .iter()
            .filter(rests)
            .map(|thread| (thread, score(thread)));
        let (thread, score) = scored.max_by(|a, b| a.1.total_cmp(&b.1))?;
        let because = match self.items(here).find(|item| item.thread == thread.number) {
            Some(item) => clip(&item.text, 80),
            None if thread.urgency > 0.5 => "urgent when it was left".to_owned(),
            None => return None,
        };
        Some(WaitingThread {
            id: thread_id(owner, thread.number),
            topics: thread.topics(3),
            because,
            score,
        })
    }

    /// The strongest word of the current thread.
    pub(crate) fn current_word(&self, here: Scope) -> Option<(u32, Word)> {
        let current = self.current.and_then(|number| self.find(number))?;
        let thread = Some(current).filter(|thread| thread.scope.visible_in(here))?;
        thread.topic.strongest()
    }

    /// The strongest words of the current thread.
    pub(crate) fn current_topics(&self, limit: usize, here: Scope) -> Vec<String> {
        let current = self.current.and_then(|number| self.find(number));
        current
            .filter(|thread| thread.scope.visible_in(here))
            .map_or_else(Vec::new, |thread| thread.topics(limit))
    }

    /// Subjects of threads that rest, latest first.
    pub(crate) fn resting_topics(&self, here: Scope) -> Vec<String> {
        let mut resting: Vec<_> = self
            .all
            .iter()
            .filter(|thread| Some(thread.number) != self.current && thread.scope.visible_in(here))
            .filter(|thread| !matches!(thread.state, ThreadState::Merged | ThreadState::Resolved))
            .filter(|thread| thread.messages >= 2)
            .collect();
        resting.sort_by_key(|thread| std::cmp::Reverse(thread.last_active));
        resting
            .iter()
            .filter_map(|thread| thread.topics(1).pop())
            .collect()
    }

    pub(crate) fn number_of(&self, owner: u128, id: &ThreadId) -> Option<u64> {
        self.all
            .iter()
            .map(|thread| thread.number)
            .find(|&number| thread_id(owner, number) == *id)
    }
}

impl Thread {
    fn topics(&self, limit: usize) -> Vec<String> {
        self.topic
            .words(limit)
            .map(|word| word.as_str().to_owned())
            .collect()
    }
}

/// The owner's hash and the thread's number: two owners never share one, and no clock is in it.
fn thread_id(owner: u128, number: u64) -> ThreadId {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut id = String::with_capacity(40);
    for byte in owner.to_be_bytes() {
        id.push(char::from(DIGITS[usize::from(byte >> 4)]));
        id.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    id.push('-');
    id.push_str(&number.to_string());
    ThreadId::new(id).expect("a short text of digits")
}
