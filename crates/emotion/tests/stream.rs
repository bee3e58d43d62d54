//! Streams end cleanly, keep order, and read a batch when it is full, when its time is up, or at the end.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    cell::RefCell,
    collections::VecDeque,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_core::Stream;
use whisperengine_emotion::{BatchTimer, EmotionEngine, EmotionStream, NoTimer, StreamBatch};

/// Yields what it was given; `None` in the script means "nothing now", the end of it is the end.
struct Script(VecDeque<Option<String>>);

impl Stream for Script {
    type Item = String;

    fn poll_next(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Option<String>> {
        match self.0.pop_front() {
            Some(Some(text)) => Poll::Ready(Some(text)),
            Some(None) => Poll::Pending,
            None => Poll::Ready(None),
        }
    }
}

/// A timer that a test fires by hand.
#[derive(Clone, Default)]
struct ManualTimer(Rc<RefCell<(Option<Duration>, bool)>>);

impl BatchTimer for ManualTimer {
    fn start(&mut self, span: Duration) {
        *self.0.borrow_mut() = (Some(span), false);
    }

    fn poll_elapsed(&mut self, _context: &mut Context<'_>) -> Poll<()> {
        if self.0.borrow().1 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

fn script(texts: &[Option<&str>]) -> Script {
    Script(texts.iter().map(|text| text.map(str::to_owned)).collect())
}

fn poll<S: Stream + Unpin>(stream: &mut S) -> Poll<Option<S::Item>> {
    Pin::new(stream).poll_next(&mut Context::from_waker(Waker::noop()))
}

fn batch(items: usize) -> StreamBatch {
    StreamBatch {
        items,
        wait: Duration::from_millis(5),
    }
}

#[test]
fn the_end_of_the_stream_neither_hangs_nor_loses_the_last_texts() {
    let texts = ["one", "two", "I am so happy", "four", "five"];
    let source = script(&texts.map(Some));
    let engine = EmotionEngine::new();
    let mut stream = EmotionStream::new(engine.clone(), source, batch(3), NoTimer);
    for text in texts {
        let Poll::Ready(Some((item, reading))) = poll(&mut stream) else {
            panic!("{text} is missing");
        };
        assert_eq!(item, text);
        assert_eq!(reading, engine.analyze(text));
    }
    assert!(matches!(poll(&mut stream), Poll::Ready(None)));
    assert!(matches!(poll(&mut stream), Poll::Ready(None)), "it stays ended");
}

#[test]
fn a_batch_that_is_not_full_is_read_when_its_time_is_up() {
    let source = script(&[Some("a"), Some("b"), None, None, Some("c")]);
    let timer = ManualTimer::default();
    let mut stream = EmotionStream::new(EmotionEngine::new(), source, batch(10), timer.clone());
    assert!(poll(&mut stream).is_pending());
    assert_eq!(timer.0.borrow().0, Some(Duration::from_millis(5)));
    timer.0.borrow_mut().1 = true;
    let mut seen = Vec::new();
    while let Poll::Ready(Some((item, _))) = poll(&mut stream) {
        seen.push(item);
    }
    assert_eq!(seen, ["a", "b", "c"]);
}

#[test]
fn an_empty_stream_ends_at_once() {
    let mut stream = EmotionStream::new(EmotionEngine::new(), script(&[]), batch(0), NoTimer);
    assert!(matches!(poll(&mut stream), Poll::Ready(None)));
}
