//! The writer that is killed: each thread has an owner of its own and a numbered list of operations.

use std::{
    error::Error,
    io::Write,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use whisperengine_memory_batcher::{BatcherError, Config, MemoryBatcher};
use whisperengine_text_embedding::HashingEmbedder;
use whisperengine_types::{
    Committed, MemoryError, MemoryId, MemoryOwner, MemoryPatch, MemoryRecord, MemoryStore, MetadataValue,
    Timestamp, UserId, WriteOp,
};
use whisperengine_vector_memory::{VectorMemory, VectorMemoryConfig};

/// Threads, and owners.
pub const THREADS: usize = 4;

/// Writes without end, announcing every batch before and after its commit.
pub fn run(folder: &Path, seed: u64, from: &[u64], direct: bool) -> Result<(), Box<dyn Error>> {
    let memory = Arc::new(open(folder)?);
    let batcher = MemoryBatcher::start(memory.clone(), Config::default())?;
    let writes = |ops: Vec<WriteOp>| -> Vec<Result<(), MemoryError>> {
        if direct {
            let results = memory.commit(&ops).into_iter();
            return results.map(|result| result.map(|_| ())).collect();
        }
        match batcher.submit_many(ops) {
            Ok(submission) => submission.wait().into_iter().map(outcome).collect(),
            Err(error) => vec![outcome(Err(error))],
        }
    };
    let output = Mutex::new(std::io::stdout());
    announce(&output, "ready");
    std::thread::scope(|scope| {
        for (thread, &first) in from.iter().enumerate() {
            let (writes, output) = (&writes, &output);
            scope.spawn(move || write_for_ever(writes, thread, first, seed, output));
        }
    });
    Err("a commit failed".into())
}

/// The store, with small buffers so that recovery and rewriting happen often.
pub fn open(folder: &Path) -> Result<VectorMemory, Box<dyn Error>> {
    let mut config = VectorMemoryConfig::default();
    config.write_buffer_bytes = 1 << 20;
    config.partition_budget_bytes = 4 << 20;
    Ok(VectorMemory::open(
        folder,
        Arc::new(HashingEmbedder::new(64, 1)?),
        config,
    )?)
}

/// The owner of a thread.
pub fn owner(thread: usize) -> MemoryOwner {
    let user = UserId::from_number(thread as u64);
    MemoryOwner::person("crash".parse().expect("a valid id"), user)
}

/// What an operation does.
pub enum Operation {
    Store(MemoryRecord),
    /// Changes the text of an earlier record, if it is there.
    Change(MemoryId, String),
    Delete(MemoryId),
}

/// Operation `n` of a thread: the same at every call.
pub fn operation(thread: usize, n: u64) -> Operation {
    let target = |back: u64| id(n.saturating_sub(back));
    match n % 10 {
        7 if n > 10 => Operation::Delete(target(5)),
        9 if n > 10 => Operation::Change(target(3), format!("changed by {n}, {}", filler(thread, n))),
        _ => Operation::Store(record(thread, n)),
    }
}

/// The id that operation `n` stores to.
pub fn id(n: u64) -> MemoryId {
    format!("{n:09}").parse().expect("a valid id")
}

fn record(thread: usize, n: u64) -> MemoryRecord {
    let text = format!("memory {n} of {thread}: {}", filler(thread, n));
    let mut record = MemoryRecord::new(id(n), text, Timestamp::from_millis(n as i64));
    record
        .metadata
        .insert("n".to_owned(), MetadataValue::Int(n as i64));
    record
}

/// 0 to 600 characters that depend on the operation.
fn filler(thread: usize, n: u64) -> String {
    let mut random = Numbers::new(n * THREADS as u64 + thread as u64);
    let words = random.below(60);
    (0..words)
        .map(|_| format!("{:x} ", random.below(1 << 32)))
        .collect()
}

/// The store's answer, as the batcher passes it on.
fn outcome(result: Result<Committed, BatcherError>) -> Result<(), MemoryError> {
    match result {
        Ok(_) => Ok(()),
        Err(BatcherError::Memory(error)) => Err(error),
        Err(error) => Err(MemoryError::Unavailable {
            reason: error.to_string(),
            source: None,
        }),
    }
}

fn write_for_ever(
    writes: impl Fn(Vec<WriteOp>) -> Vec<Result<(), MemoryError>>,
    thread: usize,
    first: u64,
    seed: u64,
    output: &Mutex<impl Write>,
) {
    let mut random = Numbers::new(seed ^ (thread as u64) << 32);
    let mut next = first;
    loop {
        let until = next + 1 + random.below(40);
        let ops: Vec<WriteOp> = (next..until).map(|n| write_op(thread, n)).collect();
        announce(output, &format!("try {thread} {until}"));
        // The record to be changed may have been stored by a batch that a kill undid.
        let failed =
            |result: &Result<(), MemoryError>| !matches!(result, Ok(()) | Err(MemoryError::NotFound { .. }));
        if let Some(Err(error)) = writes(ops).into_iter().find(failed) {
            eprintln!("{error}");
            return;
        }
        announce(output, &format!("ack {thread} {until}"));
        next = until;
    }
}

fn write_op(thread: usize, n: u64) -> WriteOp {
    let owner = owner(thread);
    match operation(thread, n) {
        Operation::Store(record) => WriteOp::Store {
            owner,
            record: Arc::new(record),
        },
        Operation::Change(id, text) => WriteOp::Update {
            owner,
            id,
            patch: Arc::new(MemoryPatch {
                text: Some(text),
                ..MemoryPatch::default()
            }),
        },
        Operation::Delete(id) => WriteOp::Delete { owner, id },
    }
}

fn announce(output: &Mutex<impl Write>, line: &str) {
    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
    let written = output
        .write_all(format!("{line}\n").as_bytes())
        .and_then(|()| output.flush());
    written.expect("the parent reads until the writer is dead");
}

/// Numbers that look random and follow from the seed (SplitMix64).
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}
