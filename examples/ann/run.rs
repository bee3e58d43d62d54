//! Builds an index for every owner and measures each of its settings.

use std::{
    error::Error,
    fmt,
    str::FromStr,
    thread,
    time::{Duration, Instant},
};

use whisperengine_examples::{
    measure::{self, Latencies},
    progress,
};
use whisperengine_vector_memory::index::{
    self, IndexConfig, IndexError, IndexKind, SearchParams, VectorIndex,
};

use crate::{
    Args,
    data::Data,
    report::{Report, Row},
};

/// An index to build.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    kind: IndexKind,
    /// What faiss is to make.
    description: Option<String>,
}

impl FromStr for Choice {
    type Err = IndexError;

    fn from_str(text: &str) -> Result<Self, IndexError> {
        let (kind, description) = match text.split_once(':') {
            Some(("faiss", description)) => ("faiss", Some(description.to_owned())),
            _ => (text, None),
        };
        let kind = kind.parse()?;
        Ok(Self { kind, description })
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.description {
            Some(description) => write!(f, "{}:{description}", self.kind),
            None => self.kind.fmt(f),
        }
    }
}

/// Lists to scan and estimates to narrow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnSetting {
    probes: usize,
    candidates: usize,
}

impl FromStr for OwnSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = |part: &str| part.parse().map_err(|error| format!("{part:?}: {error}"));
        let (probes, candidates) = text.split_once(':').ok_or("not LISTS:CANDIDATES")?;
        Ok(Self {
            probes: parse(probes)?,
            candidates: parse(candidates)?,
        })
    }
}

pub(crate) fn config(args: &Args, choice: &Choice) -> IndexConfig {
    let mut config = IndexConfig::new(choice.kind);
    if let Some(description) = &choice.description {
        config.faiss.clone_from(description);
    }
    config.faiss_search.clone_from(&args.faiss_search);
    config.threads = args.threads;
    config.seed = args.seed;
    config.lists = args.lists;
    config
}

pub(crate) fn run(
    args: &Args,
    data: &Data,
    choice: &Choice,
    report: &mut Report,
) -> Result<(), Box<dyn Error>> {
    let bar = progress::bar(data.owners.len() as u64, &format!("build {choice}"));
    let start = measure::now();
    let config = config(args, choice);
    let mut indexes = Vec::new();
    for owner in &data.owners {
        indexes.push(index::build(
            data.dim,
            &config,
            owner.vectors.chunks_exact(data.dim),
        )?);
        bar.inc(1);
    }
    let build = start.elapsed();
    bar.finish_and_clear();
    let vectors: usize = indexes.iter().map(|index| index.len()).sum();
    let rest: usize = indexes.iter().map(|index| index.memory().rest).sum();
    for (setting, params) in settings(args, choice.kind) {
        let bar = progress::spinner(&format!("search {choice} {setting}"));
        let found = (0..data.queries())
            .map(|query| {
                Ok(search(data, &indexes, &params, query)?
                    .iter()
                    .map(|hit| hit.slot)
                    .collect())
            })
            .collect::<Result<Vec<Vec<u32>>, index::IndexError>>()?;
        let measured = measure(args, data, &indexes, &params);
        bar.finish_and_clear();
        report.add(Row {
            index: choice.to_string(),
            setting,
            recall: data.recall(&found),
            queries_per_second: measured.count as f64 / measured.elapsed.as_secs_f64(),
            per_cpu_second: measured.count as f64 / measured.cpu.as_secs_f64(),
            p50_us: measured.latencies.p50_ms() * 1e3,
            p99_us: measured.latencies.p99_ms() * 1e3,
            build_seconds: build.as_secs_f64(),
            bytes_per_vector: rest as f64 / vectors.max(1) as f64,
            threads: args.threads,
        });
    }
    Ok(())
}

/// What is measured of each kind: an operating curve, from fast to exact.
fn settings(args: &Args, kind: IndexKind) -> Vec<(String, SearchParams)> {
    let own = args.settings.iter().map(|own| {
        let mut params = SearchParams::new(args.k);
        (params.probes, params.candidates) = (Some(own.probes), Some(own.candidates));
        (
            format!("{} lists, {} candidates", own.probes, own.candidates),
            params,
        )
    });
    let by_recall = |recalls: &[f32]| {
        let each = recalls.iter().map(|&recall| {
            (
                format!("recall {recall}"),
                SearchParams::new(args.k).recall(recall),
            )
        });
        each.collect()
    };
    match kind {
        IndexKind::Ivf | IndexKind::Auto if !args.settings.is_empty() => own.collect(),
        IndexKind::Ivf | IndexKind::Auto => by_recall(&[0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999, 1.0]),
        IndexKind::HnswRs => {
            let views = [16, 32, 64, 96, 128, 256, 512];
            let each = views.map(|ef| {
                let mut params = SearchParams::new(args.k);
                params.ef_search = Some(ef);
                (format!("ef {ef}"), params)
            });
            each.to_vec()
        }
        IndexKind::Faiss if !args.faiss_search.is_empty() => {
            vec![(args.faiss_search.clone(), SearchParams::new(args.k))]
        }
        _ => vec![(String::from("-"), SearchParams::new(args.k))],
    }
}

fn search(
    data: &Data,
    indexes: &[Box<dyn VectorIndex>],
    params: &SearchParams,
    query: usize,
) -> index::Result<Vec<index::Hit>> {
    let owner = data.owner_of(query);
    indexes[owner].search(data.query(query), params, data.owners[owner].allowed.as_ref())
}

struct Measured {
    count: u64,
    elapsed: Duration,
    cpu: Duration,
    latencies: Latencies,
}

/// Every thread asks all queries over and over, one at a time, for the time given.
fn measure(args: &Args, data: &Data, indexes: &[Box<dyn VectorIndex>], params: &SearchParams) -> Measured {
    let wanted = Duration::from_secs_f64(args.seconds);
    let ask = |thread: usize, start: Instant| {
        let mut latencies = Latencies::default();
        let mut query = thread * 97 % data.queries();
        let mut before = measure::now();
        while before - start < wanted {
            let hits = search(data, indexes, params, query);
            std::hint::black_box(&hits);
            let after = measure::now();
            latencies.record(after - before);
            before = after;
            query = (query + 1) % data.queries();
        }
        latencies
    };
    let (start, cpu) = (measure::now(), measure::process_cpu());
    let latencies = thread::scope(|scope| {
        let asking: Vec<_> = (0..args.threads)
            .map(|thread| scope.spawn(move || ask(thread, start)))
            .collect();
        let mut all = Latencies::default();
        for thread in asking {
            all.merge(&thread.join().expect("a search does not panic"));
        }
        all
    });
    Measured {
        count: latencies.count(),
        elapsed: start.elapsed(),
        cpu: measure::process_cpu() - cpu,
        latencies,
    }
}
