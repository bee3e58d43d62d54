//! `cargo run --release --example chroma_import -- EXPORT.jsonl --store FOLDER --collection NAME` moves a Chroma collection over and prints what arrived.
//!
//! EXPORT is JSON Lines of `{id, document?, metadata?, embedding?}`, as this Python program writes it:
//!
//! ```python
//! got = collection.get(include=["documents", "metadatas", "embeddings"])
//! for i, id in enumerate(got["ids"]):
//!     print(json.dumps({"id": id, "document": got["documents"][i], "metadata": got["metadatas"][i],
//!                       "embedding": [float(x) for x in got["embeddings"][i]]}))
//! ```

use std::{error::Error, path::PathBuf, sync::Arc};

use clap::Parser;
use serde::Deserialize;
use whisperengine_examples::{input, progress};
use whisperengine_text_embedding::StaticEmbedder;
use whisperengine_vector_memory::{
    Metric, VectorMemoryConfig,
    chroma::{Client, CollectionOptions, Metadata, Query, Records},
};

/// Move a Chroma collection over.
#[derive(Debug, Parser)]
struct Args {
    /// JSON Lines of {id, document?, metadata?, embedding?}.
    export: PathBuf,
    /// Folder of the new store.
    #[arg(long)]
    store: PathBuf,
    /// Name of the new collection.
    #[arg(long, default_value = "imported")]
    collection: String,
    /// What "near" means.
    #[arg(long, default_value = "cosine", value_parser = ["cosine", "ip", "l2"])]
    metric: String,
    /// Search for this text afterwards; needs a collection without embeddings of its own.
    #[arg(long)]
    query: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Line {
    id: String,
    document: Option<String>,
    metadata: Option<Metadata>,
    embedding: Option<Vec<f32>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let lines: Vec<Line> = input::json_lines(&args.export)?;
    let embedder = Arc::new(StaticEmbedder::embedded());
    let client = Client::open(&args.store, Some(embedder), VectorMemoryConfig::default())?;
    let metric = match args.metric.as_str() {
        "ip" => Metric::Ip,
        "l2" => Metric::L2,
        _ => Metric::Cosine,
    };
    let options = CollectionOptions {
        metadata: None,
        metric: Some(metric),
    };
    let collection = client.get_or_create_collection(&args.collection, options)?;
    let bar = progress::bar(lines.len() as u64, "records");
    let total = lines.len();
    for page in pages(lines) {
        bar.inc(page.ids.len() as u64);
        collection.upsert(page)?;
    }
    bar.finish_and_clear();
    println!(
        "{total} lines read, {} records in {:?}",
        collection.count()?,
        collection.name()?
    );
    if let Some(text) = args.query {
        let found = collection.query(&Query {
            texts: Some(vec![text]),
            n_results: 3,
            ..Query::default()
        })?;
        let distances = found.distances.unwrap_or_default();
        for (id, distance) in found.ids[0].iter().zip(distances.first().into_iter().flatten()) {
            println!("{distance:.4}  {id}");
        }
    }
    Ok(())
}

/// Batches of records that are alike in what they have, for one call is all or nothing in each list.
fn pages(lines: Vec<Line>) -> Vec<Records> {
    let mut pages: Vec<Records> = Vec::new();
    let mut shape = None;
    for line in lines {
        let this = (line.document.is_some(), line.embedding.is_some());
        if shape != Some(this) || pages.last().is_none_or(|page| page.ids.len() == PAGE) {
            shape = Some(this);
            pages.push(Records {
                embeddings: this.1.then(Vec::new),
                documents: this.0.then(Vec::new),
                metadatas: Some(Vec::new()),
                ids: Vec::new(),
            });
        }
        let Some(page) = pages.last_mut() else { continue };
        page.ids.push(line.id);
        if let Some(metadatas) = &mut page.metadatas {
            metadatas.push(line.metadata.filter(|metadata| !metadata.is_empty()));
        }
        if let (Some(documents), Some(document)) = (&mut page.documents, line.document) {
            documents.push(document);
        }
        if let (Some(embeddings), Some(embedding)) = (&mut page.embeddings, line.embedding) {
            embeddings.push(embedding);
        }
    }
    pages
}

const PAGE: usize = 256;
