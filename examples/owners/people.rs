//! Made-up people with memories, questions and vectors; all follow from a seed.

use std::error::Error;

use whisperengine_text_embedding::StaticEmbedder;
use whisperengine_types::{
    Embedder, Embedding, EmbeddingError, EmbeddingSpace, MemoryId, MemoryOwner, MemoryRecord, Timestamp,
    UserId,
};
use whisperengine_vector_memory::{Hit, OwnerMemory};

/// The memories of people.
pub struct People {
    words: Vec<String>,
    /// Sums of the words' frequencies, for drawing one.
    frequencies: Vec<f64>,
    given: Option<EmbeddingSpace>,
    seed: u64,
}

impl People {
    /// Their words are the table's, which come in the order of how frequent they are; `given` is the space
    /// of vectors that the memories bring along.
    pub fn new(table: &StaticEmbedder, given: Option<EmbeddingSpace>, seed: u64) -> Self {
        let tokenizer = table.tokenizer();
        let pieces = (0..tokenizer.len() as u32).filter_map(|id| tokenizer.piece(id));
        let is_word = |piece: &&str| piece.len() > 1 && piece.bytes().all(|byte| byte.is_ascii_lowercase());
        let words: Vec<String> = pieces.filter(is_word).map(str::to_owned).collect();
        let mut sum = 0.0;
        let frequencies = (0..words.len()).map(|rank| {
            // Zipf's law, as Mandelbrot mended it.
            sum += 1.0 / (rank as f64 + 2.7);
            sum
        });
        Self {
            frequencies: frequencies.collect(),
            words,
            given,
            seed,
        }
    }

    /// Person number `n`.
    pub fn owner(&self, n: usize) -> MemoryOwner {
        MemoryOwner::person(
            "owners".parse().expect("a valid id"),
            UserId::from_number(n as u64),
        )
    }

    /// The moment at which everything is asked.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_790_000_000_000)
    }

    /// Memory number `n` of a person: twelve to thirty words, twenty memories to a session.
    pub fn memory(&self, owner: usize, n: usize) -> MemoryRecord {
        let mut random = self.numbers_of(owner, n);
        let words: Vec<&str> = (0..12 + random.below(19))
            .map(|_| self.word(&mut random))
            .collect();
        let text = format!("{}.", words.join(" "));
        let said = self.now().as_millis() - (random.below(1 << 30) as i64) - (n as i64) * 3_600_000;
        let mut record = MemoryRecord::new(
            MemoryId::from_number(n as u64),
            text,
            Timestamp::from_millis(said),
        );
        record.speaker = Some(if n.is_multiple_of(2) { "Ana" } else { "Ember" }.to_owned());
        record.session = Some(format!("s{}", n / 20).parse().expect("a valid id"));
        record.embedding = self.given.as_ref().map(|space| self.vector(space, &mut random));
        record
    }

    /// A question with a few words of one of a person's memories among others.
    pub fn question(&self, owner: usize, memories: usize, random: &mut Numbers) -> String {
        let memory = self.memory(owner, random.below(memories));
        let words: Vec<&str> = memory.text.trim_end_matches('.').split(' ').collect();
        let from = random.below(words.len() - 4);
        format!(
            "What did Ana say about {} and {}?",
            words[from..from + 4].join(" "),
            self.word(random)
        )
    }

    /// A random direction.
    pub fn vector(&self, space: &EmbeddingSpace, random: &mut Numbers) -> Embedding {
        let mut values: Vec<f32> = (0..space.dim()).map(|_| random.normal()).collect();
        let norm = values.iter().map(|x| x * x).sum::<f32>().sqrt();
        values.iter_mut().for_each(|x| *x /= norm);
        Embedding::new(space, values).expect("finite numbers")
    }

    fn word(&self, random: &mut Numbers) -> &str {
        let all = self.frequencies.last().expect("a table has words");
        let at = self
            .frequencies
            .partition_point(|&sum| sum < random.share() * all);
        &self.words[at.min(self.words.len() - 1)]
    }

    fn numbers_of(&self, owner: usize, n: usize) -> Numbers {
        let mut numbers = Numbers(self.seed ^ ((owner as u64) << 32) ^ n as u64);
        Numbers(numbers.next())
    }
}

/// Whether `hits` are the nearest by the embeddings as stored, one compared after the other.
pub fn is_exact(
    door: &OwnerMemory,
    query: &Embedding,
    hits: &[Hit],
    k: usize,
) -> Result<bool, Box<dyn Error>> {
    let mut expected = Vec::new();
    let mut of_hits = Vec::new();
    for memory in door.list(None, usize::MAX)? {
        let embedding = memory.embedding.as_ref().ok_or("a memory without embedding")?;
        let similarity = query.similarity(embedding)?.value();
        expected.push(similarity);
        if let Some(place) = hits.iter().position(|hit| hit.id == memory.id) {
            of_hits.push((place, similarity));
        }
    }
    expected.sort_by(|a, b| b.total_cmp(a));
    expected.truncate(k);
    of_hits.sort_by_key(|&(place, _)| place);
    Ok(expected.len() == of_hits.len()
        && expected
            .iter()
            .zip(&of_hits)
            .all(|(expected, (_, similarity))| (expected - similarity).abs() < 1e-6))
}

/// The table's embeddings, their coordinates repeated or cut to another dimension.
#[derive(Debug)]
pub struct Widened {
    table: StaticEmbedder,
    space: EmbeddingSpace,
}

impl Widened {
    pub fn new(table: StaticEmbedder, dim: usize) -> Result<Self, EmbeddingError> {
        let space = if dim == table.space().dim() {
            table.space().clone()
        } else {
            EmbeddingSpace::new("static-widened", dim)?
        };
        Ok(Self { table, space })
    }
}

impl Embedder for Widened {
    fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError> {
        let embeddings = self.table.embed_batch(texts)?;
        if self.space == *self.table.space() {
            return Ok(embeddings);
        }
        let widen = |embedding: Embedding| {
            let values = embedding.values().iter().copied().cycle();
            Embedding::new(&self.space, values.take(self.space.dim()).collect::<Vec<f32>>())
        };
        embeddings.into_iter().map(widen).collect()
    }
}

/// Numbers that look random and follow from the seed (SplitMix64).
pub struct Numbers(pub u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// `0..1`.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Roughly normal, mean 0.
    fn normal(&mut self) -> f32 {
        let sum: f32 = (0..4).map(|_| self.share() as f32).sum();
        sum - 2.0
    }
}
