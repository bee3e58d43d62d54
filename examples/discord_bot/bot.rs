//! What the bot does with what Discord tells it.

use std::{
    collections::VecDeque,
    error::Error,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use tokio::task::JoinSet;
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
    Audience, AudienceId, BotId, ChannelId, Clock, Feedback, IdError, MemoryId, MemoryOwner, MemoryPatch,
    Message, PlatformId, Ticket, UserId, WhisperEngine,
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
    /// Who wrote the messages of late: a deletion does not say so.
    authors: Mutex<VecDeque<(Id<MessageMarker>, Id<UserMarker>)>>,
}

impl Bot {
    /// A bot that speaks as the character `name`, by the clock of its engine.
    pub(crate) fn new(engine: WhisperEngine, clock: Arc<dyn Clock>, http: Client, name: &str) -> Self {
        let (name, me, authors) = (name.to_owned(), OnceLock::new(), Mutex::default());
        Self {
            inner: Arc::new(Inner {
                engine,
                clock,
                http,
                name,
                me,
                authors,
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
        let wanted = EventTypeFlags::READY
            | EventTypeFlags::MESSAGE_CREATE
            | EventTypeFlags::MESSAGE_UPDATE
            | EventTypeFlags::MESSAGE_DELETE
            | EventTypeFlags::INTERACTION_CREATE;
        while let Some(event) = shard.next_event(wanted).await {
            let done = match event {
                Ok(Event::Ready(ready)) => self.on_ready(&ready).await,
                Ok(Event::MessageCreate(post)) => self.on_post(post.message).await,
                Ok(Event::MessageUpdate(post)) => self.on_edit(post.0).await,
                Ok(Event::MessageDelete(gone)) => self.on_delete(gone.channel_id, gone.id).await,
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

    /// Keeps what was edited as it reads now; what was learnt from the old text goes.
    async fn on_edit(&self, post: Post) -> Result<(), Failure> {
        let Some(known) = self.known(post.author.id, post.channel_id, post.id).await? else {
            return Ok(());
        };
        let patch = MemoryPatch {
            text: Some(self.without_mention(&post.content)),
            ..MemoryPatch::default()
        };
        Ok(self
            .inner
            .engine
            .handle_of(self.owner(post.author.id)?)
            .edit(&known, patch)
            .await?)
    }

    /// Drops what was deleted, and what was learnt from it. Discord does not say whose it was.
    async fn on_delete(&self, channel: Id<ChannelMarker>, post: Id<MessageMarker>) -> Result<(), Failure> {
        let author = {
            let authors = self.inner.authors.lock().unwrap_or_else(PoisonError::into_inner);
            authors
                .iter()
                .find(|(known, _)| *known == post)
                .map(|(_, author)| *author)
        };
        let Some(author) = author else { return Ok(()) };
        if let Some(known) = self.known(author, channel, post).await? {
            self.inner
                .engine
                .handle_of(self.owner(author)?)
                .delete(&known)
                .await?;
        }
        Ok(())
    }

    /// The memory of a post, where there is one.
    async fn known(
        &self,
        author: Id<UserMarker>,
        channel: Id<ChannelMarker>,
        post: Id<MessageMarker>,
    ) -> Result<Option<MemoryId>, Failure> {
        let owner = self.inner.engine.handle_of(self.owner(author)?);
        let (channel, post) = (
            ChannelId::new(channel.to_string())?,
            PlatformId::new(post.to_string())?,
        );
        Ok(owner.find_platform_id(&channel, &post).await?)
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
        if outcome.redelivered {
            return Ok(());
        }
        let reply = engine.respond(&message, &outcome).await?;
        self.say(channel, &reply).await?;
        let moment = outcome
            .plan
            .moments
            .first()
            .filter(|moment| reply.contains(&moment.quote));
        let moment = moment.map(|moment| moment.id.as_str());
        match engine.record_reply(&outcome, &reply, moment).await {
            // They asked to be forgotten while the reply was on its way.
            Ok(_) | Err(whisperengine::Error::Forgotten) => Ok(()),
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
            Wish::Forget => (engine.handle_of(owner).forget().await, FORGOTTEN),
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
            .handle_of(owner.clone())
            .feed_back(Feedback::SuggestionSent { suggestion, at })
            .await
    }

    async fn consent(&self, owner: &MemoryOwner) -> Result<Consent, Failure> {
        Ok(Consent::of(&self.inner.engine, owner).await?)
    }

    /// The text of a post that the bot should answer: a direct message, or one in a guild that mentions
    /// it; not from a bot. One that the gateway tells of twice is answered once: the engine knows its number.
    fn meant_for_me(&self, post: &Post) -> Option<String> {
        let (me, _) = *self.inner.me.get()?;
        let mentioned = post.mentions.iter().any(|mention| mention.id == me);
        if post.author.bot || (post.guild_id.is_some() && !mentioned) {
            return None;
        }
        let mut authors = self.inner.authors.lock().unwrap_or_else(PoisonError::into_inner);
        if authors.len() == AUTHORS {
            authors.pop_front();
        }
        authors.push_back((post.id, post.author.id));
        drop(authors);
        Some(self.without_mention(&post.content)).filter(|text| !text.is_empty())
    }

    /// A post's text without the words that call the bot.
    fn without_mention(&self, text: &str) -> String {
        let Some((me, _)) = self.inner.me.get() else {
            return text.trim().to_owned();
        };
        let text = text
            .replace(&format!("<@{me}>"), "")
            .replace(&format!("<@!{me}>"), "");
        text.trim().to_owned()
    }

    fn message(&self, post: &Post, text: &str) -> Result<Message, IdError> {
        let (user, channel) = (post.author.id.to_string(), post.channel_id.to_string());
        let mut message = self
            .inner
            .engine
            .message(&self.inner.name, &user, &channel, text)?;
        message.platform_id = Some(PlatformId::new(post.id.to_string())?);
        message.display_name = Some(post.author.name.clone());
        if let Some(guild) = post.guild_id {
            message.audience = Audience::Group(AudienceId::new(guild.to_string())?);
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

/// Messages whose author is known, at most.
const AUTHORS: usize = 10_000;
/// Discord's limit, in characters.
const LONGEST_POST: usize = 2000;
const NO_CONSENT: &str = "I remember what people tell me, so I ask first: /remember-me, if you like.";
const BUSY: &str = "I have a lot to do just now. Please ask me again in a moment.";
const REMEMBER: &str = "I will remember what you tell me. /forget-me undoes it at any time.";
const REMEMBER_AND_WRITE: &str =
    "I will remember what you tell me, and write to you now and then. /forget-me undoes it at any time.";
const FORGOTTEN: &str = "Everything about you is deleted.";
