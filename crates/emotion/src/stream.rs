//! Readings of a stream of texts, in micro-batches.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use whisperengine_types::EmotionReading;

use crate::{EmotionEngine, Readings};

/// How a stream waits for the moment when a batch that is not full is read after all. Implement it with
/// the timer of your runtime; [`NoTimer`] never fires.
pub trait BatchTimer {
    /// Starts to wait for `span`, instead of anything it waited for before.
    fn start(&mut self, span: Duration);

    /// Ready once the span is over. Registers the waker otherwise.
    fn poll_elapsed(&mut self, context: &mut Context<'_>) -> Poll<()>;
}

/// The null timer: a batch is read when it is full, or at the end of the stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTimer;

impl BatchTimer for NoTimer {
    fn start(&mut self, _span: Duration) {}

    fn poll_elapsed(&mut self, _context: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

/// When a batch of a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamBatch {
    /// Texts that make a batch full; at least 1 is taken for 0.
    pub items: usize,
    /// How long the first text of a batch waits for others.
    pub wait: Duration,
}

impl Default for StreamBatch {
    /// 64 texts or 5 ms.
    fn default() -> Self {
        Self {
            items: 64,
            wait: Duration::from_millis(5),
        }
    }
}

/// Pairs every item of a stream with its reading, in order.
///
/// A batch is read when it is full, when the timer fires, or when the source ends; after the last reading
/// the stream ends and stays ended. Dropping it loses what was not yet yielded; polling it is cancel safe.
pub struct EmotionStream<S: Stream, T> {
    engine: EmotionEngine,
    source: Pin<Box<S>>,
    timer: T,
    batch: StreamBatch,
    waiting: Vec<S::Item>,
    ready: VecDeque<(S::Item, EmotionReading)>,
    readings: Readings,
    is_over: bool,
}

impl<S, T> EmotionStream<S, T>
where
    S: Stream,
    S::Item: AsRef<str>,
    T: BatchTimer,
{
    /// Reads the items of `source` with `engine`.
    pub fn new(engine: EmotionEngine, source: S, batch: StreamBatch, timer: T) -> Self {
        Self {
            engine,
            source: Box::pin(source),
            timer,
            batch,
            waiting: Vec::new(),
            ready: VecDeque::new(),
            readings: Readings::default(),
            is_over: false,
        }
    }

    /// Takes items until the batch is full (or the source is over or has none now) and says whether it
    /// is to be read.
    fn fill(&mut self, context: &mut Context<'_>) -> bool {
        while !self.is_over && self.waiting.len() < self.batch.items.max(1) {
            match self.source.as_mut().poll_next(context) {
                Poll::Ready(Some(item)) => {
                    if self.waiting.is_empty() {
                        self.timer.start(self.batch.wait);
                    }
                    self.waiting.push(item);
                }
                Poll::Ready(None) => self.is_over = true,
                Poll::Pending => {
                    return !self.waiting.is_empty() && self.timer.poll_elapsed(context).is_ready();
                }
            }
        }
        true
    }

    fn read(&mut self) {
        let texts: Vec<&str> = self.waiting.iter().map(AsRef::as_ref).collect();
        self.engine.analyze_into(&texts, &mut self.readings);
        self.ready
            .extend(self.waiting.drain(..).zip(self.readings.iter()));
    }
}

impl<S, T> Stream for EmotionStream<S, T>
where
    S: Stream,
    S::Item: AsRef<str> + Unpin,
    T: BatchTimer + Unpin,
{
    type Item = (S::Item, EmotionReading);

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.ready.is_empty() {
            if !this.fill(context) {
                return Poll::Pending;
            }
            this.read();
        }
        Poll::Ready(this.ready.pop_front())
    }
}

impl<S: Stream, T> fmt::Debug for EmotionStream<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmotionStream")
            .field("waiting", &self.waiting.len())
            .field("ready", &self.ready.len())
            .field("is_over", &self.is_over)
            .finish_non_exhaustive()
    }
}
