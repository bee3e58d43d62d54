//! The weighted queue alone, on one thread.

use std::hint::black_box;

use serde::Serialize;
use whisperengine_conversation_scheduler::WeightedQueue;
use whisperengine_examples::measure;
use whisperengine_types::Priority;

/// Operations a second.
#[derive(Debug, Serialize)]
pub struct Outcome {
    pub put_per_s: f64,
    pub get_per_s: f64,
}

/// Fills and empties a queue of 100,000 items of all classes; the median of eleven rounds.
pub fn run() -> Outcome {
    let mut puts = Vec::new();
    let mut gets = Vec::new();
    let mut queue = WeightedQueue::new([4, 3, 2, 1], 64);
    for _ in 0..11 {
        let begin = measure::now();
        for item in 0..ITEMS {
            queue.put(Priority::ALL[black_box(item as usize) % 4], (item, item));
        }
        puts.push(f64::from(ITEMS) / begin.elapsed().as_secs_f64());
        let begin = measure::now();
        while let Some(item) = queue.get() {
            black_box(item);
        }
        gets.push(f64::from(ITEMS) / begin.elapsed().as_secs_f64());
    }
    Outcome {
        put_per_s: median(puts),
        get_per_s: median(gets),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

const ITEMS: u32 = 100_000;
