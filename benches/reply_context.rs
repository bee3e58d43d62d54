//! Assembling what a language model is given, at several budgets, beside pasting everything without a budget;
//! the estimate of tokens; a turn of a dialogue window.
//!
//! `cargo bench -p whisperengine-benches --bench reply_context`

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use whisperengine_reply_context::{
    ContextAssembler, ContextInput, DialogueWindow, ScriptEstimate, TokenCounter, WindowLimits,
};
use whisperengine_types::{
    DialogueLine, Fact, Language, MemoryId, MemoryRecord, RecalledMemory, ScoreParts, Slot, Timestamp, ZoneId,
};

const NOW: i64 = 1_773_164_700_000;
const HOUR: i64 = 3_600_000;

/// Sentences put together from parts by number, 80 bytes on average.
fn sentence(number: i64) -> String {
    const WHO: [&str; 6] = [
        "my sister",
        "our neighbour",
        "Lena from work",
        "the landlord",
        "my dad",
        "I",
    ];
    const WHAT: [&str; 7] = [
        "bought a second-hand piano for 350 euros",
        "is afraid of the exam on Thursday",
        "moved the meeting to half past nine",
        "wants to paint the kitchen green",
        "found a lump of clay in the garden",
        "lost the spare key again",
        "booked two tickets to Lisbon",
    ];
    const TAIL: [&str; 5] = [
        "and I can't stop thinking about it",
        "so the weekend is full",
        "which was a surprise",
        "because nobody said no",
        "as always",
    ];
    let pick =
        |salt: i64, len: usize| ((number * 7919 + salt * 104_729) >> 3).rem_euclid(len as i64) as usize;
    format!("{} {}, {}.", WHO[pick(1, 6)], WHAT[pick(2, 7)], TAIL[pick(3, 5)])
}

struct Scene {
    facts: Vec<Fact>,
    window: DialogueWindow,
    recalled: Vec<RecalledMemory>,
    message: DialogueLine,
    notes: Vec<String>,
    zone: ZoneId,
}

impl Scene {
    fn new() -> Self {
        let at = |hours: i64| Timestamp::from_millis(NOW - hours * HOUR);
        let slots = Slot::ALL;
        let facts = (0..40).map(|n: i64| {
            let slot = slots[n as usize % slots.len()];
            let source = MemoryId::from_number(n as u64);
            let mut fact = Fact::new(slot, format!("value number {n}"), source, at(n * 90));
            fact.detail = (n % 3 == 0).then(|| "detail".to_owned());
            fact.until = (n % 7 == 0).then(|| at(n));
            fact
        });
        let mut window = DialogueWindow::new(WindowLimits::default());
        for n in 0..90 {
            window.push(line(n, n % 2 == 1), None);
        }
        let recalled = (0..40).map(|n| {
            let text = [sentence(n + 500), sentence(n + 900)].join(" ");
            let mut record = MemoryRecord::new(MemoryId::from_number(n as u64 + 5000), text, at(n * 37));
            record.speaker = Some("Ana".to_owned());
            RecalledMemory {
                memory: Arc::new(record),
                score: 1.0 - n as f32 / 50.0,
                relevance: 0.95 - n as f32 / 60.0,
                passage: Some(0..20),
                copies: 0,
                last_copy_at: None,
                superseded: false,
                similarity: None,
                parts: ScoreParts::default(),
                matched_terms: Vec::new(),
            }
        });
        Self {
            facts: facts.collect(),
            window,
            recalled: recalled.collect(),
            message: line(9000, false),
            notes: vec![
                "They asked for short answers.".to_owned(),
                "An open question waits.".to_owned(),
            ],
            zone: ZoneId::new("Europe/Berlin").expect("a zone"),
        }
    }

    fn input(&self, budget: u32) -> ContextInput<'_> {
        let mut input = ContextInput::new("Ember", "Ana", &self.message, Timestamp::from_millis(NOW));
        input.facts = &self.facts;
        input.summary = self.window.summary();
        input.dialogue = self.window.lines();
        input.recalled = &self.recalled;
        input.notes = &self.notes;
        input.zone = Some(&self.zone);
        input.language = Some(Language::ENGLISH);
        input.budget_tokens = Some(budget);
        input
    }

    /// What a bot without this crate does: paste everything, count nothing.
    fn paste(&self) -> String {
        let mut out = String::from("You are Ember.\n");
        for fact in &self.facts {
            out.push_str(&format!("- {}: {}\n", fact.slot, fact.value));
        }
        for recalled in &self.recalled {
            out.push_str(&format!(
                "- {}: {}\n",
                recalled.memory.sent_at, recalled.memory.text
            ));
        }
        for line in self.window.lines() {
            out.push_str(&line.text);
            out.push('\n');
        }
        out
    }
}

fn line(number: i64, from_bot: bool) -> DialogueLine {
    DialogueLine {
        id: Some(MemoryId::from_number(number as u64 + 1)),
        from_bot,
        name: None,
        text: sentence(number),
        at: Timestamp::from_millis(NOW - 90 * HOUR + number * HOUR / 10),
    }
}

fn assemble(c: &mut Criterion) {
    let scene = Scene::new();
    let assembler = ContextAssembler::default();
    let mut group = c.benchmark_group("reply_context/assemble");
    for budget in [500, 1000, 2000, 4000] {
        let context = assembler.assemble(&scene.input(budget));
        assert!(context.report.tokens <= budget && context.report.tokens > budget * 4 / 5);
        group.bench_function(format!("{budget} tokens"), |b| {
            b.iter(|| assembler.assemble(black_box(&scene.input(budget))));
        });
    }
    group.bench_function("everything pasted, no budget", |b| {
        b.iter(|| black_box(&scene).paste())
    });
    group.finish();
}

fn tokens(c: &mut Criterion) {
    let english = (0..100).map(sentence).collect::<Vec<_>>().join("\n");
    let russian = "Вчера мы с мужем ездили на дачу и посадили яблони.\n".repeat(60);
    let chinese = "昨天我和朋友去爬山，走到一半下起了大雨。\n".repeat(100);
    let mut group = c.benchmark_group("reply_context/estimate");
    for (name, text) in [("English", english), ("Russian", russian), ("Chinese", chinese)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| b.iter(|| ScriptEstimate.count(black_box(&text))));
    }
    group.finish();
}

fn window(c: &mut Criterion) {
    let full = Scene::new().window;
    let mut group = c.benchmark_group("reply_context/window");
    group.bench_function("a message and a reply", |b| {
        let (mut window, mut n) = (full.clone(), 100);
        b.iter(|| {
            window.push(line(n, false), None);
            window.push(line(n + 1, true), None);
            n += 2;
        });
    });
    let bytes = full.to_bytes();
    println!("a full window takes {} bytes", bytes.len());
    group.bench_function("to bytes", |b| b.iter(|| black_box(&full).to_bytes()));
    group.bench_function("from bytes", |b| {
        b.iter(|| DialogueWindow::from_bytes(black_box(&bytes), WindowLimits::default()).expect("a window"));
    });
    group.finish();
}

criterion_group!(benches, assemble, tokens, window);
criterion_main!(benches);
