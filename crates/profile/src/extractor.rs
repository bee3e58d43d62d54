//! A language model's facts, in the background.

use std::fmt;

use whisperengine_types::{Audience, BoxFuture, Fact, FactSource, MemoryId, Polarity, Slot, Timestamp};

use crate::relation::shares_word;

/// Reads facts from messages by other means than rules, such as a language model.
///
/// Called off the reply path with a batch of statements of one owner, in order. It may be called again with
/// the same batch after an error; cancelling it loses nothing but its answer. What it returns is a proposal:
/// [`validate`] decides what of it is entered, with [`Profile::set_fact`](crate::Profile::set_fact).
pub trait FactExtractor: Send + Sync + fmt::Debug {
    /// The facts that the messages state, in any order.
    ///
    /// # Errors
    /// [`ExtractError`] when none could be read; the batch may be tried again later.
    fn extract<'a>(&'a self, messages: &'a [Said<'a>])
    -> BoxFuture<'a, Result<Vec<Extracted>, ExtractError>>;
}

/// A message given to a [`FactExtractor`].
#[derive(Debug, Clone)]
pub struct Said<'a> {
    /// The memory that keeps it.
    pub memory: MemoryId,
    /// What the person said.
    pub text: &'a str,
    /// When.
    pub sent_at: Timestamp,
    /// Before whom.
    pub audience: Audience,
}

/// A fact that an extractor proposes.
#[derive(Debug, Clone, PartialEq)]
pub struct Extracted {
    /// The message that says so.
    pub memory: MemoryId,
    /// What it is about.
    pub slot: Slot,
    /// The value.
    pub value: String,
    /// More about the value.
    pub detail: Option<String>,
    /// Whether it is affirmed or denied.
    pub polarity: Polarity,
    /// The words of the message that say so, to the letter.
    pub quote: String,
}

/// Facts could not be extracted.
#[derive(Debug, thiserror::Error)]
#[error("facts could not be extracted: {reason}")]
pub struct ExtractError {
    /// Why.
    pub reason: String,
}

/// Why a proposed fact is not entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// No message of the batch has this id.
    #[error("no such message")]
    UnknownMessage,
    /// The quote does not stand in the message.
    #[error("the quote does not stand in the message")]
    NotQuoted,
    /// The quote does not hold the value.
    #[error("the quote does not hold the value")]
    NotInQuote,
    /// The value is empty or longer than 120 bytes.
    #[error("the value is empty or too long")]
    BadValue,
}

/// Turns a proposal into a fact, if the message says it in so many words.
///
/// # Errors
/// [`Rejected`] says which condition does not hold.
pub fn validate(proposed: &Extracted, messages: &[Said<'_>]) -> Result<Fact, Rejected> {
    let message = messages.iter().find(|message| message.memory == proposed.memory);
    let message = message.ok_or(Rejected::UnknownMessage)?;
    let value = proposed.value.trim();
    if value.len() > 120 || (value.is_empty() && proposed.polarity == Polarity::Affirmed) {
        return Err(Rejected::BadValue);
    }
    let quote = proposed.quote.trim();
    let at = message
        .text
        .find(quote)
        .filter(|_| !quote.is_empty())
        .ok_or(Rejected::NotQuoted)?;
    if !value.is_empty() && !shares_word(value, quote) && !quote.contains(value) {
        return Err(Rejected::NotInQuote);
    }
    let mut fact = Fact::new(proposed.slot, value, proposed.memory.clone(), message.sent_at);
    fact.detail.clone_from(&proposed.detail);
    fact.polarity = proposed.polarity;
    fact.quote = quote.into();
    fact.span = at as u32..(at + quote.len()) as u32;
    fact.confidence = 0.7;
    fact.told_by = FactSource::Model;
    fact.audience = message.audience.clone();
    Ok(fact)
}

/// Extracts nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoExtractor;

impl FactExtractor for NoExtractor {
    fn extract<'a>(&'a self, _: &'a [Said<'a>]) -> BoxFuture<'a, Result<Vec<Extracted>, ExtractError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

impl<E: FactExtractor + ?Sized> FactExtractor for std::sync::Arc<E> {
    fn extract<'a>(
        &'a self,
        messages: &'a [Said<'a>],
    ) -> BoxFuture<'a, Result<Vec<Extracted>, ExtractError>> {
        (**self).extract(messages)
    }
}

impl<E: FactExtractor + ?Sized> FactExtractor for Box<E> {
    fn extract<'a>(
        &'a self,
        messages: &'a [Said<'a>],
    ) -> BoxFuture<'a, Result<Vec<Extracted>, ExtractError>> {
        (**self).extract(messages)
    }
}
