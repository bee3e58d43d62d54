//! The table, the JSON Lines and the plot.

use std::{
    error::Error,
    io::{self, Write},
    path::Path,
};

use serde::Serialize;
use whisperengine_examples::plot::{self, Chart, Scale, Series};

#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) index: String,
    pub(crate) setting: String,
    pub(crate) recall: f64,
    pub(crate) queries_per_second: f64,
    /// Queries for each second of CPU time: what a busy machine does not change.
    pub(crate) per_cpu_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) build_seconds: f64,
    pub(crate) bytes_per_vector: f64,
    pub(crate) threads: usize,
}

pub(crate) struct Report {
    json: bool,
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        if !json {
            print(&format!(
                "{:<24} {:<28} {:>7} {:>10} {:>10} {:>9} {:>9} {:>8} {:>9}",
                "index",
                "setting",
                "recall",
                "queries/s",
                "q/CPU s",
                "p50 us",
                "p99 us",
                "build s",
                "B/vector"
            ));
        }
        Self {
            json,
            rows: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, row: Row) {
        print(&if self.json {
            serde_json::to_string(&row).expect("numbers and text are JSON")
        } else {
            format!(
                "{:<24} {:<28} {:>7.4} {:>10.0} {:>10.0} {:>9.1} {:>9.1} {:>8.2} {:>9.0}",
                row.index,
                row.setting,
                row.recall,
                row.queries_per_second,
                row.per_cpu_second,
                row.p50_us,
                row.p99_us,
                row.build_seconds,
                row.bytes_per_vector
            )
        });
        self.rows.push(row);
    }

    pub(crate) fn plot(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        let mut series: Vec<Series> = Vec::new();
        for row in &self.rows {
            if series.last().is_none_or(|last| last.name != row.index) {
                series.push(Series {
                    name: row.index.clone(),
                    points: Vec::new(),
                });
            }
            let last = series.last_mut().expect("one was just added");
            last.points.push((row.recall, row.queries_per_second));
        }
        let chart = Chart {
            title: "Recall against speed",
            x: ("recall", Scale::Linear),
            y: ("queries/s", Scale::Log),
        };
        plot::lines(path, &chart, &series)
    }
}

/// A line on standard output; a closed pipe is no failure.
pub(crate) fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

pub(crate) fn failure(error: &dyn Error) {
    let _ = writeln!(io::stderr(), "error: {error}");
}
