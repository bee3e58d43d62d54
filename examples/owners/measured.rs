//! The figures, as text or as JSON.

use std::time::Duration;

use whisperengine_examples::measure::Latencies;

/// What filling the store took.
#[derive(Debug, Default)]
pub struct Fill {
    pub stored: usize,
    pub seconds: f64,
    pub cpu_seconds: f64,
}

/// What was measured.
#[derive(Debug, Default)]
pub struct Measured {
    pub owners: usize,
    pub memories_each: usize,
    pub dim: usize,
    pub filled: Fill,
    pub open_seconds: f64,
    pub cold: Latencies,
    pub recall: Latencies,
    pub recall_cpu_us: f64,
    pub search: Latencies,
    pub checked: usize,
    pub inexact: usize,
    pub resident_owners: usize,
    pub resident_mib: f64,
    pub other_mib: f64,
    pub partition_budget_mib: f64,
    pub budget_mib: f64,
    pub rss_mib: f64,
    pub rss_at_open_mib: f64,
    pub disk_mib: f64,
}

impl Measured {
    pub fn print(&self, json: bool) {
        let micros = |latencies: &Latencies, quantile| as_micros(latencies.quantile(quantile));
        let fill = &self.filled;
        let (per_second, cpu_each) = if fill.stored > 0 {
            (
                fill.stored as f64 / fill.seconds,
                fill.cpu_seconds * 1e6 / fill.stored as f64,
            )
        } else {
            (0.0, 0.0)
        };
        if json {
            let object = serde_json::json!({
                "owners": self.owners,
                "memories_each": self.memories_each,
                "dim": self.dim,
                "stored": fill.stored,
                "stores_per_second": per_second,
                "store_cpu_us": cpu_each,
                "open_seconds": self.open_seconds,
                "cold_p50_us": micros(&self.cold, 0.5),
                "cold_p99_us": micros(&self.cold, 0.99),
                "recall_p50_us": micros(&self.recall, 0.5),
                "recall_p99_us": micros(&self.recall, 0.99),
                "recall_cpu_us": self.recall_cpu_us,
                "search_p50_us": micros(&self.search, 0.5),
                "search_p99_us": micros(&self.search, 0.99),
                "checked": self.checked,
                "inexact": self.inexact,
                "resident_owners": self.resident_owners,
                "resident_mib": self.resident_mib,
                "other_mib": self.other_mib,
                "partition_budget_mib": self.partition_budget_mib,
                "budget_mib": self.budget_mib,
                "rss_mib": self.rss_mib,
                "rss_at_open_mib": self.rss_at_open_mib,
                "disk_mib": self.disk_mib,
            });
            println!("{object}");
            return;
        }
        let line = |what: &str, latencies: &Latencies| {
            println!(
                "{what:<24} p50 {:8.1} us   p99 {:8.1} us",
                micros(latencies, 0.5),
                micros(latencies, 0.99)
            );
        };
        println!(
            "{} owners of {} memories, {} dimensions, {:.0} MiB on disk",
            self.owners, self.memories_each, self.dim, self.disk_mib
        );
        println!(
            "stored {} at {per_second:.0} a second, {cpu_each:.1} us of CPU each",
            fill.stored
        );
        println!("opened in {:.3} s", self.open_seconds);
        line("first recall of an owner", &self.cold);
        line("recall with text", &self.recall);
        line("search by vector", &self.search);
        println!(
            "exact: {} of {} searches",
            self.checked - self.inexact,
            self.checked
        );
        println!(
            "{} owners in memory, {:.1} MiB, and words, {:.1} MiB, of {:.0} MiB for both; resident set {:.0} MiB of a budget of {:.0}, before opening {:.0}",
            self.resident_owners,
            self.resident_mib,
            self.other_mib,
            self.partition_budget_mib,
            self.rss_mib,
            self.budget_mib,
            self.rss_at_open_mib
        );
    }
}

fn as_micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
