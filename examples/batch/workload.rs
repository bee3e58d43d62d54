//! What is written and asked: made from a seed, so that every run and every contender gets the same.

use std::{collections::HashMap, sync::Arc};

use whisperengine_types::{
    BotId, Embedding, EmbeddingSpace, MemoryId, MemoryOwner, MemoryRecord, RecallQuery, Timestamp, UserId,
    WriteOp,
};

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn chance(&mut self, share: f64) -> bool {
        ((self.next() >> 11) as f64 / (1_u64 << 53) as f64) < share
    }
}

pub fn owner(n: usize) -> MemoryOwner {
    let bot = BotId::new("bench").expect("a plain word is an id");
    MemoryOwner::person(bot, UserId::from_number(n as u64))
}

/// Record `n`: a chat message of about 70 bytes in which the words of `n` occur, embedded.
pub fn record(n: u64, space: &EmbeddingSpace) -> MemoryRecord {
    const WORDS: [&str; 16] = [
        "river", "coffee", "sister", "piano", "deadline", "garden", "winter", "train", "soup", "exam",
        "guitar", "mountain", "birthday", "doctor", "bicycle", "moon",
    ];
    let mut random = Random(n);
    let mut text = format!("note{n}");
    for _ in 0..9 {
        text.push(' ');
        text.push_str(WORDS[random.below(WORDS.len())]);
    }
    let values: Vec<f32> = (0..space.dim())
        .map(|_| (random.next() >> 40) as f32 / 8_388_608.0 - 1.0)
        .collect();
    let mut record = MemoryRecord::new(MemoryId::from_number(n), text, Timestamp::from_millis(n as i64));
    record.embedding =
        Some(Embedding::new(space, values).expect("as many values as the space has dimensions"));
    record
}

pub fn store(owner: &MemoryOwner, record: MemoryRecord) -> WriteOp {
    WriteOp::Store {
        owner: owner.clone(),
        record: Arc::new(record),
    }
}

/// One step of a trace.
#[derive(Debug, Clone)]
pub enum Step {
    Store { owner: usize, record: Arc<MemoryRecord> },
    Query { owner: usize, query: RecallQuery },
}

/// The trace of one writer, and what an ideal cache would save of it.
#[derive(Debug, Default)]
pub struct Trace {
    pub steps: Vec<Step>,
    pub queries: u64,
    pub ideal_hits: u64,
}

/// How a trace is made.
#[derive(Debug, Clone, Copy)]
pub struct Mix {
    pub query_share: f64,
    pub repeated_queries: f64,
}

/// What the owner of a trace has done so far.
#[derive(Default)]
struct History {
    asked: Vec<u64>,
    /// Which questions have been answered since the last write.
    fresh: HashMap<u64, ()>,
}

/// `steps` steps over `owners`, who are this writer's alone.
///
/// A repeated query is one of the owner's last four. The ideal cache keeps every answer until the owner writes.
pub fn trace(seed: u64, steps: usize, owners: &[usize], mix: Mix, space: &EmbeddingSpace) -> Trace {
    let mut random = Random(seed);
    let mut trace = Trace::default();
    let mut histories: HashMap<usize, History> = HashMap::new();
    for n in 0..steps as u64 {
        let owner = owners[random.below(owners.len())];
        let history = histories.entry(owner).or_default();
        let unique = (seed << 32) | n;
        if random.chance(mix.query_share) {
            let repeat = random.chance(mix.repeated_queries) && !history.asked.is_empty();
            let question = if repeat {
                recent(&history.asked, &mut random)
            } else {
                unique
            };
            history.asked.push(question);
            trace.queries += 1;
            trace.ideal_hits += u64::from(history.fresh.insert(question, ()).is_some());
            let mut query = RecallQuery::new(format!("note{question} river"), 5, Timestamp::from_millis(0));
            query.embedding = record(question, space).embedding;
            trace.steps.push(Step::Query { owner, query });
        } else {
            history.fresh.clear();
            let record = Arc::new(record(unique, space));
            trace.steps.push(Step::Store { owner, record });
        }
    }
    trace
}

fn recent<T: Clone>(items: &[T], random: &mut Random) -> T {
    items[items.len() - 1 - random.below(items.len().min(4))].clone()
}
