//! What every embedder must do, as checks that any implementation or decorator can be put through.

use whisperengine_types::{Embedder, Embedding};

/// Puts `embedder` through every check.
///
/// It embeds a few hundred short texts and one of 64 KiB.
///
/// # Panics
/// With the contract that is broken, when one is.
pub fn check(embedder: &dyn Embedder) {
    let embed = |text: &str| embedder.embed(text).expect("every text has an embedding");
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let singles: Vec<Embedding> = texts.iter().map(|text| embed(text)).collect();

    for (text, embedding) in texts.iter().zip(&singles) {
        assert_eq!(
            embedding.space(),
            embedder.space(),
            "the embedder's space: {text:?}"
        );
        let norm = embedding.values().iter().map(|v| v * v).sum::<f32>().sqrt();
        assert!(
            norm == 0.0 || (norm - 1.0).abs() < 1e-3,
            "unit length or zero, not {norm}: {text:?}"
        );
        assert_close(&embed(text), embedding, "the same text again", text);
    }

    let batch = embedder
        .embed_batch(&texts)
        .expect("a batch of these texts has embeddings");
    assert_eq!(batch.len(), texts.len(), "one embedding for each text");
    for ((text, single), batched) in texts.iter().zip(&singles).zip(&batch) {
        assert_close(single, batched, "alone and in a batch, in order", text);
    }
    let none = embedder.embed_batch(&[]).expect("an empty batch is no error");
    assert!(none.is_empty(), "no embedding for no text");

    let repeated = embedder
        .embed_batch(&["one", "two", "one", "one"])
        .expect("a text may be repeated in a batch");
    assert_close(&repeated[0], &repeated[2], "equal texts of a batch", "one");
    assert_close(&repeated[0], &repeated[3], "equal texts of a batch", "one");
    assert_ne!(
        repeated[0], repeated[1],
        "different texts have different embeddings"
    );

    let long = "the quick brown fox jumps over the lazy dog. ".repeat(1500);
    assert_eq!(
        embed(&long).space(),
        embedder.space(),
        "a text of 64 KiB has an embedding"
    );

    let near = similarity(&embed("my dog is ill"), &embed("the dog is very ill today"));
    let far = similarity(
        &embed("my dog is ill"),
        &embed("quarterly revenue exceeded forecasts"),
    );
    assert!(
        near > far,
        "shared words are nearer than none: {near} against {far}"
    );
}

/// Plain, blank, odd and hostile texts; more than a parallel batch.
fn texts() -> Vec<String> {
    let odd = [
        "",
        " \t\r\n",
        "Hello, World!",
        "\u{0}\u{7f}\u{fffd}",
        "\u{200b}\u{feff}",
        "e\u{301}\u{301}\u{301}",
        "\u{202e}right to left\u{202c}",
        "👩\u{200d}👩\u{200d}👧\u{200d}👦 👍🏽 ❤\u{fe0f}",
        "漢字かな交じり文 한국어 العربية हिन्दी",
        "[CLS] [SEP] [UNK] [PAD]",
        "##ing",
    ];
    let long_word = "a".repeat(10_000);
    odd.into_iter()
        .map(str::to_owned)
        .chain([long_word])
        .chain((0..200).map(|n| format!("message number {n} about topic {}", n % 7)))
        .collect()
}

fn assert_close(a: &Embedding, b: &Embedding, contract: &str, text: &str) {
    let distance = a
        .values()
        .iter()
        .zip(b.values())
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    assert!(distance < 1e-4, "{contract}: differs by {distance}: {text:?}");
}

fn similarity(a: &Embedding, b: &Embedding) -> f32 {
    a.similarity(b).expect("both are of the embedder's space").value()
}
