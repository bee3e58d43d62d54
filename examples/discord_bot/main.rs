//! `cargo run --release -p whisperengine-examples --features discord --example discord_bot` — a Discord bot
//! for many guilds that remembers people, if they agree to it.
//!
//! Without a token it runs against a small Discord of its own on 127.0.0.1: two guilds, three people, a
//! conversation of two days; it prints what everyone says and checks what the bot did. With a token in
//! `DISCORD_TOKEN` and the feature `discord-tls` (it needs a C compiler for `ring`) it is a bot on Discord.
#![forbid(unsafe_code)]

mod bot;
mod commands;
mod config;
mod consent;
mod mock;

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::Parser;
use tokio::{signal, time};
use twilight_gateway::ConfigBuilder;
use twilight_http::Client;
use whisperengine::{BuildError, Clock, SystemClock, WhisperEngine};
use whisperengine_examples::report;

use bot::{Bot, INTENTS};

/// A Discord bot that remembers people, if they agree to it.
#[derive(Debug, Parser)]
struct Args {
    /// Folder that keeps the memories; without it the mock keeps none and the bot uses `discord-data`.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The character's name; memories belong to a character and a person.
    #[arg(long, default_value = "ember")]
    bot: String,
    /// Seconds between looks for something to say unasked.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    look_seconds: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let result = match config::token() {
        Some(token) => serve(&args, token).await,
        None => mock::run(args.data.as_deref(), &args.bot).await,
    };
    report::exit(result)
}

/// Runs on Discord until Ctrl-C.
async fn serve(args: &Args, token: String) -> Result<(), Box<dyn Error>> {
    config::prepare_tls()?;
    let data = args.data.clone().unwrap_or_else(|| PathBuf::from("discord-data"));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let engine = engine(Some(&data), &clock)?;
    let bot = Bot::new(engine.clone(), clock, Client::new(token.clone()), &args.bot);
    let mut shards = bot
        .connect(ConfigBuilder::new(token, INTENTS).build())
        .await
        .map_err(|error| error as Box<dyn Error>)?;
    let mut looks = time::interval(Duration::from_secs(args.look_seconds));
    loop {
        tokio::select! {
            _ = looks.tick() => drop(bot.speak_first().await),
            // A shard ends only when Discord will not have it back.
            _ = shards.join_next() => {
                engine.shutdown().await;
                return Err("Discord closed the connection for good".into());
            }
            _ = signal::ctrl_c() => {
                engine.shutdown().await;
                return Ok(());
            }
        }
    }
}

/// The engine of a bot that writes first: it keeps conversations in memory for days, because it looks
/// among those for someone to write to.
fn engine(data: Option<&Path>, clock: &Arc<dyn Clock>) -> Result<WhisperEngine, BuildError> {
    let builder = WhisperEngine::builder()
        .clock(Arc::clone(clock))
        .configure(|config| {
            config.data_dir = data.map(Path::to_owned);
            config.state.unload_after_idle_secs = CONVERSATIONS_STAY_SECS;
        });
    builder.build()
}

const CONVERSATIONS_STAY_SECS: u64 = 3 * 24 * 60 * 60;
