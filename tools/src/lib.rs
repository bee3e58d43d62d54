//! Training of the emotion models. The programs are in `src/bin`; `emotion/README.md` says how to run them.
#![forbid(unsafe_code)]

pub mod multilingual;
mod random;

pub use random::SplitMix;
