//! Plays a chat log: the clock is the log's, and the replies are those that the log gives.

use std::{error::Error, fs::File, io::BufRead, io::BufReader, path::Path, sync::Arc};

use serde::Deserialize;
use whisperengine::{
    Audience, AudienceId, ManualClock, Message, Timestamp, TurnOutcome, WhisperEngine, ZoneId,
};

use crate::{Args, engine, show};

/// One line of a log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// RFC 3339; its offset is the person's.
    at: String,
    user: Option<String>,
    text: Option<String>,
    channel: Option<String>,
    #[serde(default)]
    public: bool,
    /// What the companion replied to the line before.
    bot: Option<String>,
}

pub async fn play(args: &Args, file: &Path) -> Result<(), Box<dyn Error>> {
    let clock = Arc::new(ManualClock::new(Timestamp::default()));
    let engine = engine(args)?.clock(clock.clone()).build()?;
    let mut last: Option<TurnOutcome> = None;
    for (number, line) in BufReader::new(File::open(file)?).lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(&line)
            .map_err(|error| format!("{}, line {}: {error}", file.display(), number + 1))?;
        clock.set(line.at.parse()?);
        if let Some(reply) = &line.bot {
            if let Some(outcome) = &last {
                engine.record_reply(outcome, reply, None).await?;
            }
            continue;
        }
        let message = message(args, &engine, &line)?;
        let outcome = engine.handle(message.clone()).await?;
        let reply = engine.respond(&message, &outcome).await?;
        if args.json {
            println!("{}", show::json(&message.text, &outcome, &reply));
        } else {
            println!("{}> {}\n{}> {reply}", message.user, message.text, args.bot);
        }
        last = Some(outcome);
    }
    engine.shutdown().await;
    Ok(())
}

fn message(args: &Args, engine: &WhisperEngine, line: &Line) -> Result<Message, Box<dyn Error>> {
    let user = line.user.as_deref().unwrap_or(&args.user);
    let channel = line.channel.as_deref().unwrap_or("terminal");
    let text = line
        .text
        .as_deref()
        .ok_or("a line has neither `text` nor `bot`")?;
    let mut message = engine.message(&args.bot, user, channel, text)?;
    if line.public {
        message.audience = Audience::Group(AudienceId::new("log")?);
    }
    message.zone = offset(&line.at).map(ZoneId::new).transpose()?;
    Ok(message)
}

/// The offset that a time is written with.
fn offset(at: &str) -> Option<&str> {
    let offset = at.get(at.len().checked_sub(6)?..)?;
    offset.starts_with(['+', '-']).then_some(offset)
}
