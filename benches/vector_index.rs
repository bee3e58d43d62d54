//! Searches of one query at a time, an insert and a build, beside a plain loop over f32.
#![allow(missing_docs, reason = "the macro makes a public function")]

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use whisperengine_vector_memory::index::{self, IndexConfig, IndexKind, SearchParams, VectorIndex};

const DIM: usize = 384;

fn searches(criterion: &mut Criterion) {
    let queries = topical(256, 2);
    let mut group = criterion.benchmark_group("search");
    group.throughput(Throughput::Elements(1));
    for count in [50, 5_000, 50_000] {
        let vectors = topical(count, 1);
        group.bench_function(BenchmarkId::new("plain loop", count), |bencher| {
            let mut at = 0;
            bencher.iter(|| {
                at = (at + 1) % queries.len();
                black_box(plain(&vectors, &queries[at], 10))
            });
        });
        for (kind, recall) in [(IndexKind::Flat, 1.0), (IndexKind::Ivf, 0.98)] {
            if kind == IndexKind::Ivf && count < 1_000 {
                continue;
            }
            let index = built(kind, &vectors);
            let params = SearchParams::new(10).recall(recall);
            let id = BenchmarkId::new(format!("{kind} {recall}"), count);
            group.bench_function(id, |bencher| {
                let mut at = 0;
                bencher.iter(|| {
                    at = (at + 1) % queries.len();
                    black_box(index.search(&queries[at], &params, None))
                });
            });
        }
    }
    group.finish();
}

fn changes(criterion: &mut Criterion) {
    let vectors = topical(10_000, 1);
    let extra = topical(1, 3).remove(0);
    let mut group = criterion.benchmark_group("change");
    group.throughput(Throughput::Elements(1));
    for kind in [IndexKind::Flat, IndexKind::Ivf] {
        let mut index = built(kind, &vectors);
        let slot = index.slots();
        group.bench_function(BenchmarkId::new("insert and delete", kind), |bencher| {
            bencher.iter(|| {
                index.insert(slot, &extra).expect("the slot is free");
                index.delete(slot)
            });
        });
    }
    group.finish();
}

fn builds(criterion: &mut Criterion) {
    let vectors = topical(10_000, 1);
    let mut group = criterion.benchmark_group("build");
    group
        .throughput(Throughput::Elements(vectors.len() as u64))
        .sample_size(10);
    for kind in [IndexKind::Flat, IndexKind::Ivf] {
        group.bench_function(BenchmarkId::from_parameter(kind), |bencher| {
            bencher.iter_batched(|| (), |()| built(kind, &vectors), BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn built(kind: IndexKind, vectors: &[Vec<f32>]) -> Box<dyn VectorIndex> {
    let rows = vectors.iter().map(Vec::as_slice);
    index::build(DIM, &IndexConfig::new(kind), rows).expect("the vectors are of unit length")
}

fn plain(vectors: &[Vec<f32>], query: &[f32], k: usize) -> Vec<(f32, usize)> {
    let dot = |vector: &[f32]| vector.iter().zip(query).map(|(a, b)| a * b).sum::<f32>();
    let mut all: Vec<(f32, usize)> = vectors
        .iter()
        .enumerate()
        .map(|(at, vector)| (dot(vector), at))
        .collect();
    all.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    all.truncate(k);
    all
}

/// Unit vectors around some topics, with as much noise as topic.
fn topical(count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut state = seed;
    let mut normal = move || {
        let mut sum = 0;
        for _ in 0..12 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            sum += (state >> 33) & 0xFFFF;
        }
        sum as f32 / 65_536.0 - 6.0
    };
    let topics: Vec<Vec<f32>> = (0..100_u16)
        .map(|topic| {
            (0..DIM)
                .map(|at| f32::from((topic * 31 + at as u16 * 17) % 23) / 11.0 - 1.0)
                .collect()
        })
        .collect();
    (0..count)
        .map(|at| {
            let topic = &topics[at * 7 % topics.len()];
            let vector: Vec<f32> = topic.iter().map(|value| value + normal()).collect();
            let norm = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
            vector.iter().map(|value| value / norm).collect()
        })
        .collect()
}

criterion_group!(benches, searches, changes, builds);
criterion_main!(benches);
