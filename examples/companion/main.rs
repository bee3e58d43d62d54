//! `cargo run --release --example companion` — a chat in the terminal that remembers you.
//!
//! Type a line, read the reply and what is behind it: emotion, recalled memories and why, thread,
//! suggestions, and whether the line is stored durably. Memories live in `--data DIR` and survive a
//! restart. Lines may be piped in; `--json` prints one object a line. `/forget` deletes everything known
//! of the user, `/quit` ends.

mod show;

use std::{
    error::Error,
    io::{self, BufRead, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use whisperengine::{BotId, MemoryOwner, UserId, WhisperEngine};
use whisperengine_examples::report;

/// Chat with a companion that remembers you.
#[derive(Debug, Parser)]
struct Args {
    /// Folder that keeps the memories; made if it does not exist.
    #[arg(long, default_value = "whisperengine-data")]
    data: PathBuf,
    /// Who is writing; every name has memories of its own.
    #[arg(long, default_value = "you")]
    user: String,
    /// The companion's name.
    #[arg(long, default_value = "ember")]
    bot: String,
    /// Print one JSON object for each line instead of text.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    report::exit(chat(&Args::parse()).await)
}

async fn chat(args: &Args) -> Result<(), Box<dyn Error>> {
    let owner = MemoryOwner::person(BotId::new(&args.bot)?, UserId::new(&args.user)?);
    let engine = WhisperEngine::builder().data_dir(&args.data).build()?;
    let interactive = io::stdin().is_terminal() && !args.json;
    if interactive {
        println!(
            "{}\n{} remembers you in {}. /quit ends.",
            engine.report(),
            args.bot,
            args.data.display()
        );
    }
    let mut lines = io::stdin().lock().lines();
    loop {
        if interactive {
            print!("\n{}> ", args.user);
            io::stdout().flush()?;
        }
        let Some(line) = lines.next().transpose()? else {
            break;
        };
        match line.trim() {
            "" => continue,
            "/quit" => break,
            "/forget" => {
                engine.forget_user(&owner).await?;
                println!("Everything about {} is deleted.", args.user);
                continue;
            }
            _ => {}
        }
        let said = engine.message(&args.bot, &args.user, "terminal", &line)?;
        match engine.converse(said).await {
            Ok(exchange) if args.json => println!("{}", show::json(&line, &exchange)),
            Ok(exchange) => show::text(&args.bot, &exchange),
            Err(error) if args.json => println!(
                "{}",
                serde_json::json!({ "text": line, "error": report::chain(&error) })
            ),
            Err(error) => eprintln!("{}", report::chain(&error)),
        }
    }
    engine.shutdown().await;
    Ok(())
}
