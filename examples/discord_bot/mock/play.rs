//! The conversation: what people do, and what the bot must and must not do.

use std::{error::Error, sync::Arc, time::Duration};

use whisperengine::ManualClock;

use super::{
    payload::{self, BOT, GUILDS, Person, Place},
    server::{Action, Server},
};
use crate::bot::Bot;

const ANA: Person = Person {
    id: 201,
    name: "ana",
    bot: false,
    direct: 301,
};
const BEN: Person = Person {
    id: 202,
    name: "ben",
    bot: false,
    direct: 302,
};
const WEATHER: Person = Person {
    id: 203,
    name: "weather-bot",
    bot: true,
    direct: 303,
};

const LOUNGE: Place = Place {
    guild: Some(GUILDS[0]),
    channel: 601,
};
const WORKSHOP: Place = Place {
    guild: Some(GUILDS[1]),
    channel: 602,
};

/// The channel of direct messages with a person.
pub(crate) fn direct_of(user: u64) -> u64 {
    [ANA, BEN, WEATHER]
        .into_iter()
        .find(|person| person.id == user)
        .map_or(0, |person| person.direct)
}

/// Where the conversation is played.
#[derive(Debug)]
pub(crate) struct Stage {
    server: Server,
    clock: Arc<ManualClock>,
    bot: Bot,
    next_id: u64,
}

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

impl Stage {
    pub(crate) fn new(server: Server, clock: Arc<ManualClock>, bot: Bot) -> Self {
        Self {
            server,
            clock,
            bot,
            next_id: 10_000,
        }
    }

    /// Plays it from beginning to end.
    pub(crate) async fn play(&mut self) -> Outcome {
        expect(
            self.next().await? == Action::Commands(vec!["remember-me".to_owned(), "forget-me".to_owned()]),
            "the bot registers its slash commands first",
        )?;
        self.consent().await?;
        self.memories().await?;
        self.bystanders().await?;
        self.unasked().await?;
        self.forgetting().await?;
        expect(
            self.server.actions.try_recv().is_err(),
            "the bot does nothing more than was asked for",
        )?;
        println!("\nthe bot remembered, kept its secrets, asked first and forgot: all as it should be");
        Ok(())
    }

    /// Without consent nobody is remembered.
    async fn consent(&mut self) -> Outcome {
        let reply = self
            .ask(ANA, LOUNGE, &format!("<@{BOT}> hello there!"), Typing::No)
            .await?;
        expect(
            reply.contains("/remember-me"),
            "the bot asks for consent before it listens",
        )?;
        let answer = self.command(ANA, LOUNGE, "remember-me", true).await?;
        expect(answer.contains("write to you"), "the bot confirms what it may do")?;
        let answer = self.command(BEN, direct(BEN), "remember-me", false).await?;
        expect(
            !answer.contains("write to you"),
            "the bot confirms only what it may do",
        )
    }

    /// What a person said comes back to that person, in private.
    async fn memories(&mut self) -> Outcome {
        self.ask(
            ANA,
            direct(ANA),
            "My dog Biscuit has surgery on Friday and I can't stop worrying.",
            Typing::Yes,
        )
        .await?;
        self.ask(
            BEN,
            direct(BEN),
            "I finally built the bookshelf, it took me the whole weekend!",
            Typing::Yes,
        )
        .await?;
        self.pass(Duration::from_secs(60));
        let question = "What did I tell you about my dog?";
        let reply = self
            .ask(ANA, WORKSHOP, &format!("<@{BOT}> {question}"), Typing::Yes)
            .await?;
        let quotes = reply.contains("Biscuit") || reply.contains("you told me");
        expect(!quotes, "the bot brings nothing private up where others read it")?;
        let reply = self.ask(ANA, direct(ANA), question, Typing::Yes).await?;
        expect(
            reply.contains("Biscuit"),
            "the bot remembers what a person told it",
        )?;
        let reply = self.ask(BEN, direct(BEN), question, Typing::Yes).await?;
        expect(
            !reply.contains("Biscuit"),
            "the bot tells nobody what another person told it",
        )
    }

    /// The bot answers what is meant for it, and that once.
    async fn bystanders(&mut self) -> Outcome {
        self.post(BEN, LOUNGE, "who is coming on Saturday?");
        self.post(WEATHER, LOUNGE, &format!("<@{BOT}> sunny, 12 degrees"));
        let twice = self.post(BEN, LOUNGE, &format!("<@{BOT}> shall I bring the drill?"));
        self.send("MESSAGE_CREATE", &twice);
        self.answered_once(LOUNGE).await?;
        // Had any of the others been answered, that would be seen before the answer to this.
        self.ask(BEN, direct(BEN), "ok", Typing::Yes).await.map(drop)
    }

    /// After a long silence the bot writes first, to those who allowed it.
    async fn unasked(&mut self) -> Outcome {
        self.pass(Duration::from_secs(5 * 3600));
        println!("        (five hours of silence)");
        expect(
            self.bot.speak_first().await == 1,
            "the bot writes to the one person who allowed it",
        )?;
        expect(
            self.next().await? == Action::OpenedDirect { user: ANA.id },
            "the bot writes in private",
        )?;
        self.reply(direct(ANA), Typing::No).await?;
        expect(self.bot.speak_first().await == 0, "the bot does not press")
    }

    /// Forgetting is complete.
    async fn forgetting(&mut self) -> Outcome {
        let answer = self.command(ANA, direct(ANA), "forget-me", false).await?;
        expect(answer.contains("deleted"), "the bot confirms that it forgot")?;
        let reply = self
            .ask(ANA, direct(ANA), "What did I tell you about my dog?", Typing::No)
            .await?;
        expect(
            reply.contains("/remember-me"),
            "the consent is gone with the memories",
        )?;
        self.command(ANA, direct(ANA), "remember-me", false).await?;
        let reply = self
            .ask(ANA, direct(ANA), "What did I tell you about my dog?", Typing::Yes)
            .await?;
        expect(
            !reply.contains("Biscuit"),
            "what was forgotten does not come back",
        )
    }

    async fn ask(&mut self, person: Person, place: Place, text: &str, typing: Typing) -> Outcome<String> {
        self.post(person, place, text);
        self.reply(place, typing).await
    }

    /// Waits for the one answer to a message that came twice; both deliveries may show the bot typing.
    async fn answered_once(&mut self, place: Place) -> Outcome {
        let (mut typed, mut said) = (0, 0);
        while typed < 2 || said == 0 {
            match self.next().await? {
                Action::Typing { channel } if channel == place.channel => typed += 1,
                Action::Said { channel, text } if channel == place.channel => {
                    println!("{:>7} @ {}: {text}", "ember", name(place));
                    said += 1;
                }
                other => return Err(format!("expected one reply in {}, got {other:?}", name(place)).into()),
            }
        }
        expect(said == 1, "a message delivered twice is answered once")
    }

    /// Waits for the bot's message at `place`.
    async fn reply(&mut self, place: Place, typing: Typing) -> Outcome<String> {
        if typing == Typing::Yes {
            expect(
                self.next().await?
                    == Action::Typing {
                        channel: place.channel,
                    },
                "the bot shows that it types",
            )?;
        }
        match self.next().await? {
            Action::Said { channel, text } if channel == place.channel => {
                println!("{:>7} @ {}: {text}", "ember", name(place));
                Ok(text)
            }
            other => Err(format!("expected a reply in {}, got {other:?}", name(place)).into()),
        }
    }

    fn post(&mut self, person: Person, place: Place, text: &str) -> serde_json::Value {
        println!("{:>7} @ {}: {text}", person.name, name(place));
        let message = payload::message(self.id(), place, &payload::user(person), text);
        self.send("MESSAGE_CREATE", &message);
        message
    }

    async fn command(
        &mut self,
        person: Person,
        place: Place,
        command: &str,
        write_first: bool,
    ) -> Outcome<String> {
        let option = if write_first { " write_first:True" } else { "" };
        println!("{:>7} @ {}: /{command}{option}", person.name, name(place));
        let id = self.id();
        self.send(
            "INTERACTION_CREATE",
            &payload::command(id, person, place, command, write_first),
        );
        match self.next().await? {
            Action::Answered { interaction, text } if interaction == id => {
                println!(
                    "{:>7} @ {}: {text} (only {} sees this)",
                    "ember",
                    name(place),
                    person.name
                );
                Ok(text)
            }
            other => Err(format!("expected an answer to /{command}, got {other:?}").into()),
        }
    }

    async fn next(&mut self) -> Outcome<Action> {
        self.server
            .actions
            .recv()
            .await
            .ok_or_else(|| "the server is gone".into())
    }

    fn send(&self, event: &'static str, data: &serde_json::Value) {
        // Should the gateway be closed, the wait for the bot's answer tells.
        let _ = self.server.events.send((event, data.clone()));
    }

    fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

/// Whether the bot is to show that it is typing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Typing {
    Yes,
    No,
}

fn direct(person: Person) -> Place {
    Place {
        guild: None,
        channel: person.direct,
    }
}

fn name(place: Place) -> &'static str {
    match place {
        LOUNGE => "guild one, #lounge  ",
        WORKSHOP => "guild two, #workshop",
        _ => "direct message      ",
    }
}

fn expect(holds: bool, rule: &str) -> Outcome {
    if holds {
        Ok(())
    } else {
        Err(format!("this does not hold: {rule}").into())
    }
}
