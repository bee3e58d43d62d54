//! Search and recall within one owner, and durable stores, beside a plain loop over `Vec<Vec<f32>>`.

use std::{hint::black_box, sync::Arc};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use whisperengine_text_embedding::{HashingEmbedder, StaticEmbedder};
use whisperengine_types::{
    Embedder, Embedding, EmbeddingSpace, Filter, MemoryId, MemoryOwner, MemoryRecord, MemoryStore,
    RecallQuery, Timestamp, UserId, WriteOp,
};
use whisperengine_vector_memory::{OwnerMemory, VectorMemory, VectorMemoryConfig};

const DIM: usize = 384;

/// Numbers that follow from a seed (SplitMix64), as unit embeddings.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    }

    fn embedding(&mut self, space: &EmbeddingSpace) -> Embedding {
        let values: Vec<f32> = (0..space.dim()).map(|_| self.next()).collect();
        Embedding::new(space, values).expect("finite numbers")
    }
}

fn owner(n: usize) -> MemoryOwner {
    MemoryOwner::person(
        "bench".parse().expect("a valid id"),
        UserId::from_number(n as u64),
    )
}

fn text(n: usize) -> String {
    const WORDS: [&str; 12] = [
        "garden", "tea", "lake", "sister", "paint", "dog", "concert", "cello", "winter", "train", "book",
        "bread",
    ];
    let word = |at: usize| WORDS[(n * 7 + at * 5 + n / 12) % WORDS.len()];
    format!(
        "we spoke of the {} and the {} before the {} {n}",
        word(0),
        word(1),
        word(2)
    )
}

/// `owners` owners of `each` memories with random embeddings.
fn filled(owners: usize, each: usize, embedder: Arc<dyn Embedder>) -> (VectorMemory, Vec<OwnerMemory>) {
    let memory = VectorMemory::in_memory(Arc::clone(&embedder), VectorMemoryConfig::default());
    let mut numbers = Numbers(1);
    let doors: Vec<OwnerMemory> = (0..owners).map(|n| memory.owner(&owner(n))).collect();
    for door in &doors {
        let records = (0..each).map(|n| {
            let mut record =
                MemoryRecord::new(MemoryId::from_number(n as u64), text(n), Timestamp::default());
            record.embedding = Some(numbers.embedding(embedder.space()));
            record
        });
        for stored in door.remember_all(records) {
            stored.expect("the record is acceptable");
        }
        door.stats().expect("the store answers");
    }
    (memory, doors)
}

fn search(c: &mut Criterion) {
    let mut group = c.benchmark_group("search_by_embedding");
    group.throughput(Throughput::Elements(1));
    let embedder: Arc<dyn Embedder> = Arc::new(HashingEmbedder::new(DIM, 1).expect("a valid dimension"));
    for (owners, each) in [(1000, 50), (10, 5000)] {
        let (_memory, doors) = filled(owners, each, Arc::clone(&embedder));
        let mut numbers = Numbers(2);
        let queries: Vec<Embedding> = (0..64).map(|_| numbers.embedding(embedder.space())).collect();
        let name = format!("{owners}x{each}");
        let mut n = 0;
        group.bench_function(BenchmarkId::new("ours", &name), |b| {
            b.iter(|| {
                n += 1;
                let door = &doors[n * 37 % owners];
                black_box(
                    door.search(&queries[n % 64], 10, &Filter::Any)
                        .expect("the store answers"),
                )
            });
        });
        let rows: Vec<Vec<f32>> = (0..each)
            .map(|_| numbers.embedding(embedder.space()).values().to_vec())
            .collect();
        group.bench_function(BenchmarkId::new("plain_loop", &name), |b| {
            b.iter(|| {
                n += 1;
                let query = queries[n % 64].values();
                let dot = |row: &Vec<f32>| -> f32 { row.iter().zip(query).map(|(a, b)| a * b).sum() };
                let mut scored: Vec<(f32, usize)> =
                    rows.iter().enumerate().map(|(at, row)| (dot(row), at)).collect();
                scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
                scored.truncate(10);
                black_box(scored)
            });
        });
    }
    group.finish();
}

fn recall(c: &mut Criterion) {
    let mut group = c.benchmark_group("recall_by_text");
    group.throughput(Throughput::Elements(1));
    let embedder: Arc<dyn Embedder> = Arc::new(StaticEmbedder::embedded());
    for (owners, each) in [(1000, 50), (10, 700)] {
        let (_memory, doors) = filled(owners, each, Arc::clone(&embedder));
        let mut n = 0;
        group.bench_function(BenchmarkId::from_parameter(format!("{owners}x{each}")), |b| {
            b.iter(|| {
                n += 1;
                let query = RecallQuery::new(text(n * 13), 10, Timestamp::default());
                black_box(doors[n * 37 % owners].recall(&query).expect("the store answers"))
            });
        });
    }
    group.finish();
}

fn store(c: &mut Criterion) {
    let mut group = c.benchmark_group("durable_stores");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let embedder: Arc<dyn Embedder> = Arc::new(StaticEmbedder::embedded());
    let memory =
        VectorMemory::open(folder.path(), embedder, VectorMemoryConfig::default()).expect("a new store");
    let mut next = 0;
    for batch in [1, 64] {
        group.throughput(Throughput::Elements(batch));
        group.bench_function(BenchmarkId::from_parameter(batch), |b| {
            b.iter_batched(
                || {
                    let store = |n: usize| WriteOp::Store {
                        owner: owner(n % 1000),
                        record: Arc::new(MemoryRecord::new(
                            MemoryId::from_number(n as u64),
                            text(n),
                            Timestamp::default(),
                        )),
                    };
                    let first = next;
                    next += batch as usize;
                    (first..next).map(store).collect::<Vec<WriteOp>>()
                },
                |ops| black_box(memory.commit(&ops)),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, search, recall, store);
criterion_main!(benches);
