//! Progress bars on standard error; they hide themselves when it is not a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over `len` steps of `what`, with rate and time left.
pub fn bar(len: u64, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:18} {bar:36} {pos}/{len} {per_sec} {eta}")
        .expect("the template is well-formed");
    ProgressBar::new(len)
        .with_style(style)
        .with_message(what.to_owned())
}

/// A spinner for work of unknown length.
pub fn spinner(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:18} {spinner} {pos} {per_sec}")
        .expect("the template is well-formed");
    ProgressBar::no_length()
        .with_style(style)
        .with_message(what.to_owned())
}
