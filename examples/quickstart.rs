//! `cargo run --example quickstart` — remembers two messages, handles a third, and prints what the engine
//! made of it: emotion, recalled memories with reasons, plan.

use whisperengine::WhisperEngine;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine = WhisperEngine::builder().build()?; // in memory; `.data_dir("...")` keeps it
    let said = |text: &str| engine.message("ember", "ana", "direct", text);

    engine
        .handle(said(
            "My dog Biscuit has surgery on Friday and I can't stop worrying.",
        )?)
        .await?;
    engine
        .handle(said(
            "Otherwise all good: I finally signed up for the pottery class.",
        )?)
        .await?;
    let turn = engine
        .handle(said("Do you remember what is happening with my dog?")?)
        .await?;

    println!(
        "feels     {} ({:.0} % sure)",
        turn.emotion.primary,
        turn.emotion.confidence * 100.0
    );
    for hit in &turn.recalled.memories {
        let (parts, words) = (hit.parts, hit.matched_terms.join(", "));
        println!(
            "recalls   {:?}\n          score {:.2} = meaning {:.2} + words {:.2} ({words}) + neighbours {:.2} + rest {:.2}",
            hit.memory.text,
            hit.score,
            parts.dense,
            parts.lexical,
            parts.neighbours,
            parts.speaker + parts.prior,
        );
    }
    println!("stored    {:?}", turn.stored);
    println!("--- for the language model ---\n{}", turn.context.system());

    assert!(
        turn.recalled.memories[0].memory.text.contains("Biscuit"),
        "the surgery is remembered first"
    );
    engine.shutdown().await;
    Ok(())
}
