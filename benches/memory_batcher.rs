//! `cargo bench -p whisperengine-benches --bench memory_batcher` — what the batcher costs per operation.
//!
//! `machine`: its decisions alone, no thread. `pipeline`: batches submitted together, on a store that takes
//! no time. `tasks`: 64 concurrent writers, each waiting for its own store, on the same. `durable`: batches
//! on the embedded store with fsync, through the batcher and directly.
#![allow(missing_docs, reason = "criterion's macros")]

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use whisperengine_memory_batcher::{Config, Input, Machine, MemoryBatcher, Output, estimated_bytes};
use whisperengine_types::{
    BotId, Clock, Committed, MemoryError, MemoryId, MemoryOwner, MemoryRecord, MemoryStore, MemoryStoreLayer,
    NoMemory, SystemClock, Timestamp, UserId, WriteOp, ZeroEmbedder,
};
use whisperengine_vector_memory::{VectorMemory, VectorMemoryConfig};

#[derive(Debug)]
struct NoLatency;

impl MemoryStoreLayer for NoLatency {
    fn inner(&self) -> &dyn MemoryStore {
        &NoMemory
    }

    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        ops.iter().map(|_| Ok(Committed { id: None })).collect()
    }
}

fn owner(n: u64) -> MemoryOwner {
    let bot = BotId::new("bench").expect("a plain word is an id");
    MemoryOwner::person(bot, UserId::from_number(n))
}

fn store(n: u64) -> WriteOp {
    let text = format!("note{n} of the river, the coffee and the deadline in winter");
    WriteOp::Store {
        owner: owner(n % 1000),
        record: Arc::new(MemoryRecord::new(
            MemoryId::from_number(n),
            text,
            Timestamp::from_millis(n as i64),
        )),
    }
}

fn ops(from: &mut u64, items: u64) -> Vec<WriteOp> {
    let first = *from;
    *from += items;
    (first..*from).map(store).collect()
}

fn machine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("memory_batcher/machine");
    for items in [1, 64, 1000] {
        let mut machine = Machine::new(&Config::default()).expect("the defaults are valid");
        let mut next = 0;
        group.throughput(Throughput::Elements(items));
        group.bench_function(format!("{items} stores"), |bencher| {
            bencher.iter_batched(
                || ops(&mut next, items),
                |ops| {
                    let now = SystemClock.instant();
                    for op in ops {
                        let bytes = estimated_bytes(&op);
                        machine.handle(Input::Write { op, bytes, token: () }, now);
                    }
                    let later = now + Duration::from_millis(1);
                    while let Some(output) = machine.poll_output(later) {
                        if let Output::Commit { batch, ops } = &output {
                            let (batch, results) =
                                (*batch, ops.iter().map(|_| Ok(Committed { id: None })).collect());
                            machine.handle(Input::Committed { batch, results }, later);
                        }
                        black_box(output);
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn pipeline(criterion: &mut Criterion) {
    let batcher =
        MemoryBatcher::start(Arc::new(NoLatency), Config::default()).expect("the defaults are valid");
    let mut group = criterion.benchmark_group("memory_batcher/pipeline");
    for items in [64, 1000] {
        let mut next = 0;
        group.throughput(Throughput::Elements(items));
        group.bench_function(format!("{items} stores"), |bencher| {
            bencher.iter_batched(
                || ops(&mut next, items),
                |ops| batcher.submit_many(ops).expect("there is room").wait(),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn tasks(criterion: &mut Criterion) {
    const WRITERS: u64 = 64;
    const EACH: u64 = 20;
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    let batcher =
        MemoryBatcher::start(Arc::new(NoLatency), Config::default()).expect("the defaults are valid");
    let mut group = criterion.benchmark_group("memory_batcher/tasks");
    let mut next = 0;
    group.throughput(Throughput::Elements(WRITERS * EACH));
    group.bench_function("64 writers", |bencher| {
        bencher.iter_batched(
            || (0..WRITERS).map(|_| ops(&mut next, EACH)).collect::<Vec<_>>(),
            |lists| {
                runtime.block_on(async {
                    let mut writers = tokio::task::JoinSet::new();
                    for list in lists {
                        let batcher = batcher.clone();
                        writers.spawn(async move {
                            for op in list {
                                batcher.write(op).await.expect("the store takes everything");
                            }
                        });
                    }
                    writers.join_all().await
                })
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn durable(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let open = |name: &str| {
        let embedder = Arc::new(ZeroEmbedder::default());
        let path = folder.path().join(name);
        Arc::new(
            VectorMemory::open(path, embedder, VectorMemoryConfig::default()).expect("the folder is empty"),
        )
    };
    let mut group = criterion.benchmark_group("memory_batcher/durable");
    group.sample_size(20);
    for items in [1, 64] {
        let mut next = 0;
        group.throughput(Throughput::Elements(items));
        let memory = open(&format!("direct-{items}"));
        group.bench_function(format!("{items} stores, direct"), |bencher| {
            bencher.iter_batched(
                || ops(&mut next, items),
                |ops| memory.commit(&ops),
                BatchSize::SmallInput,
            );
        });
        let memory = open(&format!("batched-{items}"));
        let batcher = MemoryBatcher::start(memory, Config::default()).expect("the defaults are valid");
        group.bench_function(format!("{items} stores, batched"), |bencher| {
            bencher.iter_batched(
                || ops(&mut next, items),
                |ops| batcher.submit_many(ops).expect("there is room").wait(),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, machine, pipeline, tasks, durable);
criterion_main!(benches);
