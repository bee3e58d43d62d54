//! The analyzer: one text, many, with a memory of texts seen before.

mod batch;
mod cache;

use std::{
    fmt,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use whisperengine_types::{Clock, EmotionAnalyzer, EmotionError, EmotionReading, SystemClock, VaderScores};

use self::{batch::BatchBuffers, cache::ReadingCache};
use crate::{EmotionConfig, EmotionModel, Readings, reading::Reader};

/// Reads emotions from texts; cheap to clone, clones share the model, the buffers and the cache.
///
/// A reading depends on its text alone: the cache keeps it under a 128-bit hash of the text, never the text.
#[derive(Clone)]
pub struct EmotionEngine {
    inner: Arc<Inner>,
}

struct Inner {
    model: Arc<EmotionModel>,
    config: EmotionConfig,
    cache: Option<ReadingCache>,
    readers: Pool<Reader>,
    batches: Pool<BatchBuffers>,
}

impl EmotionEngine {
    /// An engine with the embedded model and the default configuration.
    pub fn new() -> Self {
        Self::with_config(EmotionConfig::default())
    }

    /// An engine with the embedded model.
    pub fn with_config(config: EmotionConfig) -> Self {
        static EMBEDDED: LazyLock<Arc<EmotionModel>> = LazyLock::new(|| Arc::new(EmotionModel::embedded()));
        Self::with_model(Arc::clone(&EMBEDDED), config)
    }

    /// An engine with a model of your own.
    pub fn with_model(model: Arc<EmotionModel>, config: EmotionConfig) -> Self {
        Self::with_clock(model, config, Arc::new(SystemClock))
    }

    /// As [`with_model`](Self::with_model), where `clock` tells the age of kept readings.
    pub fn with_clock(model: Arc<EmotionModel>, config: EmotionConfig, clock: Arc<dyn Clock>) -> Self {
        Self {
            inner: Arc::new(Inner {
                model,
                cache: ReadingCache::new(&config, clock),
                config,
                readers: Pool::default(),
                batches: Pool::default(),
            }),
        }
    }

    /// The reading of one text, from the cache if it is there.
    pub fn analyze(&self, text: &str) -> EmotionReading {
        Arc::unwrap_or_clone(self.analyze_shared(text))
    }

    /// As [`analyze`](Self::analyze) without copying a cached reading.
    pub fn analyze_shared(&self, text: &str) -> Arc<EmotionReading> {
        match &self.inner.cache {
            Some(cache) => cache.reading_or(text, || self.read(text)),
            None => self.read(text),
        }
    }

    fn read(&self, text: &str) -> Arc<EmotionReading> {
        Arc::new(self.inner.readers.with(Reader::default, |reader| {
            let mut triggers = Vec::new();
            reader
                .read(&self.inner.model, text, &mut triggers)
                .with_triggers(triggers)
        }))
    }

    /// Replaces the content of `out` by one reading per text, in order. Identical texts are read once; no
    /// memory is allocated per text once `out` has grown. The cache takes no part in it.
    pub fn analyze_into(&self, texts: &[&str], out: &mut Readings) {
        self.inner.batches.with(BatchBuffers::default, |buffers| {
            buffers.analyze(&self.inner.model, texts, self.inner.config.parallel_items, out);
        });
    }

    /// As [`analyze_into`](Self::analyze_into) for the VADER scores alone.
    pub fn vader_into(&self, texts: &[&str], out: &mut Vec<VaderScores>) {
        batch::vader(texts, self.inner.config.parallel_items, out);
    }

    /// How the engine was configured.
    pub fn config(&self) -> &EmotionConfig {
        &self.inner.config
    }

    /// Drops every cached reading.
    pub fn clear_cache(&self) {
        if let Some(cache) = &self.inner.cache {
            cache.clear();
        }
    }

    /// Readings in the cache now, those too old to be used included.
    pub fn cached(&self) -> u64 {
        self.inner.cache.as_ref().map_or(0, ReadingCache::len)
    }
}

impl Default for EmotionEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for EmotionEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("EmotionEngine");
        shown.field("model", &self.inner.model);
        shown.field("config", &self.inner.config).finish_non_exhaustive()
    }
}

/// Small batches are answered from the cache where it can, large ones are computed.
impl EmotionAnalyzer for EmotionEngine {
    fn analyze_batch(&self, texts: &[&str]) -> Result<Vec<EmotionReading>, EmotionError> {
        if texts.len() < self.inner.config.parallel_items {
            return Ok(texts.iter().map(|text| self.analyze(text)).collect());
        }
        let mut readings = Readings::default();
        self.analyze_into(texts, &mut readings);
        Ok(readings.iter().collect())
    }
}

/// Buffers that are not in use at the moment.
struct Pool<T>(Mutex<Vec<T>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<T> Pool<T> {
    fn with<R>(&self, make: impl FnOnce() -> T, run: impl FnOnce(&mut T) -> R) -> R {
        let taken = self.lock().pop();
        let mut item = taken.unwrap_or_else(make);
        let result = run(&mut item);
        self.lock().push(item);
        result
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
