//! A kept conversation state: any bytes are restored or refused; what was restored can plan a turn and be
//! kept again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whisperengine_phase4::Conversations;
use whisperengine_types::{
    BotId, ChannelId, ConversationEngine, EmotionReading, MemoryId, MemoryOwner, Timestamp, TurnInput,
    UserId, Visibility,
};

fuzz_target!(|bytes: &[u8]| {
    let engine = Conversations::default();
    let owner = MemoryOwner::person(BotId::new("ember").unwrap(), UserId::new("ana").unwrap());
    if engine.restore_state(&owner, bytes).is_err() {
        assert!(
            engine.export_state(&owner).is_none(),
            "a refused state leaves nothing behind"
        );
        return;
    }
    let now = Timestamp::from_millis(1_772_445_600_000);
    let (channel, message, emotion) = (
        ChannelId::new("direct").unwrap(),
        MemoryId::from_number(1),
        EmotionReading::neutral(),
    );
    let input = TurnInput {
        owner: &owner,
        channel: &channel,
        visibility: Visibility::Private,
        message: &message,
        text: "What did I tell you about my job?",
        emotion: &emotion,
        embedding: None,
        recalled: &[],
        sent_at: now,
    };
    engine.plan_turn(&input).expect("a restored state works");
    engine.after_turn(&owner, now);
    engine.tick(&owner, now);
    let kept = engine.export_state(&owner).expect("there is a state");
    engine
        .restore_state(&owner, &kept)
        .expect("what was kept can be restored");
});
