//! Letter case as CPython 3.12 sees it (Unicode 15.0).
//!
//! The standard library follows newer Unicode versions, in which more code points have case; VADER's
//! ALLCAPS test must not.

use std::{cmp::Ordering, sync::LazyLock};

/// The case of one code point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Upper,
    /// Lower or title case: either one makes a word not upper case.
    Other,
    None,
}

/// The case of `c`.
pub(crate) fn case(c: char) -> Case {
    if c.is_ascii() {
        return match c {
            'A'..='Z' => Case::Upper,
            'a'..='z' => Case::Other,
            _ => Case::None,
        };
    }
    let code = u32::from(c);
    // Runs of step 2 may interleave with their neighbour, so that one more on the left can hold the code.
    let end = RUNS.partition_point(|run| run.first <= code);
    RUNS[end.saturating_sub(2)..end]
        .iter()
        .find(|run| code <= run.last && (code - run.first).is_multiple_of(run.step))
        .map_or(Case::None, |run| run.case)
}

struct Run {
    first: u32,
    last: u32,
    step: u32,
    case: Case,
}

static RUNS: LazyLock<Vec<Run>> = LazyLock::new(|| {
    let hex = |field: &str| u32::from_str_radix(field, 16).expect("case.tsv holds hexadecimal code points");
    let mut runs: Vec<Run> = include_str!("../../data/case.tsv")
        .lines()
        .map(|line| {
            let mut fields = line.split('\t');
            let mut next = || fields.next().expect("case.tsv has four columns");
            Run {
                first: hex(next()),
                last: hex(next()),
                step: hex(next()),
                case: if next() == "u" { Case::Upper } else { Case::Other },
            }
        })
        .collect();
    runs.sort_by(|a, b| a.first.cmp(&b.first).then(Ordering::Equal));
    runs
});
