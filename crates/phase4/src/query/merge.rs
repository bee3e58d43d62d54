use std::collections::HashMap;

use whisperengine_types::{MemoryId, RecalledMemory};

use super::{QueryKind, RecallQuery};

/// One list from the results of several queries, best first: each memory once, with its best weight times
/// score, at most `limit`. Give the fallback's results last: they come in only where the others leave room.
pub fn merge_recalled(results: &[(RecallQuery, Vec<RecalledMemory>)], limit: usize) -> Vec<RecalledMemory> {
    let mut places: HashMap<&MemoryId, usize> = HashMap::new();
    let mut merged: Vec<(bool, f32, &RecalledMemory)> = Vec::new();
    for (query, found) in results {
        let filler = query.kind == QueryKind::Fallback;
        for recalled in found {
            let rank = query.weight
                * if recalled.score.is_finite() {
                    recalled.score
                } else {
                    0.0
                };
            match places.get(&recalled.memory.id) {
                Some(&place) if merged[place].0 || !filler => {
                    let known = &mut merged[place];
                    known.0 &= filler;
                    known.1 = known.1.max(rank);
                }
                Some(_) => {}
                None => {
                    places.insert(&recalled.memory.id, merged.len());
                    merged.push((filler, rank, recalled));
                }
            }
        }
    }
    merged.sort_by(|a, b| {
        a.0.cmp(&b.0)
            .then(b.1.total_cmp(&a.1))
            .then_with(|| a.2.memory.id.as_str().cmp(b.2.memory.id.as_str()))
    });
    let ranked = merged.into_iter().take(limit);
    ranked
        .map(|(_, rank, recalled)| RecalledMemory {
            score: rank,
            ..recalled.clone()
        })
        .collect()
}
