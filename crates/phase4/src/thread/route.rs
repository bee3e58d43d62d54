//! Which thread a message belongs to.

use std::time::Duration;

use whisperengine_types::{ThreadState, Timestamp, TransitionType};

use super::{
    PauseReason, Scope, Sketch, Thread, Threads, Transition,
    cue::{Announced, announced},
    topic::{Fit, bit},
};
use crate::{
    config::ThreadConfig,
    emotional::EmotionalContext,
    lexicon::Cue,
    number::{Byte, MINUTE, decay, push_bounded, unit},
    text::{MAX_TERMS, Utterance},
};

/// A message on its way to a thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn<'a> {
    pub(crate) config: &'a ThreadConfig,
    pub(crate) utterance: &'a Utterance<'a>,
    pub(crate) sketch: Option<&'a Sketch>,
    pub(crate) emotion: &'a EmotionalContext,
    pub(crate) scope: Scope,
    /// Time since the person's message before; `None` at the first.
    pub(crate) gap: Option<Duration>,
    pub(crate) session_gap: Duration,
    pub(crate) at: Timestamp,
}

/// Where a message went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Routed {
    pub(crate) number: u64,
    pub(crate) from: Option<u64>,
    /// What happened, when the thread changed.
    pub(crate) change: Option<TransitionType>,
    /// How surely it did, `0..=1`.
    pub(crate) strength: f32,
    /// Relevance of the message to the thread it went to.
    pub(crate) relevance: f32,
    /// Whether the thread existed before.
    pub(crate) resumed: bool,
}

/// What the message has in common with the candidates.
struct Candidates {
    current: Option<(usize, Fit)>,
    /// The best other thread and its relevance.
    best: Option<(usize, f32)>,
}

impl Threads {
    /// Takes a message to its thread: an old one, the current one or a new one.
    pub(crate) fn route(&mut self, turn: &Turn<'_>) -> Routed {
        let cues = announced(turn.utterance);
        let candidates = self.candidates(turn);
        let from = self.current;
        let target = self.target(turn, cues, &candidates);
        let announced_before = std::mem::take(&mut self.announced);
        let relevance = match target {
            Some(index) if candidates.current.is_some_and(|(at, _)| at == index) => {
                candidates.current.map_or(0.0, |(_, fit)| fit.relevance())
            }
            Some(_) => candidates.best.map_or(0.0, |(_, relevance)| relevance),
            None => 0.0,
        };
        let kept = candidates.current.map(|(index, _)| index);
        if target.is_some() && target == kept {
            // "Anyway." on its own announces a subject that is yet to come.
            self.announced = cues.strength() > 0.6 && content(turn.utterance) == 0;
            self.judge_last(from);
            let number = self.all[target.unwrap_or_default()].number;
            return Routed {
                number,
                from,
                change: None,
                strength: cues.strength(),
                relevance,
                resumed: false,
            };
        }
        let kind = self.kind(turn, cues, from);
        let away = 1.0 - candidates.current.map_or(1.0, |(_, fit)| fit.relevance());
        let said = if announced_before { 0.8 } else { cues.strength() };
        let strength = if from.is_some() {
            unit(said.max(away))
        } else {
            said
        };
        let (number, resumed) = match target {
            Some(index) => (self.all[index].number, true),
            None => (self.open(turn, from), false),
        };
        self.switch(from, number, kind, strength, turn.at);
        Routed {
            number,
            from,
            change: Some(kind),
            strength,
            relevance,
            resumed,
        }
    }

    /// The index of the thread to go to; `None` opens a new one.
    fn target(&self, turn: &Turn<'_>, cues: Announced, candidates: &Candidates) -> Option<usize> {
        let config = turn.config;
        let content = content(turn.utterance);
        let best = candidates.best.filter(|&(index, relevance)| {
            // What is over takes more to come back.
            let closed = self.all[index].is_closed();
            let needed = if closed {
                config.resume + 0.1
            } else {
                config.resume
            };
            relevance >= if cues.reminder > 0.0 { 0.6 * needed } else { needed }
        });
        let Some((current, fit)) = candidates.current else {
            return best.map(|(index, _)| index);
        };
        let relevance = fit.relevance();
        let switch = cues.switch > 0.0 || self.announced;
        if let Some((index, other)) = best
            && (cues.reminder > 0.0 || switch || other > relevance + self.continuity(turn) * 0.5)
            && other > relevance
        {
            return Some(index);
        }
        if switch && content >= 1 && relevance < config.resume {
            return None;
        }
        if self.is_left(turn, &self.all[current], fit) {
            None
        } else {
            Some(current)
        }
    }

    /// Whether a message has a subject of its own of which the current thread knows nothing.
    fn is_left(&self, turn: &Turn<'_>, current: &Thread, fit: Fit) -> bool {
        let config = turn.config;
        let content = content(turn.utterance);
        let relevance = fit.relevance();
        let rested = turn.gap.is_some_and(|gap| gap >= turn.session_gap);
        let refers_back = refers_back(turn.utterance);
        if current.is_closed() || current.state == ThreadState::Suspended {
            return content >= 1 && !refers_back && relevance < config.resume;
        }
        if rested {
            return content >= 1 && relevance < config.leave + 0.15 && !(refers_back && content < 3);
        }
        if relevance >= config.leave || refers_back || content == 0 {
            return false;
        }
        let (subjects, known) = (turn.utterance.themes.subjects(), current.topic.subjects());
        let other_subject = !subjects.is_empty() && subjects.shared(known).is_empty();
        let far = fit.dense.is_some_and(|dense| dense < 0.1);
        match fit.dense {
            Some(_) => far && (other_subject || content >= 4) && self.continuity(turn) < 0.9,
            None => other_subject || (content >= 3 && self.continuity(turn) < 0.2),
        }
    }

    /// How strongly the flow of the talk speaks for going on with it, `0..=1`.
    fn continuity(&self, turn: &Turn<'_>) -> f32 {
        let flow = turn.gap.map_or(0.0, |gap| 0.4 * decay(gap, 15 * MINUTE));
        let answer = if self.asked && turn.gap.is_some_and(|gap| gap < turn.session_gap) {
            0.3
        } else {
            0.0
        };
        let back = if refers_back(turn.utterance) { 0.3 } else { 0.0 };
        unit(flow + answer + back)
    }

    fn candidates(&self, turn: &Turn<'_>) -> Candidates {
        let terms = &turn.utterance.terms;
        let shared = self.shared_terms(turn);
        // A term that many threads hold tells them less apart.
        let mut holders = [0_u8; MAX_TERMS];
        for &(_, place, _) in &shared {
            holders[place] += 1;
        }
        let mut weights = [0.0_f32; MAX_TERMS];
        for (place, term) in terms.iter().enumerate().take(MAX_TERMS) {
            weights[place] = term.weight * 2.0 / (1.0 + f32::from(holders[place].max(1)));
        }
        let (total, subjects) = (
            weights[..terms.len()].iter().sum(),
            turn.utterance.themes.subjects(),
        );
        let mut candidates = Candidates {
            current: None,
            best: None,
        };
        let mut next = 0;
        for (index, thread) in self.all.iter().enumerate() {
            while shared.get(next).is_some_and(|(holder, ..)| *holder < index) {
                next += 1;
            }
            // Private talk does not go on in a thread that others have heard, nor the other way round.
            if thread.state == ThreadState::Merged || thread.scope != turn.scope {
                continue;
            }
            // Shared terms come in the order of the threads.
            let own = shared[next..].iter().take_while(|(holder, ..)| *holder == index);
            let from = next;
            next += own.count();
            let matched = shared[from..next]
                .iter()
                .map(|&(_, term, weight)| weights[term] * weight)
                .sum();
            let current = Some(thread.number) == self.current;
            if matched == 0.0 && !current {
                // A reference is made with words; nearness of embeddings alone takes nothing up again.
                continue;
            }
            let fit = thread.topic.fit(subjects, matched, total, turn.sketch);
            if current {
                candidates.current = Some((index, fit));
                continue;
            }
            let relevance = fit.relevance().max(0.8 * fit.lexical);
            if relevance > candidates.best.map_or(0.0, |(_, best)| best) {
                candidates.best = Some((index, relevance));
            }
        }
        candidates
    }

    /// Every term of the message in every thread: thread, place among the message's terms, weight there.
    fn shared_terms(&self, turn: &Turn<'_>) -> Vec<(usize, usize, f32)> {
        let terms = &turn.utterance.terms;
        let mask = terms.iter().fold(0, |mask, term| mask | bit(term.id));
        let mut shared = Vec::with_capacity(16);
        for (index, thread) in self.all.iter().enumerate() {
            for (id, weight) in thread.topic.held(mask) {
                if let Some(place) = terms.iter().position(|term| term.id == id) {
                    shared.push((index, place, weight));
                }
            }
        }
        shared
    }

    fn kind(&self, turn: &Turn<'_>, cues: Announced, from: Option<u64>) -> TransitionType {
        use TransitionType as T;
        let left = from.and_then(|number| self.find(number));
        let urgency = urgency(turn);
        if cues.reminder > 0.0 {
            T::ReminderDriven
        } else if cues.interruption > 0.0 {
            T::Interruption
        } else if cues.switch > 0.0 || self.announced {
            T::ExplicitSwitch
        } else if left.is_some_and(|thread| thread.state == ThreadState::Resolved) {
            T::CompletionDriven
        } else if turn.utterance.has(Cue::Urgent) {
            T::PriorityDriven
        } else if urgency > 0.55 && turn.emotion.is_unpleasant() {
            T::EmotionalDriven
        } else if turn.gap.is_some_and(|gap| gap >= turn.session_gap) {
            T::TimeDriven
        } else {
            T::NaturalFlow
        }
    }

    fn open(&mut self, turn: &Turn<'_>, from: Option<u64>) -> u64 {
        self.opened += 1;
        let number = self.opened;
        let parent = from.filter(|&from| {
            let subjects = turn.utterance.themes.subjects();
            self.find(from)
                .is_some_and(|thread| !thread.topic.subjects().shared(subjects).is_empty())
        });
        self.all.push(Thread {
            number,
            state: ThreadState::Active,
            priority: whisperengine_types::ThreadPriority::Medium,
            topic: super::Topic::default(),
            scope: turn.scope,
            messages: 0,
            created: turn.at,
            last_active: turn.at,
            engagement: 0.5,
            urgency: urgency(turn),
            time_sensitivity: 0.2,
            trust_at_start: Byte::new(turn.emotion.trust),
            depth_at_start: Byte::new(turn.emotion.depth),
            investment: 0.0,
            closing: false,
            pause: None,
            parent,
            merged_into: None,
            related: from.into_iter().filter(|_| parent.is_some()).collect(),
        });
        number
    }

    fn switch(&mut self, from: Option<u64>, to: u64, kind: TransitionType, strength: f32, at: Timestamp) {
        if let Some(left) = from.and_then(|number| self.find_mut(number))
            && left.state == ThreadState::Active
        {
            left.state = ThreadState::Paused;
            left.pause = Some(PauseReason::Switched);
        }
        self.judge_last(Some(to));
        if let Some(entered) = self.find_mut(to) {
            entered.state = ThreadState::Active;
            entered.pause = None;
            entered.closing = false;
        }
        self.current = Some(to);
        self.habits[kind as usize].0 = self.habits[kind as usize].0.saturating_add(1);
        let transition = Transition {
            from,
            to,
            kind,
            strength: Byte::new(strength),
            at,
            accepted: None,
        };
        push_bounded(&mut self.transitions, transition, super::MAX_TRANSITIONS);
    }

    /// The message after a change shows whether the person went along with it.
    fn judge_last(&mut self, now_in: Option<u64>) {
        if let Some(last) = self.transitions.last_mut()
            && last.accepted.is_none()
        {
            let stayed = Some(last.to) == now_in;
            last.accepted = Some(stayed);
            let habit = &mut self.habits[last.kind as usize];
            habit.1 = habit.1.saturating_add(u32::from(stayed));
        }
    }
}

/// Content words that are not everyday ones.
fn content(utterance: &Utterance<'_>) -> usize {
    utterance.terms.iter().filter(|term| term.weight >= 0.9).count()
}

/// Whether the message leans on what was said before: short answers, pronouns at its beginning.
fn refers_back(utterance: &Utterance<'_>) -> bool {
    let early = |cue| utterance.hits.iter().any(|hit| hit.cue == cue && hit.token < 2);
    early(Cue::Anaphora) || early(Cue::Continuation)
}

pub(super) fn urgency(turn: &Turn<'_>) -> f32 {
    let felt = if turn.emotion.is_unpleasant() {
        0.8 * turn.emotion.intensity
    } else {
        0.2
    };
    if turn.utterance.has(Cue::Urgent) {
        felt.max(0.8)
    } else {
        felt
    }
}
