//! What the bot does with what Discord tells it.

use std::{
    collections::VecDeque,
    error::Error,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use tokio::task::{JoinSet, spawn_blocking};
use twilight_gateway::{Config, Event, EventTypeFlags, Intents, Shard, StreamExt, bucket};
use twilight_http::Client;
use twilight_model::{
    application::interaction::Interaction,
    channel::message::{AllowedMentions, Message as Post},
    gateway::payload::incoming::Ready,
    id::{
        Id,
        marker::{ApplicationMarker, ChannelMarker, MessageMarker, UserMarker},
    },
};
use whisperengine::{
    BotId, Clock, Feedback, IdError, MemoryOwner, Message, Ticket, UserId, Visibility, WhisperEngine,
};
use whisperengine_examples::report;

use crate::{
    commands::{self, Wish},
    consent::Consent,
};

/// Direct messages and mentions come with their text; the bot reads nothing else.
pub(crate) const INTENTS: Intents = Intents::GUILD_MESSAGES.union(Intents::DIRECT_MESSAGES);

type Failure = Box<dyn Error + Send + Sync>;

/// The bot; cheap to clone, one for all shards.
#[derive(Debug, Clone)]
pub(crate) struct Bot {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    engine: WhisperEngine,
    clock: Arc<dyn Clock>,
    http: Client,
    name: String,
    me: OnceLock<(Id<UserMarker>, Id<ApplicationMarker>)>,
    /// Messages seen of late: after a reconnection the gateway may tell of one again.
    seen: Mutex<VecDeque<Id<MessageMarker>>>,
}

impl Bot {
    /// A bot that speaks as the character `name`, by the clock of its engine.
    pub(crate) fn new(engine: WhisperEngine, clock: Arc<dyn Clock>, http: Client, name: &str) -> Self {
        let (name, me, seen) = (name.to_owned(), OnceLock::new(), Mutex::default());
        Self {
            inner: Arc::new(Inner {
                engine,
                clock,
                http,
                name,
                me,
                seen,
            }),
        }
    }

    /// Connects with as many shards as Discord recommends. A task ends when its shard is closed for good.
    pub(crate) async fn connect(&self, config: Config) -> Result<JoinSet<()>, Failure> {
        let shards = self.inner.http.gateway().authed().await?.model().await?.shards;
        let connect = |id| self.clone().run(Shard::with_config(id, config.clone()));
        Ok(bucket(0, 1, shards).map(connect).collect())
    }

    async fn run(self, mut shard: Shard) {
        let wanted =
            EventTypeFlags::READY | EventTypeFlags::MESSAGE_CREATE | EventTypeFlags::INTERACTION_CREATE;
        while let Some(event) = shard.next_event(wanted).await {
            let done = match event {
                Ok(Event::Ready(ready)) => self.on_ready(&ready).await,
                Ok(Event::MessageCreate(post)) => self.on_post(post.message).await,
                Ok(Event::InteractionCreate(interaction)) => self.on_interaction((*interaction).0).await,
                Ok(_) => Ok(()),
                Err(error) => Err(error.into()),
            };
            if let Err(error) = done {
                eprintln!("{}", report::chain(&*error));
            }
        }
    }

    async fn on_ready(&self, ready: &Ready) -> Result<(), Failure> {
        let (_, application) = *self
            .inner
            .me
            .get_or_init(|| (ready.user.id, ready.application.id));
        self.inner
            .http
            .interaction(application)
            .set_global_commands(&commands::all())
            .await?;
        Ok(())
    }

    /// Answers a post that is meant for the bot. The message enters the engine before the next event is
    /// looked at, which keeps one person's messages in order; the reply is a task of its own.
    async fn on_post(&self, post: Post) -> Result<(), Failure> {
        let Some(text) = self.meant_for_me(&post) else {
            return Ok(());
        };
        let owner = self.owner(post.author.id)?;
        if self.consent(&owner).await? == Consent::None {
            return self.say(post.channel_id, NO_CONSENT).await;
        }
        let message = self.message(&post, &text)?;
        match self.inner.engine.submit(message.clone()) {
            Ok(ticket) => {
                let bot = self.clone();
                tokio::spawn(async move {
                    if let Err(error) = bot.reply(message, ticket, post.channel_id).await {
                        eprintln!("{}", report::chain(&*error));
                    }
                });
                Ok(())
            }
            Err(error @ whisperengine::Error::Busy { .. }) => {
                self.say(post.channel_id, BUSY).await?;
                Err(error.into())
            }
            Err(error) => self.say(post.channel_id, &report::chain(&error)).await,
        }
    }

    async fn reply(
        &self,
        message: Message,
        ticket: Ticket,
        channel: Id<ChannelMarker>,
    ) -> Result<(), Failure> {
        let Inner { engine, http, .. } = &*self.inner;
        // The typing indicator shows while the turn is worked on; a reply does not depend on it.
        let (outcome, _) = tokio::join!(ticket, http.create_typing_trigger(channel).into_future());
        let outcome = outcome?;
        let reply = engine.respond(&message, &outcome).await?;
        self.say(channel, &reply).await?;
        let moment = outcome
            .plan
            .moments
            .first()
            .filter(|moment| reply.contains(&moment.callback));
        let moment = moment.map(|moment| moment.id.as_str());
        match engine.record_reply(&outcome, &reply, moment).await {
            // They asked to be forgotten while the reply was on its way.
            Ok(()) | Err(whisperengine::Error::Forgotten) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn on_interaction(&self, interaction: Interaction) -> Result<(), Failure> {
        let Inner { engine, http, .. } = &*self.inner;
        let (Some(wish), Some(user)) = (Wish::read(&interaction), interaction.author_id()) else {
            return Ok(());
        };
        let owner = self.owner(user)?;
        let (done, text) = match wish {
            Wish::Remember { write_first } => {
                let text = if write_first { REMEMBER_AND_WRITE } else { REMEMBER };
                (
                    Consent::give(engine, &owner, write_first, self.inner.clock.now()).await,
                    text,
                )
            }
            Wish::Forget => (engine.forget_user(&owner).await, FORGOTTEN),
        };
        // Says that it is done only when it is.
        let text = done.map_or_else(|error| report::chain(&error), |()| text.to_owned());
        let response = commands::answer(&text);
        http.interaction(interaction.application_id)
            .create_response(interaction.id, &interaction.token, &response)
            .await?;
        Ok(())
    }

    /// Says what is due to those who agreed to be written to first; returns to how many.
    pub(crate) async fn speak_first(&self) -> usize {
        let mut sent = 0;
        let mut due = self.inner.engine.tick().await;
        // The best comes first; one is enough.
        due.dedup_by(|(owner, _), (before, _)| owner == before);
        for (owner, suggestion) in due {
            match self.write_to(&owner, &suggestion.text).await {
                Ok(false) => {}
                Ok(true) => {
                    sent += 1;
                    if let Err(error) = self.confirm(&owner, suggestion.id).await {
                        eprintln!("{}", report::chain(&error));
                    }
                }
                Err(error) => eprintln!("{}", report::chain(&*error)),
            }
        }
        sent
    }

    async fn write_to(&self, owner: &MemoryOwner, text: &str) -> Result<bool, Failure> {
        let MemoryOwner::Person { user, .. } = owner else {
            return Ok(false);
        };
        if self.consent(owner).await? != Consent::WriteFirst {
            return Ok(false);
        }
        let user: Id<UserMarker> = user.as_str().parse()?;
        let channel = self
            .inner
            .http
            .create_private_channel(user)
            .await?
            .model()
            .await?;
        self.say(channel.id, text).await?;
        Ok(true)
    }

    async fn confirm(&self, owner: &MemoryOwner, suggestion: String) -> Result<(), whisperengine::Error> {
        let at = self.inner.clock.now();
        self.inner
            .engine
            .feed_back(owner, Feedback::SuggestionSent { suggestion, at })
            .await
    }

    async fn consent(&self, owner: &MemoryOwner) -> Result<Consent, Failure> {
        let (engine, owner) = (self.inner.engine.clone(), owner.clone());
        Ok(spawn_blocking(move || Consent::of(&engine, &owner)).await??)
    }

    /// The text of a post that the bot should answer: a direct message, or one in a guild that mentions
    /// it; not from a bot, and not one that was seen before.
    fn meant_for_me(&self, post: &Post) -> Option<String> {
        let (me, _) = *self.inner.me.get()?;
        let mentioned = post.mentions.iter().any(|mention| mention.id == me);
        if post.author.bot || (post.guild_id.is_some() && !mentioned) {
            return None;
        }
        let mut seen = self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(&post.id) {
            return None;
        }
        if seen.len() == SEEN {
            seen.pop_front();
        }
        seen.push_back(post.id);
        let text = post
            .content
            .replace(&format!("<@{me}>"), "")
            .replace(&format!("<@!{me}>"), "");
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn message(&self, post: &Post, text: &str) -> Result<Message, IdError> {
        let (user, channel) = (post.author.id.to_string(), post.channel_id.to_string());
        let mut message = self
            .inner
            .engine
            .message(&self.inner.name, &user, &channel, text)?;
        if post.guild_id.is_some() {
            message.visibility = Visibility::Public;
        }
        Ok(message)
    }

    fn owner(&self, user: Id<UserMarker>) -> Result<MemoryOwner, IdError> {
        Ok(MemoryOwner::person(
            BotId::new(&self.inner.name)?,
            UserId::new(user.to_string())?,
        ))
    }

    /// Posts a text; what it quotes mentions nobody.
    async fn say(&self, channel: Id<ChannelMarker>, text: &str) -> Result<(), Failure> {
        let text: String = text.chars().take(LONGEST_POST).collect();
        let nobody = AllowedMentions::default();
        self.inner
            .http
            .create_message(channel)
            .content(&text)
            .allowed_mentions(Some(&nobody))
            .await?;
        Ok(())
    }
}

const SEEN: usize = 1000;
/// Discord's limit, in characters.
const LONGEST_POST: usize = 2000;
const NO_CONSENT: &str = "I remember what people tell me, so I ask first: /remember-me, if you like.";
const BUSY: &str = "I have a lot to do just now. Please ask me again in a moment.";
const REMEMBER: &str = "I will remember what you tell me. /forget-me undoes it at any time.";
const REMEMBER_AND_WRITE: &str =
    "I will remember what you tell me, and write to you now and then. /forget-me undoes it at any time.";
const FORGOTTEN: &str = "Everything about you is deleted.";
