//! hit@k and recall@k over queries whose answers are known.

use whisperengine_examples::measure::Latencies;

/// The counts at each depth.
#[derive(Debug, Default)]
pub struct Scores {
    queries: usize,
    scored: usize,
    hits: [usize; DEPTHS.len()],
    recall: [f64; DEPTHS.len()],
}

impl Scores {
    /// Counts one ranking.
    pub fn add(&mut self, found: &[&str], relevant: &[String]) {
        self.queries += 1;
        if relevant.is_empty() {
            return;
        }
        self.scored += 1;
        for (at, depth) in DEPTHS.into_iter().enumerate() {
            let first = &found[..depth.min(found.len())];
            let among = relevant.iter().filter(|id| first.contains(&id.as_str())).count();
            self.hits[at] += usize::from(among > 0);
            self.recall[at] += among as f64 / relevant.len() as f64;
        }
    }

    /// Prints the table, as text or as JSON.
    pub fn print(&self, latencies: &Latencies, json: bool) {
        let scored = self.scored.max(1) as f64;
        let share = |at: usize| (self.hits[at] as f64 / scored, self.recall[at] / scored);
        if json {
            let mut object = serde_json::json!({
                "queries": self.queries,
                "scored": self.scored,
                "p50_ms": latencies.p50_ms(),
                "p99_ms": latencies.p99_ms(),
            });
            for (at, depth) in DEPTHS.into_iter().enumerate() {
                object[format!("hit@{depth}")] = share(at).0.into();
                object[format!("recall@{depth}")] = share(at).1.into();
            }
            println!("{object}");
            return;
        }
        for (at, depth) in DEPTHS.into_iter().enumerate().filter(|_| self.scored > 0) {
            let (hit, recall) = share(at);
            println!("hit@{depth:<3} {hit:.4}   recall@{depth:<3} {recall:.4}");
        }
        println!(
            "{} queries, {} with known answers; p50 {:.3} ms, p99 {:.3} ms",
            self.queries,
            self.scored,
            latencies.p50_ms(),
            latencies.p99_ms(),
        );
    }
}

const DEPTHS: [usize; 4] = [1, 5, 10, 20];
