//! Who may hear what: words stay with the audience they were said to, and lore is everybody's.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{sync::Arc, time::Duration};

use support::{clock, engine_in, say};
use tempfile::TempDir;
use whisperengine::{
    Audience, AudienceId, BotId, Clock, ManualClock, MemoryId, MemoryOwner, MemoryRecord, SpaceId,
    TurnOutcome, WhisperEngine,
};

struct Fixture {
    engine: WhisperEngine,
    clock: Arc<ManualClock>,
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
        Self {
            engine: engine_in(&folder, &clock),
            clock,
            folder,
        }
    }

    async fn restarted(self) -> Self {
        self.engine.shutdown().await;
        drop(self.engine);
        Self {
            engine: engine_in(&self.folder, &self.clock),
            ..self
        }
    }

    /// Says `text` in the channel `general` of a guild.
    async fn say_in(&self, guild: &str, user: &str, text: &str) -> TurnOutcome {
        self.clock.advance(Duration::from_secs(20));
        let mut message = self.engine.message("ember", user, "general", text).unwrap();
        message.audience = Audience::Group(AudienceId::new(guild).unwrap());
        self.engine.handle(message).await.unwrap()
    }
}

/// Everything that a reply could be made from.
fn given(turn: &TurnOutcome) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?}",
        turn.recalled, turn.facts, turn.answers, turn.plan, turn.context
    )
}

fn recalls(turn: &TurnOutcome, word: &str) -> bool {
    turn.recalled
        .memories
        .iter()
        .any(|hit| hit.memory.text.contains(word))
}

#[tokio::test]
async fn what_was_said_in_one_guild_is_not_given_in_another() {
    let mut at = Fixture::new();
    at.say_in(
        "harbor",
        "ana",
        "My locker code is 4471 and I am allergic to walnuts",
    )
    .await;
    say(&at.engine, "ana", "Between us: my sister Mira moved to Porto").await;
    for restart in [false, true] {
        if restart {
            at = at.restarted().await;
        }
        for question in [
            "What is my locker code?",
            "What am I allergic to?",
            "Where did my sister move?",
        ] {
            let turn = at.say_in("market", "ana", question).await;
            for secret in ["4471", "walnuts", "Mira", "Porto"] {
                assert!(
                    !given(&turn).contains(secret),
                    "{question}: {secret} in another guild, {restart}"
                );
            }
            let turn = at.say_in("harbor", "ana", question).await;
            for secret in ["Mira", "Porto"] {
                assert!(
                    !given(&turn).contains(secret),
                    "{question}: {secret} before a guild, {restart}"
                );
            }
        }
        let turn = at.say_in("harbor", "ben", "Who knows the locker code?").await;
        assert!(
            recalls(&turn, "4471"),
            "those who heard it may be reminded of it, {restart}"
        );
        at.clock.advance(Duration::from_secs(20));
        let turn = say(&at.engine, "ana", "What is my locker code?").await;
        assert!(
            recalls(&turn, "4471"),
            "in private all of one's own words are found, {restart}"
        );
        let turn = say(&at.engine, "ben", "What is the locker code?").await;
        assert!(
            !given(&turn).contains("4471"),
            "ben's own memories hold no words of ana, {restart}"
        );
    }
    at.engine.shutdown().await;
}

#[tokio::test]
async fn a_reply_before_a_guild_is_found_there_and_nowhere_else() {
    let mut at = Fixture::new();
    let turn = at.say_in("harbor", "ana", "When does the ferry leave?").await;
    let reply = "The ferry leaves at seven from pier Kestrel.";
    at.engine.record_reply(&turn, reply, None).await.unwrap();
    for restart in [false, true] {
        if restart {
            at = at.restarted().await;
        }
        let turn = at
            .say_in("harbor", "ben", "From which pier does the ferry leave?")
            .await;
        assert!(recalls(&turn, "Kestrel"), "{restart}: {:?}", turn.recalled);
        let turn = at
            .say_in("market", "ben", "From which pier does the ferry leave?")
            .await;
        assert!(!given(&turn).contains("Kestrel"), "{restart}");
        let turn = at
            .say_in("market", "ana", "From which pier does the ferry leave?")
            .await;
        assert!(!given(&turn).contains("Kestrel"), "{restart}");
    }
    at.engine.shutdown().await;
}

#[tokio::test]
async fn lore_joins_recall_for_everybody() {
    let mut at = Fixture::new();
    let question = "Where is the lighthouse key?";
    assert!(!recalls(&say(&at.engine, "ana", question).await, "Gwendolyn"));
    let bot = BotId::new("ember").unwrap();
    let lore = MemoryOwner::shared(bot, SpaceId::new("lore").unwrap());
    let text = "Gwendolyn keeps the key of the lighthouse";
    let record = MemoryRecord::new(MemoryId::new("lore-1").unwrap(), text, at.clock.now());
    at.engine
        .handle_of(lore.clone())
        .remember(vec![record])
        .await
        .unwrap();
    for restart in [false, true] {
        if restart {
            at = at.restarted().await;
        }
        for user in ["ana", "ben"] {
            at.clock.advance(Duration::from_secs(20));
            let turn = say(&at.engine, user, question).await;
            assert!(recalls(&turn, "Gwendolyn"), "{user}, {restart}");
            assert!(
                format!("{:?}", turn.context).contains("Gwendolyn"),
                "{user}, {restart}"
            );
            let turn = at.say_in("harbor", user, question).await;
            assert!(recalls(&turn, "Gwendolyn"), "{user} before a guild, {restart}");
        }
        let message = at.engine.message("cinder", "ana", "direct", question).unwrap();
        let turn = at.engine.handle(message).await.unwrap();
        assert!(
            !given(&turn).contains("Gwendolyn"),
            "another bot has its own lore"
        );
    }
    let other = at.engine.handle_of(lore);
    other.delete(&MemoryId::new("lore-1").unwrap()).await.unwrap();
    at.clock.advance(Duration::from_secs(20));
    assert!(!recalls(&say(&at.engine, "ana", question).await, "Gwendolyn"));
    at.engine.shutdown().await;
}
