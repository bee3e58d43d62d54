//! What Discord sends, as far as the bot reads it.

use serde_json::{Value, json};

/// The bot's user and application.
pub(crate) const BOT: u64 = 100;
/// The two guilds.
pub(crate) const GUILDS: [u64; 2] = [501, 502];

/// A person or another bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) bot: bool,
    /// The channel of direct messages with the bot.
    pub(crate) direct: u64,
}

/// A channel, in a guild or direct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) guild: Option<u64>,
    pub(crate) channel: u64,
}

/// Frame of an event.
pub(crate) fn dispatch(sequence: u64, event: &str, data: &Value) -> Value {
    json!({ "op": 0, "s": sequence, "t": event, "d": data })
}

pub(crate) fn hello() -> Value {
    json!({ "op": 10, "d": { "heartbeat_interval": 41_250 } })
}

pub(crate) fn heartbeat_ack() -> Value {
    json!({ "op": 11, "d": null })
}

pub(crate) fn ready(address: &str) -> Value {
    let guilds = GUILDS.map(|id| json!({ "id": id.to_string(), "unavailable": true }));
    json!({
        "v": 10,
        "user": {
            "id": BOT.to_string(),
            "username": "ember",
            "discriminator": "0",
            "avatar": null,
            "bot": true,
            "mfa_enabled": false,
        },
        "guilds": guilds,
        "session_id": "mock",
        "resume_gateway_url": format!("ws://{address}"),
        "application": { "id": BOT.to_string(), "flags": 0 },
    })
}

pub(crate) fn gateway(address: &str) -> Value {
    json!({
        "url": format!("ws://{address}"),
        "shards": 1,
        "session_start_limit": { "total": 1000, "remaining": 1000, "reset_after": 1000, "max_concurrency": 1 },
    })
}

/// A message, as an event and as the answer to posting one.
pub(crate) fn message(id: u64, place: Place, author: &Value, text: &str) -> Value {
    let mention = format!("<@{BOT}>");
    let mentions = if text.contains(&mention) {
        vec![mentioned()]
    } else {
        Vec::new()
    };
    let mut message = json!({
        "id": id.to_string(),
        "channel_id": place.channel.to_string(),
        "author": author,
        "content": text,
        "timestamp": "2026-03-02T10:00:00.000000+00:00",
        "edited_timestamp": null,
        "tts": false,
        "mention_everyone": false,
        "mentions": mentions,
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": false,
        "type": 0,
    });
    if let Some(guild) = place.guild {
        message["guild_id"] = guild.to_string().into();
    }
    message
}

pub(crate) fn user(person: Person) -> Value {
    json!({
        "id": person.id.to_string(),
        "username": person.name,
        "discriminator": "0",
        "avatar": null,
        "bot": person.bot,
    })
}

/// A slash command as the person sends it.
pub(crate) fn command(id: u64, person: Person, place: Place, name: &str, write_first: bool) -> Value {
    let options = if write_first {
        json!([{ "type": 5, "name": "write_first", "value": true }])
    } else {
        json!([])
    };
    let mut interaction = json!({
        "id": id.to_string(),
        "application_id": BOT.to_string(),
        "type": 2,
        "token": format!("token-{id}"),
        "version": 1,
        "channel_id": place.channel.to_string(),
        "data": { "id": "1", "name": name, "type": 1, "options": options },
        "entitlements": [],
        "attachment_size_limit": 1000,
        "authorizing_integration_owners": {},
    });
    match place.guild {
        None => interaction["user"] = user(person),
        Some(guild) => {
            interaction["guild_id"] = guild.to_string().into();
            interaction["member"] = json!({
                "user": user(person),
                "roles": [],
                "joined_at": "2026-01-01T00:00:00.000000+00:00",
                "deaf": false,
                "mute": false,
                "flags": 0,
            });
        }
    }
    interaction
}

/// A channel of direct messages.
pub(crate) fn direct_channel(id: u64) -> Value {
    json!({ "id": id.to_string(), "type": 1, "recipients": [] })
}

pub(crate) fn me() -> Value {
    json!({ "id": BOT.to_string(), "username": "ember", "discriminator": "0", "avatar": null, "bot": true })
}

fn mentioned() -> Value {
    let mut user = me();
    user["public_flags"] = 0.into();
    user
}
