//! Does an index lose vectors, or keep what was deleted?

use std::{collections::HashSet, error::Error};

use whisperengine_examples::progress;
use whisperengine_vector_memory::index::{self, SearchParams, VectorIndex};

use crate::{
    Args,
    data::{Data, Random},
    report::print,
    run,
};

/// Rounds of deleting and adding again.
const ROUNDS: usize = 10;

/// The share of the vectors that each round replaces.
const SHARE: f64 = 0.2;

pub(crate) fn verify(args: &Args, data: &Data, kind: &run::Choice) -> Result<(), Box<dyn Error>> {
    let config = run::config(args, kind);
    let params = SearchParams::new(args.k);
    let mut built = Vec::new();
    for owner in &data.owners {
        built.push(index::build(
            data.dim,
            &config,
            owner.vectors.chunks_exact(data.dim),
        )?);
    }
    let vectors: usize = built.iter().map(|index| index.len()).sum();
    let before = recall(data, &built, &params)?;
    print(&format!(
        "{kind}: {} of {vectors} do not find themselves after the build",
        lost(args, &built)?
    ));

    let mut random = Random(args.seed);
    let bar = progress::bar(ROUNDS as u64, "delete and add");
    let mut ghosts = 0;
    for _ in 0..ROUNDS {
        for index in &mut built {
            ghosts += replace_some(index.as_mut(), data, &params, &mut random)?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let after = recall(data, &built, &params)?;
    print(&format!(
        "{kind}: {} of {vectors} after {ROUNDS} rounds of replacing a fifth",
        lost(args, &built)?
    ));
    print(&format!("{kind}: {ghosts} deleted vectors were found"));
    print(&format!(
        "{kind}: recall {before:.4} before, {after:.4} after the rounds"
    ));

    let mut loaded = Vec::new();
    for index in &built {
        let mut file = Vec::new();
        index.save(&mut file)?;
        loaded.push(index::load(&mut file.as_slice(), &config)?);
    }
    print(&format!(
        "{kind}: {} of {vectors} after a save and load",
        lost(args, &loaded)?
    ));
    let again = recall(data, &loaded, &params)?;
    print(&format!("{kind}: recall {again:.4} after a save and load"));
    Ok(())
}

/// Deletes a random share, searches, and adds it again; how many deleted vectors were found meanwhile.
fn replace_some(
    index: &mut dyn VectorIndex,
    data: &Data,
    params: &SearchParams,
    random: &mut Random,
) -> Result<usize, Box<dyn Error>> {
    let gone: Vec<(u32, Vec<f32>)> = (0..index.slots())
        .filter(|_| random.chance(SHARE))
        .filter_map(|slot| Some((slot, index.vector(slot)?.to_vec())))
        .collect();
    for (slot, _) in &gone {
        index.delete(*slot);
    }
    let slots: HashSet<u32> = gone.iter().map(|(slot, _)| *slot).collect();
    let mut ghosts = 0;
    for (_, vector) in gone.iter().take(data.queries()) {
        let hits = index.search(vector, params, None)?;
        ghosts += hits.iter().filter(|hit| slots.contains(&hit.slot)).count();
    }
    // Back in another slot each: the freed slots in reverse.
    for ((slot, _), (_, vector)) in gone.iter().rev().zip(&gone) {
        index.insert(*slot, vector)?;
    }
    Ok(ghosts)
}

fn lost(args: &Args, indexes: &[Box<dyn VectorIndex>]) -> Result<usize, Box<dyn Error>> {
    let bar = progress::bar(
        indexes.iter().map(|index| index.len() as u64).sum(),
        "find itself",
    );
    let mut lost = 0;
    for index in indexes {
        for slot in 0..index.slots() {
            let Some(vector) = index.vector(slot) else {
                continue;
            };
            let hits = index.search(vector, &SearchParams::new(args.k), None)?;
            lost += usize::from(!hits.iter().any(|hit| hit.slot == slot));
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(lost)
}

/// Recall by vectors, not slots: the rounds move vectors between slots.
fn recall(
    data: &Data,
    indexes: &[Box<dyn VectorIndex>],
    params: &SearchParams,
) -> Result<f64, Box<dyn Error>> {
    let (mut found, mut wanted) = (0, 0);
    for query in 0..data.queries() {
        let (owner, vector) = (data.owner_of(query), data.query(query));
        let hits = indexes[owner].search(vector, params, None)?;
        let truth = &data.truth[query];
        let Some(&last) = truth.last() else {
            continue;
        };
        let last = &data.owners[owner].vectors[last as usize * data.dim..][..data.dim];
        let least: f64 = vector
            .iter()
            .zip(last)
            .map(|(&a, &b)| f64::from(a) * f64::from(b))
            .sum();
        found += hits
            .iter()
            .filter(|hit| f64::from(hit.similarity.value()) >= least - 1e-6)
            .count()
            .min(truth.len());
        wanted += truth.len();
    }
    Ok(f64::from(found as u32) / f64::from(wanted.max(1) as u32))
}
