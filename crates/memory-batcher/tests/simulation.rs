//! Simulated time and a store that fails to order: what is promised holds in every history.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{collections::HashMap, time::Duration};

use common::{
    Model, delete, forget_all, owner, put_state, record, store, update,
    world::{Fault, World},
};
use proptest::prelude::*;
use whisperengine_memory_batcher::{BatcherError, Config};
use whisperengine_types::{MemoryOwner, WriteOp};

#[derive(Debug, Clone)]
enum Step {
    Submit(WriteOp),
    Replay,
    Wait(u64),
}

const OWNERS: [&str; 3] = ["ana", "ben", "cem"];

fn op() -> impl Strategy<Value = WriteOp> {
    let who = prop::sample::select(OWNERS.to_vec());
    (who, 0..6_u64, 0..3_usize, 0..12_u8).prop_map(|(who, n, text, kind)| {
        let (owner, text) = (owner(who), ["tea", "", "milk"][text]);
        match kind {
            0..=5 => store(&owner, record(n, text)),
            6..=7 => update(&owner, n, text),
            8..=9 => delete(&owner, n),
            10 => put_state(&owner, text.as_bytes()),
            _ => forget_all(&owner),
        }
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => op().prop_map(Step::Submit),
        1 => Just(Step::Replay),
        3 => (0..8_u64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..60)
}

fn faults(with_panics: bool) -> impl Strategy<Value = Vec<Fault>> {
    let panics = u32::from(with_panics);
    let fault = prop_oneof![
        4 => Just(Fault::None),
        2 => Just(Fault::Down),
        4 => any::<u64>().prop_map(Fault::Some),
        1 => Just(Fault::Silent),
        panics => Just(Fault::PanicBefore),
        panics => Just(Fault::PanicAfter),
    ];
    prop::collection::vec(fault, 0..40)
}

fn config(max_batch_items: usize, max_attempts: u32, parallel_commits: usize) -> Config {
    let mut config = Config::default();
    config.parallel_commits = parallel_commits;
    config.max_batch_items = max_batch_items;
    config.retry.max_attempts = max_attempts;
    config.dead_letter_items = 8;
    config
}

fn play(world: &mut World, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Submit(op) => {
                world.submit(op.clone());
            }
            Step::Replay => world.replay(),
            Step::Wait(ms) => world.advance(Duration::from_millis(*ms)),
        }
        acknowledged_is_stored(world);
        assert!(world.machine.dead_letter_count() <= 8);
    }
}

/// At any moment, so that it holds if the power fails now: a record whose store is acknowledged is there,
/// unless something else was submitted for it.
fn acknowledged_is_stored(world: &World) {
    for (&token, outcome) in &world.answers {
        let (Ok(_), Some(WriteOp::Store { owner, record })) = (outcome, &world.ops[token]) else {
            continue;
        };
        let id = record.id.clone();
        let touched = world.ops.iter().enumerate().any(|(other, op)| match op {
            Some(WriteOp::Store { owner: o, record: r }) => o == owner && r.id == id && r != record,
            Some(WriteOp::Update { owner: o, id: i, .. } | WriteOp::Delete { owner: o, id: i }) => {
                o == owner && *i == id && other != token
            }
            Some(WriteOp::ForgetAll { owner: o }) => o == owner,
            _ => false,
        });
        if !touched {
            let found = world.model.records.get(owner).and_then(|r| r.get(id.as_str()));
            assert_eq!(
                found.map(|r| r.text.as_str()),
                Some(record.text.as_str()),
                "{id} is lost"
            );
        }
    }
}

fn everyone_is_answered(world: &World) {
    for (token, op) in world.ops.iter().enumerate() {
        if op.is_some() {
            assert!(world.answers.contains_key(&token), "write {token} has no answer");
        }
    }
}

/// What was acknowledged, applied in the order of submission, is what the store holds.
fn order_is_kept(world: &World) {
    let mut expected = Model::default();
    for (token, op) in world.ops.iter().enumerate() {
        if let (Some(op), Some(Ok(_))) = (op, world.answers.get(&token)) {
            // An update may have found what a later store left; what it did to it the store has replaced.
            drop(expected.apply(op));
        }
    }
    for who in OWNERS {
        let who = owner(who);
        assert_eq!(expected.texts(&who), world.model.texts(&who));
        assert_eq!(expected.states.get(&who), world.model.states.get(&who));
    }
}

/// Writes of one owner are answered in the order of submission.
fn answers_come_in_order(world: &World) {
    let mut latest: HashMap<&MemoryOwner, usize> = HashMap::new();
    for &token in &world.answered {
        let op = world.ops[token].as_ref().unwrap();
        let before = latest.insert(op.owner(), token);
        assert!(
            before.is_none_or(|before| before < token),
            "{before:?} before {token}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(768))]

    #[test]
    fn no_fault_loses_or_reorders(
        steps in steps(),
        faults in faults(false),
        items in 1..12_usize,
        parallel in 1..4_usize,
        attempts in 1..6_u32,
        commit_ms in 0..5_u64,
    ) {
        let mut world = World::new(&config(items, attempts, parallel));
        world.faults = faults.into();
        world.commit_time = Duration::from_millis(commit_ms);
        play(&mut world, &steps);
        world.run();
        everyone_is_answered(&world);
        acknowledged_is_stored(&world);
        let replayed = world.replays.iter().any(|replay| replay.written + replay.failed > 0);
        if !replayed && !world.answers.values().any(|outcome| outcome.as_ref().is_err_and(is_silent)) {
            order_is_kept(&world);
        }
    }

    #[test]
    fn without_faults_answers_come_in_order(
        steps in steps(),
        items in 1..12_usize,
        parallel in 1..4_usize,
    ) {
        let mut world = World::new(&config(items, 4, parallel));
        play(&mut world, &steps);
        world.run();
        everyone_is_answered(&world);
        answers_come_in_order(&world);
        order_is_kept(&world);
    }

    #[test]
    fn a_panicking_store_leaves_nobody_waiting(
        steps in steps(),
        faults in faults(true),
        items in 1..12_usize,
        parallel in 1..4_usize,
    ) {
        let mut world = World::new(&config(items, 4, parallel));
        world.faults = faults.into();
        play(&mut world, &steps);
        world.run();
        everyone_is_answered(&world);
        acknowledged_is_stored(&world);
    }

    /// What was acknowledged last of a record stands, whatever is replayed after it.
    #[test]
    fn a_replay_undoes_nothing_that_was_acknowledged_later(
        steps in steps(),
        faults in faults(false),
        parallel in 1..4_usize,
        attempts in 1..3_u32,
    ) {
        let mut world = World::new(&config(4, attempts, parallel));
        let faults: Vec<Fault> = faults.into_iter().filter(|fault| *fault != Fault::Silent).collect();
        world.faults = faults.into();
        play(&mut world, &steps);
        world.run();
        world.faults.clear();
        world.advance(Duration::from_secs(5));
        // The first may be the probe that ends an outage.
        for _ in 0..2 {
            world.replay();
            world.run();
        }
        prop_assert_eq!(world.machine.dead_letter_count(), 0);
        for who in OWNERS.map(owner) {
            let of_state = |op: &&WriteOp| {
                matches!(op, WriteOp::PutState { owner, .. } | WriteOp::ForgetAll { owner } if *owner == who)
            };
            let last = (0..world.ops.len()).rev().find(|&token| world.ops[token].as_ref().is_some_and(|op| of_state(&op)));
            if let Some(token) = last
                && world.answers[&token].is_ok()
            {
                let expected = match &world.ops[token] {
                    Some(WriteOp::PutState { state, .. }) => Some(state),
                    _ => None,
                };
                prop_assert_eq!(world.model.states.get(&who), expected);
            }
        }
    }

    #[test]
    fn a_drain_accounts_for_everything(
        steps in steps(),
        faults in faults(true),
        items in 1..12_usize,
        parallel in 1..4_usize,
        deadline_ms in 0..30_u64,
    ) {
        let mut world = World::new(&config(items, 4, parallel));
        world.faults = faults.into();
        play(&mut world, &steps);
        world.drain(Duration::from_millis(deadline_ms));
        let late = world.submit(store(&owner("ana"), record(99, "too late")));
        world.advance(Duration::from_millis(deadline_ms));
        everyone_is_answered(&world);
        let closed = world.outcome(late);
        assert!(matches!(closed, Err(BatcherError::Closed)), "{closed:?}");
        let [report] = &world.reports[..] else { panic!("one report: {:?}", world.reports) };
        let known = report.written + report.failed;
        assert_eq!(report.pending, known + report.unwritten.len() + report.in_doubt.len());
        let count = |is: fn(&BatcherError) -> bool| {
            world.answers.values().filter(|answer| answer.as_ref().is_err_and(is)).count()
        };
        assert_eq!(count(|error| matches!(error, BatcherError::Unwritten)), report.unwritten.len());
        assert!(count(|error| matches!(error, BatcherError::InDoubt)) >= report.in_doubt.len());
        world.run();
        acknowledged_is_stored(&world);
        assert_eq!(world.reports.len(), 1);
    }
}

/// A store that gave no result may have applied an operation that was given up in the end.
fn is_silent(error: &BatcherError) -> bool {
    matches!(
        error,
        BatcherError::Failed { .. } | BatcherError::InDoubt | BatcherError::Full { .. }
    )
}
