//! The tokenizer and the static table on any text: an embedding of the right dimension, the same each time.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use whisperengine_text_embedding::StaticEmbedder;
use whisperengine_types::Embedder;

static EMBEDDER: LazyLock<StaticEmbedder> = LazyLock::new(StaticEmbedder::embedded);

fuzz_target!(|text: &str| {
    let embedding = EMBEDDER.embed(text).expect("every text has an embedding");
    assert_eq!(embedding.space(), EMBEDDER.space());
    assert_eq!(
        EMBEDDER.embed(text).expect("every text has an embedding"),
        embedding
    );
});
