//! Whatever happens: each session's turns leave in order, one at a time, and each turn leaves once.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Core, answered, key, ms, start};
use proptest::prelude::*;
use whisperengine_conversation_scheduler::{
    Coalesce, Config, Dispatch, OverloadPolicy, Submission, SubmitOptions, TurnError, TurnId,
};
use whisperengine_types::Priority;

#[derive(Debug, Clone)]
enum Step {
    Submit {
        session: usize,
        class: Priority,
        coalesce: Coalesce,
        deadline: Option<u64>,
    },
    Take,
    /// Gives back the n-th turn in flight.
    Complete(usize),
    /// Takes back the n-th turn ever accepted.
    Cancel(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let submit = (
        0..6usize,
        0..4usize,
        0..10u32,
        prop::option::weighted(0.2, 1..50u64),
    )
        .prop_map(|(session, class, coalesce, deadline)| Step::Submit {
            session,
            class: Priority::ALL[class],
            coalesce: match coalesce {
                8 => Coalesce::Latest,
                9 => Coalesce::Merge,
                _ => Coalesce::Queue,
            },
            deadline,
        });
    prop_oneof![
        6 => submit,
        3 => Just(Step::Take),
        4 => (0..8usize).prop_map(Step::Complete),
        1 => (0..64usize).prop_map(Step::Cancel),
        2 => (0..40u64).prop_map(Step::Wait),
    ]
}

/// What is known of the accepted turns from outside.
#[derive(Default)]
struct Ledger {
    session_of: BTreeMap<u64, usize>,
    ids: Vec<(u64, TurnId)>,
    answers: BTreeMap<u64, &'static str>,
    in_flight: Vec<Dispatch<u64, u64>>,
    last_started: BTreeMap<usize, u64>,
}

impl Ledger {
    fn answer(&mut self, turn: u64, how: &'static str) {
        let before = self.answers.insert(turn, how);
        assert_eq!(before, None, "turn {turn} answered again: {how}");
    }

    fn drain(&mut self, core: &mut Core) {
        for (token, error) in answered(core) {
            self.answer(
                token,
                match error {
                    TurnError::DeadlinePassed => "deadline",
                    TurnError::Shed => "shed",
                    TurnError::Superseded => "superseded",
                    TurnError::Merged => "merged",
                    TurnError::HandedBack => "handed back",
                    _ => "other",
                },
            );
        }
    }

    fn start(&mut self, dispatch: Dispatch<u64, u64>) {
        let turn = dispatch.turn.payload;
        let session = self.session_of[&turn];
        assert_eq!(dispatch.token, turn);
        assert!(
            !self.answers.contains_key(&turn),
            "turn {turn} started after its answer"
        );
        assert!(
            !self
                .in_flight
                .iter()
                .any(|other| self.session_of[&other.token] == session),
            "two turns of session {session} in flight"
        );
        let last = self.last_started.insert(session, turn);
        assert!(last < Some(turn), "session {session}: {turn} after {last:?}");
        self.in_flight.push(dispatch);
    }

    fn complete(&mut self, core: &mut Core, at: usize, now: std::time::Instant) {
        let dispatch = self.in_flight.remove(at);
        self.answer(dispatch.token, "served");
        core.complete_batch([dispatch.lease], 1, ms(1), now);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn order_is_kept_and_every_accepted_turn_is_answered_once(
        steps in prop::collection::vec(step(), 1..150),
        shed in any::<bool>(),
        max_queued in 3..40usize,
    ) {
        let mut config = Config::default();
        config.max_queued = max_queued;
        config.max_queued_per_session = 8;
        config.overload = if shed { OverloadPolicy::Shed } else { OverloadPolicy::Refuse };
        let mut now = start();
        let mut core = Core::new(config, now).unwrap();
        let mut ledger = Ledger::default();
        let mut next = 0u64;
        for step in steps {
            match step {
                Step::Submit { session, class, coalesce, deadline } => {
                    next += 1;
                    let mut options = SubmitOptions::new(class).coalesce(coalesce);
                    options.deadline = deadline.map(ms);
                    let submission = Submission::new(key(session), next, next).with(options);
                    if let Ok(accepted) = core.submit(submission, now) {
                        ledger.session_of.insert(next, session);
                        ledger.ids.push((next, accepted.id));
                    }
                }
                Step::Take => {
                    let mut batch = Vec::new();
                    core.next_batch(&mut batch, now);
                    for dispatch in batch {
                        ledger.start(dispatch);
                    }
                }
                Step::Complete(at) => {
                    if at < ledger.in_flight.len() {
                        ledger.complete(&mut core, at, now);
                    }
                }
                Step::Cancel(at) => {
                    if let Some(&(turn, id)) = ledger.ids.get(at)
                        && let Some((back, token)) = core.cancel(id)
                    {
                        prop_assert_eq!((back.payload, token), (turn, turn));
                        ledger.answer(turn, "cancelled");
                    }
                }
                Step::Wait(by) => {
                    now += ms(by);
                    core.handle_timeout(now);
                }
            }
            ledger.drain(&mut core);
        }
        // Serve the rest: nothing may be left over.
        while core.queued() + core.in_flight() > 0 {
            while !ledger.in_flight.is_empty() {
                ledger.complete(&mut core, 0, now);
            }
            let mut batch = Vec::new();
            core.next_batch(&mut batch, now);
            batch.into_iter().for_each(|dispatch| ledger.start(dispatch));
            ledger.drain(&mut core);
        }
        let accepted: BTreeSet<u64> = ledger.session_of.keys().copied().collect();
        let answered: BTreeSet<u64> = ledger.answers.keys().copied().collect();
        prop_assert_eq!(accepted, answered);
    }
}
