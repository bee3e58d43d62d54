//! A small Discord on 127.0.0.1 and a conversation that is played on it.

mod payload;
mod play;
mod server;

use std::{error::Error, path::Path, sync::Arc, time::Duration};

use twilight_gateway::ConfigBuilder;
use twilight_http::Client;
use whisperengine::{Clock, ManualClock};

use crate::{
    bot::{Bot, INTENTS},
    engine,
};
use play::Stage;

/// Plays the conversation with a bot whose memories are in `data`, or nowhere.
///
/// # Errors
/// Tells what the bot did that it should not have done, or did not do.
pub(crate) async fn run(data: Option<&Path>, name: &str) -> Result<(), Box<dyn Error>> {
    let server = server::start().await?;
    println!(
        "no DISCORD_TOKEN: talking to a Discord of my own on {}\n",
        server.address
    );

    let clock = Arc::new(ManualClock::new("2026-03-02T10:00:00Z".parse()?));
    let engine_clock: Arc<dyn Clock> = clock.clone();
    let engine = engine(data, &engine_clock)?;
    let http = Client::builder()
        .proxy(server.address.to_string(), true)
        .ratelimiter(None)
        .token("mock".to_owned())
        .build();
    let bot = Bot::new(engine.clone(), engine_clock, http, name);
    let config = ConfigBuilder::new("mock".to_owned(), INTENTS)
        .proxy_url(format!("ws://{}", server.address))
        .build();
    let _shards = bot
        .connect(config)
        .await
        .map_err(|error| error as Box<dyn Error>)?;

    let mut stage = Stage::new(server, clock, bot);
    let played = tokio::time::timeout(LONGEST_PLAY, stage.play()).await;
    engine.shutdown().await;
    played.map_err(|_| "the bot did not do the next thing in time")?
}

const LONGEST_PLAY: Duration = Duration::from_secs(30);
