//! Time, CPU time and memory of this process.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};

/// Wall-clock time, for measuring.
#[expect(clippy::disallowed_methods, reason = "the examples measure")]
pub fn now() -> Instant {
    Instant::now()
}

/// CPU time that all threads of this process have used so far.
pub fn process_cpu() -> Duration {
    cpu(ClockId::ProcessCPUTime)
}

/// CPU time that this thread has used so far: what is left of a pause when the time for which others had
/// the processor is taken away.
pub fn thread_cpu() -> Duration {
    cpu(ClockId::ThreadCPUTime)
}

fn cpu(clock: ClockId) -> Duration {
    let spent = clock_gettime(clock);
    Duration::new(spent.tv_sec.unsigned_abs(), spent.tv_nsec.unsigned_abs() as u32)
}

/// Resident memory at present, in bytes; 0 where the system does not say.
pub fn rss_bytes() -> u64 {
    status_bytes("VmRSS:")
}

/// The most resident memory so far, in bytes; 0 where the system does not say.
pub fn peak_rss_bytes() -> u64 {
    status_bytes("VmHWM:")
}

fn status_bytes(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0) * 1024
}

/// Latencies from 100 ns to 100 s, to three digits.
#[derive(Debug, Clone)]
pub struct Latencies {
    histogram: Histogram<u64>,
}

impl Default for Latencies {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(100, 100_000_000_000, 3).expect("the bounds are in order");
        Self { histogram }
    }
}

impl Latencies {
    /// Adds one latency; out of range, it counts as the nearest bound.
    pub fn record(&mut self, latency: Duration) {
        self.histogram
            .saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Adds those of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.histogram
            .add(&other.histogram)
            .expect("both have the same bounds");
    }

    /// How many were recorded.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The latency that a share `quantile` (`0..=1`) of those recorded does not exceed; 0 without any.
    pub fn quantile(&self, quantile: f64) -> Duration {
        if self.histogram.is_empty() {
            return Duration::ZERO;
        }
        Duration::from_nanos(self.histogram.value_at_quantile(quantile))
    }

    /// The median, in milliseconds.
    pub fn p50_ms(&self) -> f64 {
        self.quantile(0.50).as_secs_f64() * 1e3
    }

    /// The 95th percentile, in milliseconds.
    pub fn p95_ms(&self) -> f64 {
        self.quantile(0.95).as_secs_f64() * 1e3
    }

    /// The 99th percentile, in milliseconds.
    pub fn p99_ms(&self) -> f64 {
        self.quantile(0.99).as_secs_f64() * 1e3
    }
}
