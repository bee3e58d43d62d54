//! Emotion analysis: VADER alone, the full reading, repeats. The peers are in `emotion_peers.rs`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use whisperengine_emotion::{EmotionEngine, Readings, Vader};

#[path = "emotion_texts.rs"]
mod emotion_texts;

fn emotion(criterion: &mut Criterion) {
    let texts = emotion_texts::comments(1_000);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut group = criterion.benchmark_group("emotion");
    group.throughput(Throughput::Elements(texts.len() as u64));
    let mut vader = Vader::new();
    group.bench_function("vader", |bencher| {
        bencher.iter(|| texts.iter().map(|text| vader.score(text).compound).sum::<f64>());
    });
    let engine = EmotionEngine::new();
    let mut readings = Readings::default();
    group.bench_function("full/batch of 200", |bencher| {
        bencher.iter(|| {
            for chunk in texts.chunks(200) {
                engine.analyze_into(chunk, &mut readings);
            }
        });
    });
    let repeats: Vec<&str> = texts.iter().copied().take(10).cycle().take(texts.len()).collect();
    group.bench_function("full/repeats in a batch", |bencher| {
        bencher.iter(|| engine.analyze_into(&repeats, &mut readings));
    });
    group.bench_function("full/cached singles", |bencher| {
        bencher.iter(|| {
            repeats
                .iter()
                .map(|text| engine.analyze_shared(text).valence)
                .sum::<f32>()
        });
    });
    group.finish();
}

criterion_group!(benches, emotion);
criterion_main!(benches);
