//! A warm batch allocates nothing, however many texts it holds.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use whisperengine_emotion::{EmotionConfig, EmotionEngine, Readings};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn a_warm_batch_allocates_nothing() {
    let texts: Vec<String> = (0..500)
        .map(|n| {
            format!(
                "Take {n}: I am sooo happy but NOT proud, \u{1f602} isn\u{2019}t that odd? [NAME] qwzx{n}!!"
            )
        })
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut config = EmotionConfig::default();
    config.parallel_items = usize::MAX;
    let engine = EmotionEngine::with_config(config);
    let mut readings = Readings::default();
    engine.analyze_into(&texts, &mut readings);
    // The test harness has a thread of its own that may allocate meanwhile: the least of several runs counts.
    let allocations = (0..8).map(|_| {
        let region = Region::new(ALLOCATOR);
        engine.analyze_into(&texts, &mut readings);
        let change = region.change();
        change.allocations + change.reallocations
    });
    assert_eq!(allocations.min(), Some(0));
    assert_eq!(readings.len(), texts.len());
}
