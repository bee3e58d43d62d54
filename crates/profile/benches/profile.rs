//! What a message costs: small talk without cues, and messages that state facts.

#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use whisperengine_profile::{Profile, Statement};
use whisperengine_types::{MemoryId, Timestamp};

const SMALL_TALK: &[&str] = &[
    "watched two episodes and fell asleep in the third",
    "the train was late again, of course, and nobody said anything",
    "somebody on the bus was eating a whole roast chicken",
    "why do all detectives on TV have messy kitchens",
    "yeah that sounds about right lol",
    "I think we should try the new place around the corner, the one with the green door",
];

const FACTS: &[&str] = &[
    "it's done, I moved to Munich last weekend, boxes everywhere",
    "my uncle Tom grows bonsai trees and he lives in Leeds",
    "just so you know, I'm allergic to hazelnuts and I don't eat meat",
    "I've got a new phone number: 050 555 7719, the old one is dead",
    "I love hiking but I can't stand crowded trails in summer",
    "I'm running the harbor half marathon on March 15",
];

fn learn(c: &mut Criterion) {
    let mut group = c.benchmark_group("profile");
    let at = Timestamp::from_millis(1_767_268_800_000);
    for (name, lines) in [("small_talk", SMALL_TALK), ("facts", FACTS)] {
        group.throughput(criterion::Throughput::Elements(lines.len() as u64));
        group.bench_function(name, |b| {
            let mut profile = Profile::new();
            b.iter(|| {
                for line in lines {
                    let statement = Statement::new(MemoryId::from_number(7), black_box(line), at);
                    black_box(profile.learn(&statement));
                }
            });
        });
    }
    group.bench_function("answer", |b| {
        let mut profile = Profile::new();
        for line in FACTS {
            profile.learn(&Statement::new(MemoryId::from_number(7), line, at));
        }
        let question = Statement::new(MemoryId::from_number(8), "where do I live?", at);
        b.iter(|| black_box(profile.answer(&question)));
    });
    group.finish();
}

criterion_group!(benches, learn);
criterion_main!(benches);
