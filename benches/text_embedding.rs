//! Texts to embeddings: the tokenizer, the static table single and in batches, the hashing reference, the
//! cache.
//!
//! `cargo bench -p whisperengine-benches --bench text_embedding`

use std::{hint::black_box, sync::Arc};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use whisperengine_text_embedding::{CachedEmbedder, HashingEmbedder, StaticEmbedder};
use whisperengine_types::Embedder;

/// Chat messages of 69 bytes on average, put together from parts by position: no two of a thousand are equal.
fn messages(count: usize) -> Vec<String> {
    const OPENINGS: [&str; 7] = [
        "Honestly I can't believe",
        "omg yes,",
        "My sister told me that",
        "Last weekend",
        "Do you think",
        "I've been wondering whether",
        "lol no,",
    ];
    const MIDDLES: [&str; 11] = [
        "the concert was cancelled",
        "we hiked up to the waterfall",
        "he's adopting a second rescue dog",
        "they're finally moving to Lisbon",
        "her thesis got accepted",
        "it's going to snow again",
        "the bakery on 5th closed down",
        "my laptop overheats all the time",
        "everyone forgot the password",
        "grandma's lasagna beats them all",
        "the kickboxing class starts at 7:30",
    ];
    const ENDINGS: [&str; 13] = [
        "!!",
        "...",
        " :)",
        " and I'm so happy.",
        " tbh",
        ", which is unfortunate.",
        "?",
        " haha",
        ", right?",
        " before the holidays.",
        " — what a week.",
        " again, sigh.",
        " 😂",
    ];
    (0..count)
        .map(|n| format!("{} {}{}", OPENINGS[n % 7], MIDDLES[n % 11], ENDINGS[n % 13]))
        .collect()
}

fn text_embedding(c: &mut Criterion) {
    let messages = messages(1000);
    let texts: Vec<&str> = messages.iter().map(String::as_str).collect();
    let embedder = StaticEmbedder::embedded();

    let mut group = c.benchmark_group("text_embedding");
    group.throughput(Throughput::Elements(texts.len() as u64));
    group.bench_function("tokenize", |b| {
        b.iter(|| {
            let mut sum = 0_u32;
            for text in &texts {
                embedder
                    .tokenizer()
                    .for_each(text, |id| sum = sum.wrapping_add(id));
            }
            black_box(sum)
        });
    });
    group.bench_function("static_into", |b| {
        let mut values = vec![0.0; embedder.space().dim()];
        b.iter(|| {
            for text in &texts {
                embedder
                    .embed_into(text, &mut values)
                    .expect("the length is the dimension");
                black_box(&values);
            }
        });
    });
    let cached = CachedEmbedder::new(Arc::new(embedder.clone()), CachedEmbedder::DEFAULT_BYTES);
    let hashing = HashingEmbedder::default();
    let embedders: [(&str, &dyn Embedder); 3] = [
        ("static", &embedder),
        ("hashing", &hashing),
        ("static_cached", &cached),
    ];
    for (name, embedder) in embedders {
        group.bench_function(BenchmarkId::new("one_at_a_time", name), |b| {
            b.iter(|| {
                for text in &texts {
                    black_box(embedder.embed(text).expect("a text has an embedding"));
                }
            });
        });
        group.bench_function(BenchmarkId::new("batch_1000", name), |b| {
            b.iter(|| black_box(embedder.embed_batch(&texts).expect("a text has an embedding")));
        });
    }
    group.finish();
}

criterion_group!(benches, text_embedding);
criterion_main!(benches);
