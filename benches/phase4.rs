//! The conversation engine: a turn with a warm state, its parts, and keeping a state.
//!
//! `cargo bench -p whisperengine-benches --bench phase4`

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use whisperengine_phase4::{
    Config, Conversations, Lexicon, UserState, after_turn, plan_turn, transition_strength,
};
use whisperengine_types::{
    Audience, BotId, ChannelId, Conversation, ConversationEngine, Embedding, EmbeddingSpace, EmotionReading,
    MemoryId, MemoryOwner, MemoryRecord, PrimaryEmotion, RecalledMemory, ScoreParts, Similarity, Timestamp,
    TurnInput, UserId,
};

/// Messages put together from parts by number, 70 bytes on average.
fn message(number: u64) -> String {
    const DEEDS: [&str; 8] = [
        "practised",
        "argued with",
        "worried about",
        "finished",
        "forgot",
        "enjoyed",
        "repaired",
        "planned",
    ];
    const SUBJECTS: [&str; 12] = [
        "the guitar",
        "my garden",
        "our boss",
        "my sister",
        "the laptop",
        "a marathon",
        "her recipe",
        "the doctor",
        "the landlord",
        "a puppy",
        "my exam",
        "the trip",
    ];
    const TAILS: [&str; 8] = [
        "and I am so proud of myself",
        "but it was a disaster",
        "because of the weather",
        "I will call them tomorrow",
        "what should I do?",
        "by the way, how are you?",
        "thank you for asking",
        "it made me really sad",
    ];
    let pick = |salt: u64, len: usize| ((number * 2_654_435_761 + salt * 40_503) >> 7) as usize % len;
    format!(
        "I {} {} this week, {}.",
        DEEDS[pick(3, 8)],
        SUBJECTS[pick(1, 12)],
        TAILS[pick(2, 8)]
    )
}

/// A thousand turns, ready to be planned.
struct Talk {
    owner: MemoryOwner,
    channel: ChannelId,
    texts: Vec<String>,
    ids: Vec<MemoryId>,
    emotions: Vec<EmotionReading>,
    embeddings: Vec<Embedding>,
    recalled: Vec<RecalledMemory>,
}

const TURNS: usize = 1000;

impl Talk {
    fn new(user: &str) -> Self {
        let space = EmbeddingSpace::new("bench", 256).expect("a name and a dimension");
        let embedding = |n: u64| {
            let values: Vec<f32> = (0..256_u64)
                .map(|d| ((n % 40 * 131 + d * 71) % 89) as f32 - 44.0)
                .collect();
            Embedding::new(&space, values).expect("finite values")
        };
        let emotion = |n: u64| EmotionReading {
            primary: PrimaryEmotion::ALL[(n % 13) as usize],
            intensity: (n % 10) as f32 / 10.0,
            confidence: 0.8,
            valence: (n % 21) as f32 / 10.0 - 1.0,
            ..EmotionReading::neutral()
        };
        let recall = |n: u64| RecalledMemory {
            memory: Arc::new(MemoryRecord::new(
                MemoryId::from_number(90_000 + n),
                message(n * 7),
                start(),
            )),
            score: 0.5,
            relevance: 0.5,
            passage: None,
            copies: 0,
            last_copy_at: None,
            superseded: false,
            similarity: Some(Similarity::new(0.5)),
            parts: ScoreParts::default(),
            matched_terms: Vec::new(),
        };
        let numbers = 0..TURNS as u64;
        Self {
            owner: MemoryOwner::person(
                BotId::new("bench").expect("an id"),
                UserId::new(user).expect("an id"),
            ),
            channel: ChannelId::new("direct").expect("an id"),
            texts: numbers.clone().map(message).collect(),
            ids: numbers.clone().map(MemoryId::from_number).collect(),
            emotions: numbers.clone().map(emotion).collect(),
            embeddings: numbers.map(embedding).collect(),
            recalled: (0..5).map(recall).collect(),
        }
    }

    /// Turn `number` of a talk that goes on for ever: five messages half a minute apart, then an hour.
    fn turn(&self, number: usize) -> TurnInput<'_> {
        let at = number % TURNS;
        let span = Duration::from_secs((number / 5 * 3600 + number % 5 * 30) as u64);
        TurnInput {
            owner: &self.owner,
            channel: &self.channel,
            audience: &Audience::Private,
            message: &self.ids[at],
            text: &self.texts[at],
            emotion: &self.emotions[at],
            embedding: Some(&self.embeddings[at]),
            recalled: &self.recalled,
            facts: &[],
            replay: None,
            sent_at: start() + Duration::from_secs(86_400) + span,
        }
    }

    /// A state after a thousand turns.
    fn warm(&self, config: &Config) -> UserState {
        let mut state = UserState::new(&self.owner);
        for number in 0..TURNS {
            let input = self.turn(number);
            plan_turn(config, &mut state, &input, input.sent_at).expect("the owner's state");
            after_turn(config, &mut state);
        }
        state
    }
}

fn start() -> Timestamp {
    Timestamp::from_millis(1_770_000_000_000)
}

fn turns(c: &mut Criterion) {
    let (config, talk) = (Config::default(), Talk::new("ana"));
    let mut group = c.benchmark_group("phase4");
    group.throughput(Throughput::Elements(1));
    let mut state = talk.warm(&config);
    let mut number = TURNS;
    group.bench_function("turn, warm, 5 recalled memories", |b| {
        b.iter(|| {
            let input = talk.turn(number);
            number += 1;
            let plan = plan_turn(&config, &mut state, &input, input.sent_at);
            after_turn(&config, &mut state);
            black_box(plan)
        });
    });
    let english = Lexicon::english();
    group.bench_function("words and cues of a message", |b| {
        b.iter(|| {
            number += 1;
            transition_strength(&english, black_box(&talk.texts[number % TURNS]))
        });
    });
    group.finish();
}

fn people(c: &mut Criterion) {
    const PEOPLE: usize = 256;
    let talks: Vec<_> = (0..PEOPLE).map(|n| Talk::new(&format!("user{n}"))).collect();
    let engine = Conversations::new(Config::default()).expect("the defaults are in range");
    let open = |talk: &Talk| engine.open(&talk.owner, None).expect("a new conversation");
    let mut conversations: Vec<Box<dyn Conversation>> = talks.iter().map(open).collect();
    let mut number = 0;
    let mut group = c.benchmark_group("phase4");
    group.throughput(Throughput::Elements(PEOPLE as u64));
    group.bench_function("a turn of each of 256 people", |b| {
        b.iter(|| {
            number += 1;
            for (talk, conversation) in talks.iter().zip(&mut conversations) {
                black_box(
                    conversation
                        .plan_turn(&talk.turn(number))
                        .expect("the owner's state"),
                );
                conversation.after_turn();
            }
        });
    });
    group.finish();
}

fn states(c: &mut Criterion) {
    let talk = Talk::new("ana");
    let state = talk.warm(&Config::default());
    let bytes = state.encode();
    println!("state after {TURNS} turns: {} bytes", bytes.len());
    let engine = Conversations::new(Config::default()).expect("the defaults are in range");
    let mut group = c.benchmark_group("phase4");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("encode a state", |b| b.iter(|| black_box(&state).encode()));
    group.bench_function("decode a state", |b| {
        b.iter(|| UserState::decode(&talk.owner, black_box(&bytes)))
    });
    group.bench_function("open a conversation", |b| {
        b.iter(|| engine.open(&talk.owner, Some(black_box(&bytes))))
    });
    group.finish();
}

criterion_group!(benches, turns, people, states);
criterion_main!(benches);
