//! How the person feels, how that fits what is known of them, and how to answer it.
//!
//! The reading comes from outside; this module maps its label to one of nine states, finds what set the
//! feeling off, compares it with the person's history and turns it into guidance. Without a reading
//! (confidence 0) the lexicon stands in. A label that the words contradict is not believed: "not happy"
//! is no joy, whatever the label says.

mod context;
mod focus;
mod guidance;
mod history;
mod mapping;

pub(crate) use context::{Assessment, EmotionalContext, assess};
pub(crate) use focus::focus;
pub(crate) use guidance::guide;
pub use history::{EmotionalCluster, EmotionalSummary};
pub(crate) use history::{EmotionalHistory, Felt};
pub use mapping::emotional_state_from_label;
