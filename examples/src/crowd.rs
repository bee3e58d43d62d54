//! Everybody who writes, on one thread: it hands messages over when they are due, and sleeps until the next
//! is due or an answer is there. A task for each person would cost the processors that are measured as much
//! as a stage of the engine does.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    future::Future,
    io::Write,
    ops::RangeInclusive,
    pin::Pin,
    sync::{Arc, PoisonError},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
    vec,
};

use futures_util::stream::{FuturesUnordered, StreamExt};
use indicatif::ProgressBar;
use whisperengine::{Durability, Error, Message, Ticket, TurnOutcome, WhisperEngine};

use crate::{
    drive::{AckLog, Arrivals, Completion, Run, Session, disorder},
    measure,
};

#[derive(Debug)]
pub(crate) struct Crowd {
    engine: WhisperEngine,
    bar: ProgressBar,
    acks: Option<AckLog>,
    start: Instant,
    /// Messages of one person that may be under way in a closed loop; 0 in an open one, where they come when they
    /// are due.
    in_flight: usize,
    people: Vec<Person>,
    answers: FuturesUnordered<UnderWay>,
    /// Who was refused for now, by when they may send again.
    resting: BinaryHeap<Reverse<(Instant, usize)>>,
    run: Run,
}

#[derive(Debug)]
struct Person {
    to_say: vec::IntoIter<Message>,
    /// Due and not accepted, first come first, with when each was due.
    due: VecDeque<(Instant, Message)>,
    is_resting: bool,
    under_way: usize,
    answered: Vec<Completion>,
}

/// A turn that was accepted.
#[derive(Debug)]
struct UnderWay {
    /// `None` once it was answered.
    turn: Option<Submitted>,
    ticket: Ticket,
}

#[derive(Debug)]
struct Submitted {
    person: usize,
    due: Instant,
    /// The engine had the message at some time of this range.
    at: RangeInclusive<Instant>,
    message: Message,
}

impl Crowd {
    pub(crate) fn new(
        engine: WhisperEngine,
        sessions: Vec<Session>,
        bar: ProgressBar,
        acks: Option<AckLog>,
    ) -> Self {
        let total = sessions.iter().map(Vec::len).sum();
        let people = sessions.into_iter().map(|session| Person {
            to_say: session.into_iter(),
            due: VecDeque::new(),
            is_resting: false,
            under_way: 0,
            answered: Vec::new(),
        });
        Self {
            engine,
            bar,
            acks,
            start: measure::now(),
            in_flight: 0,
            people: people.collect(),
            answers: FuturesUnordered::new(),
            resting: BinaryHeap::new(),
            run: Run {
                acknowledged: Vec::with_capacity(total),
                ..Run::default()
            },
        }
    }

    pub(crate) fn play(mut self, arrivals: Arrivals) -> Run {
        let (start, cpu) = (self.start, measure::process_cpu());
        let waker = Waker::from(Arc::new(Alarm(thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut pace = match arrivals {
            Arrivals::Open { per_second } => Pace::new(start, per_second, self.people.len()),
            Arrivals::Closed { in_flight } => {
                self.in_flight = in_flight.max(1);
                (0..self.people.len()).for_each(|person| self.keep_busy(person));
                Pace::none(start)
            }
        };
        loop {
            let now = measure::now();
            while let Some((due, person)) = pace.next(now) {
                if let Some(message) = self.people[person].to_say.next() {
                    self.people[person].due.push_back((due, message));
                    self.send(person);
                    pace.again(person);
                }
            }
            self.wake_rested(now);
            if let Poll::Ready(Some((turn, result))) = self.answers.poll_next_unpin(&mut context) {
                let person = turn.person;
                self.people[person].under_way -= 1;
                self.answered(turn, &result);
                self.keep_busy(person);
                continue;
            }
            let rested = self.resting.peek().map(|&Reverse((at, _))| at);
            match pace.due().into_iter().chain(rested).min() {
                Some(next) => thread::park_timeout(next.saturating_duration_since(measure::now())),
                None if self.answers.is_empty() => break,
                None => thread::park(),
            }
        }
        self.run.wall = start.elapsed();
        self.run.cpu = measure::process_cpu().saturating_sub(cpu);
        for person in &mut self.people {
            self.run.out_of_order += disorder(&mut person.answered);
        }
        self.run
    }

    /// Has a person say what comes next while fewer than `in_flight` of their messages are under way.
    fn keep_busy(&mut self, person: usize) {
        loop {
            let speaker = &mut self.people[person];
            let before = speaker.due.len();
            while speaker.under_way + speaker.due.len() < self.in_flight
                && let Some(message) = speaker.to_say.next()
            {
                speaker.due.push_back((measure::now(), message));
            }
            if speaker.due.len() == before {
                break;
            }
            // What is refused for good leaves room for the next.
            self.send(person);
        }
    }

    /// Submits what is due. What is refused for now is sent again later, and the next message of the session
    /// waits for it, as order demands.
    fn send(&mut self, person: usize) {
        let speaker = &mut self.people[person];
        if speaker.is_resting {
            return;
        }
        while let Some((due, message)) = speaker.due.pop_front() {
            let from = measure::now();
            let submitted = self.engine.submit(message.clone());
            let now = measure::now();
            let turn = Submitted {
                person,
                due,
                at: from..=now,
                message,
            };
            match submitted {
                Ok(ticket) => {
                    speaker.under_way += 1;
                    let turn = Some(turn);
                    self.answers.push(UnderWay { turn, ticket });
                }
                Err(Error::Busy { retry_after, .. }) => {
                    *self.run.refused.entry("busy, sent again").or_default() += 1;
                    speaker.due.push_front((turn.due, turn.message));
                    speaker.is_resting = true;
                    self.resting.push(Reverse((now + retry_after, person)));
                    return;
                }
                Err(refused) => {
                    self.bar.inc(1);
                    self.run.add(due - self.start, due.elapsed(), &Err(refused));
                }
            }
        }
    }

    fn wake_rested(&mut self, now: Instant) {
        while let Some(&Reverse((at, person))) = self.resting.peek()
            && at <= now
        {
            self.resting.pop();
            self.people[person].is_resting = false;
            self.send(person);
            self.keep_busy(person);
        }
    }

    fn answered(&mut self, turn: Submitted, result: &Result<TurnOutcome, Error>) {
        let latency = turn.due.elapsed();
        if let Ok(outcome) = result {
            let total = outcome.timings.total;
            self.people[turn.person].answered.push(Completion {
                sequence: outcome.sequence,
                between: *turn.at.start() + total..=*turn.at.end() + total,
            });
            if outcome.stored == Durability::Durable {
                let message = turn.message;
                if let Some(acks) = &self.acks {
                    let line = serde_json::json!([outcome.session.user, outcome.turn, message.text]);
                    let mut acks = acks.lock().unwrap_or_else(PoisonError::into_inner);
                    writeln!(acks, "{line}").expect("the list of acknowledged turns can be written");
                }
                let acknowledged = (message.owner(), outcome.turn.clone(), message.text);
                self.run.acknowledged.push(acknowledged);
            }
        }
        self.bar.inc(1);
        self.run.add(turn.due - self.start, latency, result);
    }
}

impl Future for UnderWay {
    type Output = (Submitted, Result<TurnOutcome, Error>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let result = std::task::ready!(Pin::new(&mut self.ticket).poll(context));
        let turn = self.turn.take().expect("an answer comes once");
        Poll::Ready((turn, result))
    }
}

/// When whose next message is due: so many a second, from the people in turn.
#[derive(Debug)]
struct Pace {
    start: Instant,
    per_second: f64,
    place: u32,
    people: VecDeque<usize>,
}

impl Pace {
    fn new(start: Instant, per_second: f64, people: usize) -> Self {
        Self {
            start,
            per_second,
            place: 0,
            people: (0..people).collect(),
        }
    }

    fn none(start: Instant) -> Self {
        Self::new(start, 1.0, 0)
    }

    fn due(&self) -> Option<Instant> {
        let after = Duration::from_secs_f64(f64::from(self.place) / self.per_second);
        (!self.people.is_empty()).then(|| self.start + after)
    }

    /// Who is to speak by `now`, and since when. Whoever has more to say comes [`again`](Self::again).
    fn next(&mut self, now: Instant) -> Option<(Instant, usize)> {
        let due = self.due().filter(|&due| due <= now + SHORTEST_WAIT)?;
        self.place += 1;
        Some((due, self.people.pop_front()?))
    }

    fn again(&mut self, person: usize) {
        self.people.push_back(person);
    }
}

struct Alarm(Thread);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// Messages that are due sooner than this are handed over together.
const SHORTEST_WAIT: Duration = Duration::from_micros(200);
