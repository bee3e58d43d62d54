//! Simulated time and a store that fails to order: what is promised holds in every history.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{collections::HashMap, time::Duration};

use common::{
    Model, delete, forget_all, owner, put_state, record, store, update,
    world::{Fault, World},
};
use proptest::prelude::*;
use whisperengine_memory_batcher::{BatcherError, Config, Write};
use whisperengine_types::{MemoryOwner, Priority, WriteOp};

#[derive(Debug, Clone)]
enum Step {
    Submit(Write),
    Await(MemoryOwner, u64),
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

fn write() -> impl Strategy<Value = Write> {
    let priority = prop::sample::select(Priority::ALL.to_vec());
    let timeout = prop_oneof![4 => Just(None), 1 => (1..40_u64).prop_map(Some)];
    (op(), priority, timeout).prop_map(|(op, priority, timeout)| {
        let mut write = Write::new(op).priority(priority);
        write.timeout = timeout.map(Duration::from_millis);
        write
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => write().prop_map(Step::Submit),
        1 => (prop::sample::select(OWNERS.to_vec()), 1..30_u64).prop_map(|(who, ms)| Step::Await(owner(who), ms)),
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
    config.parallel_items = 1;
    config.max_batch_items = max_batch_items;
    config.retry.max_attempts = max_attempts;
    config
}

fn play(world: &mut World, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Submit(write) => {
                world.submit(write.clone());
            }
            Step::Await(owner, ms) => {
                world.wait_for(owner, Duration::from_millis(*ms));
            }
            Step::Wait(ms) => world.advance(Duration::from_millis(*ms)),
        }
        acknowledged_is_stored(world);
    }
}

/// At any moment, so that it holds if the power fails now: a record whose store is acknowledged is there,
/// unless something else was handed in for it since.
fn acknowledged_is_stored(world: &World) {
    for (&token, outcome) in &world.answers {
        let (Ok(written), Some(WriteOp::Store { owner, record })) = (outcome, &world.ops[token]) else {
            continue;
        };
        let id = written.id.clone().unwrap();
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

/// What was acknowledged, applied in the order it was handed in, is what the store holds.
fn order_is_kept(world: &World) {
    let mut expected = Model::default();
    for (token, op) in world.ops.iter().enumerate() {
        if let (Some(op), Some(Ok(written))) = (op, world.answers.get(&token))
            && !written.duplicate
        {
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

/// Writes of one owner without a deadline are answered in the order they were handed in.
fn answers_come_in_order(world: &World) {
    let mut latest: HashMap<&MemoryOwner, usize> = HashMap::new();
    for &token in &world.answered {
        let op = world.ops[token].as_ref().unwrap();
        let is_repeat = world.answers[&token]
            .as_ref()
            .is_ok_and(|written| written.duplicate);
        if !is_repeat {
            let before = latest.insert(op.owner(), token);
            assert!(
                before.is_none_or(|before| before < token),
                "{before:?} before {token}"
            );
        }
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
        if !world.ops.iter().zip(0..).any(|(_, t)| matches!(world.answers.get(&t), Some(Err(e)) if silent(e))) {
            order_is_kept(&world);
        }
    }

    #[test]
    fn without_deadlines_answers_come_in_order(
        mut steps in steps(),
        faults in faults(false),
        items in 1..12_usize,
        parallel in 1..4_usize,
    ) {
        for step in &mut steps {
            if let Step::Submit(write) = step {
                write.timeout = None;
                write.dedup = whisperengine_memory_batcher::Dedup::Off;
            }
        }
        let mut world = World::new(&config(items, 4, parallel));
        world.faults = faults.into();
        play(&mut world, &steps);
        world.run();
        everyone_is_answered(&world);
        answers_come_in_order(&world);
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

    #[test]
    fn a_write_that_goes_ahead_of_the_queues_fares_as_in_them(
        steps in steps(),
        faults in faults(true),
        items in 1..12_usize,
        parallel in 1..4_usize,
        commit_ms in 0..5_u64,
    ) {
        let mut worlds = [false, true].map(|in_one_call| {
            let mut world = World::new(&config(items, 3, parallel));
            world.in_one_call = in_one_call;
            world.faults = faults.clone().into();
            world.commit_time = Duration::from_millis(commit_ms);
            world
        });
        worlds[1].now = worlds[0].now;
        let [queued, ahead] = worlds.each_mut().map(|world| {
            play(world, &steps);
            let before_the_end = world.machine.stats();
            world.run();
            format!(
                "{:?} {:?} {:?} {:?} {:?} {:?}",
                world.answers, world.answered, world.settled, world.batches, before_the_end, world.machine.stats(),
            )
        });
        prop_assert_eq!(queued, ahead);
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
        let known = report.written + report.failed + report.expired;
        assert_eq!(report.pending, known + report.unwritten.len() + report.in_doubt.len());
        let unwritten = world.answers.values().filter(|a| matches!(a, Err(BatcherError::Unwritten))).count();
        let in_doubt = world.answers.values().filter(|a| matches!(a, Err(BatcherError::InDoubt))).count();
        assert!(unwritten >= report.unwritten.len() && in_doubt >= report.in_doubt.len());
        world.run();
        acknowledged_is_stored(&world);
        assert_eq!(world.reports.len(), 1);
    }

    #[test]
    fn one_content_has_one_id(
        stores in prop::collection::vec((0..2_usize, 0..3_u64, 0..4_u64), 1..80),
        faults in faults(false),
        items in 1..12_usize,
        parallel in 1..4_usize,
    ) {
        let mut world = World::new(&config(items, 3, parallel));
        world.faults = faults.into();
        for (n, (who, said_at, pause)) in stores.into_iter().enumerate() {
            let mut record = record(said_at, "the same words");
            record.id = common::id(1000 + n as u64);
            world.submit(store(&owner(OWNERS[who]), record));
            world.advance(Duration::from_millis(pause));
        }
        world.run();
        for who in OWNERS {
            let records = world.model.records.get(&owner(who));
            let mut ids: HashMap<_, Vec<&str>> = HashMap::new();
            for record in records.into_iter().flat_map(|r| r.values()) {
                ids.entry(record.sent_at).or_default().push(record.id.as_str());
            }
            let gave_up = world.answers.values().any(Result::is_err);
            assert!(gave_up || ids.values().all(|ids| ids.len() == 1), "{ids:?}");
        }
        for (&token, outcome) in &world.answers {
            let Some(WriteOp::Store { owner, .. }) = &world.ops[token] else { unreachable!() };
            if let Ok(written) = outcome {
                let id = written.id.as_ref().unwrap();
                assert!(world.model.records[owner].contains_key(id.as_str()), "a made-up id: {id}");
            }
        }
    }
}

/// A store that gave no result may have applied an operation that was given up in the end.
fn silent(error: &BatcherError) -> bool {
    matches!(
        error,
        BatcherError::Failed { .. } | BatcherError::DeadlineExceeded | BatcherError::InDoubt
    )
}
