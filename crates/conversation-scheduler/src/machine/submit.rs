//! Turns on their way in, and out again before they are started.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use hashbrown::DefaultHashBuilder;
use whisperengine_types::{Priority, SessionKey};

use super::{
    Accepted, Output, Ready, SchedulerCore, Submission,
    admission::{AdmissionRequest, Place},
    nanos,
};
use crate::{
    Coalesce, Refused, Turn, TurnError, TurnId,
    sessions::hash_of,
    turns::{Chain, Links, QueuedTurn},
};

/// A turn on its way in, with what was found out about it before the lock was taken.
#[derive(Debug)]
pub(crate) struct Incoming<T, K> {
    hash: u32,
    /// Its session, if it has been looked up and there is one.
    known: Option<u32>,
    submission: Option<Submission<T, K>>,
}

impl<T, K> Incoming<T, K> {
    pub(crate) fn new(hasher: &DefaultHashBuilder, submission: Submission<T, K>) -> Self {
        Self {
            hash: hash_of(hasher, &submission.session),
            known: None,
            submission: Some(submission),
        }
    }

    #[inline]
    fn key(&self) -> Option<&SessionKey> {
        self.submission.as_ref().map(|submission| &submission.session)
    }
}

impl<T, K> SchedulerCore<T, K> {
    /// Takes in a turn at the end of its session, or refuses it.
    ///
    /// # Errors
    /// [`Refused`] says which limit it met and when to try again; nothing is kept.
    pub fn submit(&mut self, submission: Submission<T, K>, now: Instant) -> Result<Accepted, Refused> {
        self.take_in(&mut Incoming::new(self.hasher(), submission), Place::Free, now)
    }

    /// The same with a place held by [`reserve`](Self::reserve), which is used up whatever the answer.
    ///
    /// # Errors
    /// [`Refused`], but never [`QueueFull`](crate::RefusalReason::QueueFull).
    pub fn submit_reserved(
        &mut self,
        submission: Submission<T, K>,
        now: Instant,
    ) -> Result<Accepted, Refused> {
        self.release();
        self.take_in(
            &mut Incoming::new(self.hasher(), submission),
            Place::Reserved,
            now,
        )
    }

    /// Takes back a turn that has not been started; its payload and token come back with it.
    /// `None` when it is in flight or has its answer.
    pub fn cancel(&mut self, id: TurnId) -> Option<(Turn<T>, K)> {
        self.turns.get(id.index).filter(|turn| turn.serial == id.serial)?;
        let turn = self.remove_queued(id.index);
        self.counters.dropped[turn.class as usize].count(&TurnError::Cancelled);
        Some(self.turn_of(id.index, turn))
    }

    /// Finds the sessions of many turns before [`take_in`](Self::take_in) looks at each. In loops that do
    /// little else the processor fetches many records at a time.
    pub(crate) fn look_up(&self, turns: &mut [Incoming<T, K>]) {
        for turn in &mut *turns {
            turn.known = self.sessions.guess(turn.hash);
        }
        for turn in turns {
            let Some(index) = turn.known else { continue };
            if turn.key() != Some(self.sessions.key(index)) {
                turn.known = None;
            }
            black_box(self.sessions.get(index).last_message);
        }
    }

    fn find_session_of(&self, turn: &Incoming<T, K>) -> Option<u32> {
        self.sessions.find(turn.hash, turn.key()?)
    }

    /// [`submit`](Self::submit) with the key's hash made beforehand. Takes the submission out of its place
    /// only to keep it: a refused one is left to the caller, who can drop it outside a lock.
    #[inline]
    pub(crate) fn take_in(
        &mut self,
        turn: &mut Incoming<T, K>,
        place: Place,
        now: Instant,
    ) -> Result<Accepted, Refused> {
        let now = self.time(now);
        let known = turn.known.or_else(|| self.find_session_of(turn));
        let pending = turn.submission.as_ref().expect("callers pass a submission");
        let (options, key) = (pending.options, &pending.session);
        let class = options.priority.class();
        let coalesce = options.coalesce.unwrap_or(self.config.coalesce);
        let replaces = match (coalesce, known) {
            (Coalesce::Latest | Coalesce::Merge, Some(index)) => self.sessions.get(index).depth(),
            _ => 0,
        };
        let deadline = options.deadline.or(self.config.default_deadline);
        let estimated_wait = self.admit(AdmissionRequest {
            now,
            class,
            session: known,
            deadline,
            replaces,
            place,
        })?;
        let session = known.unwrap_or_else(|| self.begin_session(turn.hash, key, now));
        let submission = turn.submission.take().expect("it was there above");

        self.last_serial += 1;
        let serial = self.last_serial;
        let record = self.sessions.get_mut(session);
        record.sequence = record.sequence.wrapping_add(1);
        record.last_message = now;
        record.queued[class as usize] += 1;
        let sequence = record.sequence;
        let in_line = record.ready_token != 0;
        let deadline_at = deadline.map_or(u64::MAX, |span| now.saturating_add(nanos(span)));
        let index = self.turns.insert(QueuedTurn {
            serial,
            session,
            class,
            choice: options.priority,
            sequence,
            submitted: now,
            deadline: deadline_at,
            payload: submission.payload,
            earlier: Vec::new(),
            token: submission.token,
            links: Links::NONE,
        });
        self.turns.push_back(Chain::Session, &mut record.turns, index);
        self.turns
            .push_back(Chain::Class, &mut self.by_age[class as usize], index);
        self.depth[class as usize] += 1;
        self.counters.accepted[class as usize] += 1;
        if deadline.is_some() {
            self.deadlines.arm(index, deadline_at);
        }
        let mut burst = now;
        if replaces > 0 {
            // After the new turn is in: the session keeps its place in line.
            burst = self.displace(session, index, coalesce).unwrap_or(now);
        }
        let mut held = Duration::ZERO;
        if !in_line && !self.config.coalesce_window.is_zero() {
            held = self.hold(index, session, coalesce, burst, now);
        }
        self.make_ready(session, class);
        Ok(Accepted {
            id: TurnId { index, serial },
            sequence: u64::from(sequence),
            estimated_wait: estimated_wait + held,
        })
    }

    fn begin_session(&mut self, hash: u32, key: &SessionKey, now: u64) -> u32 {
        let index = self.sessions.insert(hash, key, now);
        self.idle
            .arm(index, now.saturating_add(nanos(self.config.idle_timeout)));
        index
    }

    /// Takes a session's waiting turns out for the later turn `by`, which gets their payloads if they are
    /// merged; when the burst of those that were held began.
    fn displace(&mut self, session: u32, by: u32, coalesce: Coalesce) -> Option<u64> {
        let mut earlier = Vec::new();
        let mut burst = None;
        loop {
            let index = self.sessions.get(session).turns.first;
            if index == by {
                break;
            }
            burst = burst.or_else(|| self.bursts.since(index));
            if coalesce == Coalesce::Latest {
                self.answer_queued(index, TurnError::Superseded);
                continue;
            }
            let turn = self.remove_queued(index);
            let error = TurnError::Merged;
            self.counters.dropped[turn.class as usize].count(&error);
            earlier.extend(turn.earlier);
            earlier.push(turn.payload);
            self.outputs.push_back(Output::Answered {
                id: TurnId {
                    index,
                    serial: turn.serial,
                },
                token: turn.token,
                error,
                turn: None,
            });
        }
        self.turns.set_earlier(by, earlier);
        burst
    }

    /// Puts a session with waiting turns in line, or moves it to a more urgent class.
    #[inline]
    pub(super) fn make_ready(&mut self, index: u32, class: Priority) {
        let session = self.sessions.get_mut(index);
        if session.in_flight || self.bursts.holds(session.turns.first) {
            return;
        }
        if session.ready_token != 0 {
            if session.ready_class <= class {
                return;
            }
            self.ready[session.ready_class as usize] -= 1;
        }
        self.last_token = self.last_token.checked_add(1).unwrap_or(1);
        session.ready_token = self.last_token;
        session.ready_class = class;
        self.ready[class as usize] += 1;
        let entry = Ready {
            session: index,
            token: self.last_token,
        };
        let served_already =
            session.served_class == Some(class) && session.served_round == self.queue.round(class);
        if served_already {
            self.queue.put_next_round(class, entry);
        } else {
            self.queue.put(class, entry);
        }
        self.drop_dead_entries();
    }

    /// Answers a waiting turn without starting it.
    pub(super) fn answer_queued(&mut self, index: u32, error: TurnError) {
        let removed = self.remove_queued(index);
        self.counters.dropped[removed.class as usize].count(&error);
        let (turn, token) = self.turn_of(index, removed);
        self.outputs.push_back(Output::Answered {
            id: turn.id,
            token,
            error,
            turn: Some(Box::new(turn)),
        });
    }

    /// Takes a waiting turn out of every list it is in.
    #[inline]
    pub(super) fn remove_queued(&mut self, index: u32) -> QueuedTurn<T, K> {
        let (session, class, deadline) = {
            let turn = self.turns.get(index).expect("callers pass a queued turn");
            (turn.session, turn.class, turn.deadline)
        };
        let record = self.sessions.get_mut(session);
        self.turns.unlink(Chain::Session, &mut record.turns, index);
        record.queued[class as usize] -= 1;
        if record.turns.is_empty() && record.ready_token != 0 {
            record.ready_token = 0;
            self.ready[record.ready_class as usize] -= 1;
        }
        self.turns
            .unlink(Chain::Class, &mut self.by_age[class as usize], index);
        self.depth[class as usize] -= 1;
        if deadline != u64::MAX {
            self.deadlines.disarm(index);
        }
        self.bursts.end(index);
        self.turns.remove(index)
    }

    /// The turn as the caller knows it, not started.
    fn turn_of(&self, index: u32, queued: QueuedTurn<T, K>) -> (Turn<T>, K) {
        let turn = Turn {
            id: TurnId {
                index,
                serial: queued.serial,
            },
            session: self.sessions.key(queued.session).clone(),
            sequence: u64::from(queued.sequence),
            class: queued.class,
            priority: queued.choice,
            waited: Duration::ZERO,
            attempt: 0,
            payload: queued.payload,
            earlier: queued.earlier,
        };
        (turn, queued.token)
    }

    /// Keeps the dead entries of the weighted queue to about the number of live ones.
    #[inline]
    fn drop_dead_entries(&mut self) {
        let live: usize = self.ready.iter().sum();
        if self.queue.len() > 2 * live + SLACK {
            let sessions = &self.sessions;
            self.queue.retain(|entry| {
                sessions
                    .find_live(entry.session)
                    .is_some_and(|session| session.ready_token == entry.token)
            });
        }
    }
}

const SLACK: usize = 1_024;

#[cfg(test)]
mod tests {
    use whisperengine_types::{BotId, ChannelId, Clock, ManualClock, Timestamp, UserId};

    use super::*;
    use crate::Config;

    /// Of each hash a guess may name another session; what a look-up says is what a search says.
    #[test]
    fn a_look_up_of_many_finds_what_is_found_one_by_one() {
        let now = ManualClock::new(Timestamp::from_millis(0)).instant();
        let key = |n: u64| SessionKey {
            bot: BotId::new("ember").expect("a plain word is an id"),
            user: UserId::from_number(n),
            channel: ChannelId::from_number(n % 7),
        };
        let mut core: SchedulerCore<u64> =
            SchedulerCore::new(Config::default(), now).expect("the defaults are valid");
        for n in 0..5_000 {
            core.submit(Submission::new(key(2 * n), n, ()), now)
                .expect("there is room");
        }
        let mut turns: Vec<_> = (0..10_000)
            .map(|n| Incoming::new(core.hasher(), Submission::new(key(n), n, ())))
            .collect();
        core.look_up(&mut turns);
        let wrong_guesses = turns
            .iter()
            .filter(|turn| turn.known.is_none() && core.sessions.guess(turn.hash).is_some());
        assert!(wrong_guesses.count() > 0, "else the test would show nothing");
        for (n, turn) in (0..).zip(&turns) {
            let found = core.find_session_of(turn);
            assert_eq!(found.is_some(), n % 2 == 0);
            assert!(turn.known.is_none() || turn.known == found);
            assert_eq!(turn.known.or_else(|| core.find_session_of(turn)), found);
        }
        let found = turns.iter().filter(|turn| turn.known.is_some()).count();
        assert!(found > 4_000, "{found} of 5,000 were found together");
    }
}
