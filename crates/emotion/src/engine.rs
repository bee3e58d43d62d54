//! The analyzer: one text, many, with a memory of texts seen before.

mod batch;

use std::{
    fmt,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use moka::sync::Cache;
use whisperengine_types::{EmotionAnalyzer, EmotionError, EmotionReading, VaderScores};

use self::batch::BatchBuffers;
use crate::{EmotionConfig, EmotionModel, Readings, reading::Reader};

/// Reads emotions from texts; cheap to clone, clones share the model, the buffers and the cache.
///
/// A reading depends on its text alone: the cache compares whole texts and keeps nothing else of a message.
#[derive(Clone)]
pub struct EmotionEngine {
    inner: Arc<Inner>,
}

struct Inner {
    model: Arc<EmotionModel>,
    config: EmotionConfig,
    cache: Option<Cache<Box<str>, Arc<EmotionReading>>>,
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
        let cache = (config.cache_items > 0).then(|| {
            Cache::builder()
                .max_capacity(config.cache_items)
                .time_to_live(Duration::from_secs(config.cache_ttl_seconds))
                .build()
        });
        Self {
            inner: Arc::new(Inner {
                model,
                config,
                cache,
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
        let cache = self.cache_for(text);
        if let Some(known) = cache.and_then(|cache| cache.get(text)) {
            return known;
        }
        let reading = Arc::new(self.inner.readers.with(Reader::default, |reader| {
            let mut triggers = Vec::new();
            reader
                .read(&self.inner.model, text, &mut triggers)
                .with_triggers(triggers)
        }));
        if let Some(cache) = cache {
            cache.insert(text.into(), Arc::clone(&reading));
        }
        reading
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

    /// Readings in the cache now, about: the cache tidies up after itself with some delay.
    pub fn cached(&self) -> u64 {
        self.inner.cache.as_ref().map_or(0, |cache| {
            cache.run_pending_tasks();
            cache.entry_count()
        })
    }

    fn cache_for(&self, text: &str) -> Option<&Cache<Box<str>, Arc<EmotionReading>>> {
        let fits = text.len() <= self.inner.config.cache_text_bytes;
        self.inner.cache.as_ref().filter(|_| fits)
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
