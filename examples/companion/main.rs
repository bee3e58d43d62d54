//! `cargo run --release --example companion` — a chat in the terminal that remembers you.
//!
//! Type a line, read the reply and what is behind it: emotion, recalled memories and why, what is known of you,
//! and whether the line is stored durably. Memories live in `--data DIR` and survive a restart. Lines may be
//! piped in; `--json` prints one object a line. `/context` shows what a language model was given for the last
//! line, `/forget` deletes everything known of the user, `/quit` ends. `--input FILE.jsonl` plays a chat log
//! under its own clock instead.

mod log;
mod show;

use std::{
    error::Error,
    io::{self, BufRead, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use futures_util::StreamExt;
use whisperengine::{BotId, Exchange, Message, UserId, WhisperEngine, WhisperEngineBuilder};
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
    /// Address of an OpenAI-compatible server whose model writes the replies, such as
    /// http://127.0.0.1:8080/v1. Needs the feature `llm`; without it a template replies.
    #[arg(long, value_name = "URL", requires = "model")]
    llm: Option<String>,
    /// The model's name on that server.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The environment variable that holds the server's key.
    #[arg(long, value_name = "VAR")]
    key_env: Option<String>,
    /// Play a log instead of reading the terminal: lines {"at", "user", "text", "channel"?, "public"?} and
    /// {"at", "bot"}, the companion's reply to the line before.
    #[arg(long)]
    input: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    report::exit(match &args.input {
        Some(file) => log::play(&args, file).await,
        None => chat(&args).await,
    })
}

fn engine(args: &Args) -> Result<WhisperEngineBuilder, Box<dyn Error>> {
    let builder = WhisperEngine::builder().data_dir(&args.data);
    match (&args.llm, &args.model) {
        (Some(url), Some(model)) => with_model(builder, args, url, model),
        _ => Ok(builder),
    }
}

#[cfg(feature = "llm")]
fn with_model(
    builder: WhisperEngineBuilder,
    args: &Args,
    url: &str,
    model: &str,
) -> Result<WhisperEngineBuilder, Box<dyn Error>> {
    use whisperengine_genai::{LanguageModel, ModelConfig, Provider};

    let mut config = ModelConfig::new(Provider::OpenAi, model);
    url.clone_into(&mut config.base_url);
    if let Some(variable) = &args.key_env {
        #[expect(clippy::disallowed_methods, reason = "a program reads its own environment")]
        let key = std::env::var(variable);
        config.api_key = key.map_err(|error| format!("{variable}: {error}"))?;
    }
    Ok(builder.responder(std::sync::Arc::new(LanguageModel::new(config)?)))
}

#[cfg(not(feature = "llm"))]
fn with_model(
    _: WhisperEngineBuilder,
    _: &Args,
    _: &str,
    _: &str,
) -> Result<WhisperEngineBuilder, Box<dyn Error>> {
    Err("this companion was built without a client: run it with `--features llm`".into())
}

/// Prints a reply as it is written, and gives it as a whole.
async fn stream(
    bot: &str,
    engine: &WhisperEngine,
    message: Message,
) -> Result<Exchange, whisperengine::Error> {
    let mut reply = engine.converse_stream(message).await?;
    print!("{bot}> ");
    while let Some(part) = reply.next().await {
        print!("{}", part?);
        // A closed pipe ends the program with the next line.
        let _ = io::stdout().flush();
    }
    println!();
    reply.finish().await
}

async fn chat(args: &Args) -> Result<(), Box<dyn Error>> {
    let engine = engine(args)?.build()?;
    let owner = engine.owner(BotId::new(&args.bot)?, UserId::new(&args.user)?);
    let interactive = io::stdin().is_terminal() && !args.json;
    if interactive {
        println!(
            "{}\n{} remembers you in {}. /context shows what a language model is given; /quit ends.",
            engine.report(),
            args.bot,
            args.data.display()
        );
    }
    let mut lines = io::stdin().lock().lines();
    let mut last: Option<Exchange> = None;
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
                owner.forget().await?;
                println!("Everything about {} is deleted.", args.user);
                continue;
            }
            "/context" => {
                match &last {
                    Some(exchange) => show::context(&exchange.outcome.context),
                    None => println!("Nothing was said yet."),
                }
                continue;
            }
            _ => {}
        }
        let said = engine.message(&args.bot, &args.user, "terminal", &line)?;
        let exchange = if args.json {
            engine.converse(said).await
        } else {
            stream(&args.bot, &engine, said).await
        };
        match exchange {
            Ok(exchange) => {
                if args.json {
                    println!("{}", show::json(&line, &exchange.outcome, &exchange.reply));
                } else {
                    show::text(&exchange);
                }
                last = Some(exchange);
            }
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
