//! What the examples share: reading inputs, progress bars, measurements and plots.
#![forbid(unsafe_code)]

mod crowd;
pub mod disk;
pub mod drive;
pub mod input;
pub mod measure;
pub mod plot;
pub mod progress;
pub mod recorded;
pub mod report;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
