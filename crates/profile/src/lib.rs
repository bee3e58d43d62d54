//! What is known of a person: facts read from what they say, with when they held and where they come from.
//!
//! ```
//! use whisperengine_profile::{Profile, Statement};
//! use whisperengine_types::{MemoryId, Slot, Timestamp};
//!
//! let mut profile = Profile::new();
//! let day = |n: i64| Timestamp::from_millis(1_767_225_600_000 + n * 86_400_000);
//! profile.learn(&Statement::new(MemoryId::from_number(1), "I live in Hamburg, close to the harbor", day(0)));
//! profile.learn(&Statement::new(MemoryId::from_number(2), "done, I moved to Munich last weekend", day(40)));
//!
//! let home = profile.facts_in_force(day(41));
//! assert_eq!((home[0].slot, home[0].value.as_str()), (Slot::Residence, "Munich"));
//! let history: Vec<_> = profile.history(Slot::Residence).map(|fact| fact.value.as_str()).collect();
//! assert_eq!(history, ["Hamburg", "Munich"]);
//! assert_eq!(profile.superseded_sources(day(41)), [MemoryId::from_number(1)]);
//!
//! let answer = profile.answer(&Statement::new(MemoryId::from_number(3), "where do I live?", day(41))).unwrap();
//! assert_eq!(answer.facts[0].value, "Munich");
//! ```
//!
//! # Concepts
//! A [`Profile`] is a value: the same statements in the same order give the same bytes. A new value of a slot
//! with one value at a time ends the old one, which stays as history; so do "my cat died", "we broke up" and
//! "I sold the car". What is asked, wished, supposed, quoted or said of others is not taken for a fact of the
//! person. Deleting a message takes its facts along and restores what they had ended.
//!
//! # It is not
//! A language model: rules read what is said in so many words, and leave out what they are not sure of.
//! A [`FactExtractor`] adds what a model reads, validated against the text it quotes.
//!
//! # Limits
//! [`MAX_BYTES`] a person; of a message the first 8 KiB are read; times are UTC milliseconds, days are those
//! of the person's zone. Eighteen languages: English completely, eight others for common slots, nine for
//! name, residence, work, allergies, pets, family and likes.
//!
//! # How it works
//! Each language has a rule file: classes of words, and patterns over words with a slot, a polarity and a
//! capture. A rule is tried where its rarest word stands, so that a line without cues costs its cutting into
//! words.
#![forbid(unsafe_code)]

mod answer;
mod change;
mod codec;
mod correction;
mod error;
mod extract;
mod extractor;
mod grammar;
mod ledger;
mod profile;
mod relation;
mod statement;
mod text;
mod time;

pub use answer::{Asked, FactAnswer};
pub use change::FactChange;
pub use error::{Error, Result};
pub use extractor::{ExtractError, Extracted, FactExtractor, NoExtractor, Rejected, Said, validate};
pub use ledger::MAX_BYTES;
pub use profile::Profile;
pub use statement::{Speaker, Statement};
