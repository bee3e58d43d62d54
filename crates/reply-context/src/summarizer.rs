//! The port for summaries by a language model.

use std::{fmt::Debug, sync::Arc};

use whisperengine_types::BoxFuture;

use crate::window::SummaryLine;

/// Condenses what fell out of a [`DialogueWindow`](crate::DialogueWindow); off the reply path.
///
/// Dropping the future gives the summary up; the extracted sentences remain. Asking twice for the same
/// request does no harm.
pub trait Summarizer: Send + Sync + Debug {
    /// A digest of `request` in the language of the talk, at most [`SummaryRequest::limit_bytes`] long;
    /// `None` to keep the extracted sentences.
    fn summarize(&self, request: SummaryRequest) -> BoxFuture<'_, Result<Option<String>, SummarizerError>>;
}

impl<T: Summarizer + ?Sized> Summarizer for Arc<T> {
    fn summarize(&self, request: SummaryRequest) -> BoxFuture<'_, Result<Option<String>, SummarizerError>> {
        (**self).summarize(request)
    }
}

impl<T: Summarizer + ?Sized> Summarizer for Box<T> {
    fn summarize(&self, request: SummaryRequest) -> BoxFuture<'_, Result<Option<String>, SummarizerError>> {
        (**self).summarize(request)
    }
}

/// What is to be condensed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SummaryRequest {
    /// The digest so far.
    pub digest: Option<String>,
    /// Sentences that came after it, oldest first.
    pub lines: Vec<SummaryLine>,
    /// The longest digest, in bytes.
    pub limit_bytes: usize,
    /// The state of the window that this is of.
    pub(crate) revision: u32,
}

/// Why there is no digest.
#[derive(Debug, Clone, thiserror::Error)]
#[error("summarizer is unavailable: {reason}")]
pub struct SummarizerError {
    /// What is known of the cause.
    pub reason: String,
}

/// The null summarizer: the extracted sentences remain.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSummarizer;

impl Summarizer for NoSummarizer {
    fn summarize(&self, _: SummaryRequest) -> BoxFuture<'_, Result<Option<String>, SummarizerError>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}
