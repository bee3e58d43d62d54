//! VADER beside the published Rust ports, on the same texts in one run. Neither port gives Python's scores.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use whisperengine_emotion::Vader;

#[path = "emotion_texts.rs"]
mod emotion_texts;

fn peers(criterion: &mut Criterion) {
    let texts = emotion_texts::comments(1_000);
    let mut group = criterion.benchmark_group("vader");
    group.throughput(Throughput::Elements(texts.len() as u64));
    let mut ours = Vader::new();
    group.bench_function("whisperengine", |bencher| {
        bencher.iter(|| texts.iter().map(|text| ours.score(text).compound).sum::<f64>());
    });
    let port = vader_sentiment::SentimentIntensityAnalyzer::new();
    group.bench_function("vader_sentiment 0.1.1", |bencher| {
        bencher.iter(|| {
            texts
                .iter()
                .map(|text| port.polarity_scores(text)["compound"])
                .sum::<f64>()
        });
    });
    let port = vader_sentimental::SentimentIntensityAnalyzer::new();
    group.bench_function("vader-sentimental 0.1.3", |bencher| {
        bencher.iter(|| {
            texts
                .iter()
                .map(|text| port.polarity_scores(text).compound)
                .sum::<f64>()
        });
    });
    group.finish();
}

criterion_group!(benches, peers);
criterion_main!(benches);
