//! A kept conversation state: any bytes are restored or refused; what was restored can plan a turn and be
//! kept again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whisperengine_phase4::Conversations;
use whisperengine_types::{
    Audience, BotId, ChannelId, ConversationEngine, EmotionReading, MemoryId, MemoryOwner, Timestamp,
    TurnInput, UserId,
};

fuzz_target!(|bytes: &[u8]| {
    let engine = Conversations::default();
    let owner = MemoryOwner::person(BotId::new("ember").unwrap(), UserId::new("ana").unwrap());
    let Ok(mut conversation) = engine.open(&owner, Some(bytes)) else {
        return;
    };
    let now = Timestamp::from_millis(1_772_445_600_000);
    let (channel, message, emotion) = (
        ChannelId::new("direct").unwrap(),
        MemoryId::from_number(1),
        EmotionReading::neutral(),
    );
    conversation.query_context("And then?");
    conversation
        .plan_turn(&TurnInput {
            owner: &owner,
            channel: &channel,
            audience: &Audience::Private,
            message: &message,
            text: "What did I tell you about my job?",
            emotion: &emotion,
            embedding: None,
            recalled: &[],
            facts: &[],
            sent_at: now,
            replay: None,
        })
        .expect("a restored state works");
    conversation.after_turn();
    conversation.tick(now);
    let kept = conversation.export();
    engine
        .open(&owner, Some(&kept))
        .expect("what was kept can be restored");
});
