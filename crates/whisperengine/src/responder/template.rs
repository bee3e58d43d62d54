//! Replies without a language model: a sentence for the feeling, one for the memory, one to go on with.

use whisperengine_types::{
    BoxStream, InteractionType, Message, PrimaryEmotion, RecalledMemory, ReplyRequest, Responder,
    ResponderError, TurnOutcome, WholeReply,
};

/// Writes replies from the plan alone. The same outcome gives the same reply.
#[derive(Debug, Clone, Copy, Default)]
pub struct TemplateResponder;

impl Responder for TemplateResponder {
    fn respond(&self, request: ReplyRequest) -> BoxStream<Result<String, ResponderError>> {
        let reply = reply(&request.message, &request.outcome);
        Box::pin(WholeReply::new(Ok(reply)))
    }
}

fn reply(message: &Message, outcome: &TurnOutcome) -> String {
    let sentences = [
        Some(opening(outcome)),
        remembered(message, outcome),
        next_step(outcome),
    ];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn opening(outcome: &TurnOutcome) -> String {
    let asks = outcome.plan.interaction == InteractionType::InformationSeeking;
    let choices: &[&str] = match outcome.emotion.primary {
        PrimaryEmotion::Surprise if asks => &["Let me think.", "Good question."],
        PrimaryEmotion::Joy => &["That is lovely to hear!", "That made me smile."],
        PrimaryEmotion::Excitement => &["How exciting!", "I can feel the energy from here."],
        PrimaryEmotion::Pride => &["You can be proud of that.", "Well earned!"],
        PrimaryEmotion::Love => &["That is a warm thing to say.", "What a kind thought."],
        PrimaryEmotion::Gratitude => &["You are very welcome.", "Glad to be of use."],
        PrimaryEmotion::Sadness => &["I am sorry, that sounds hard.", "That must hurt."],
        PrimaryEmotion::Fear => &[
            "That sounds unsettling.",
            "It makes sense to be nervous about that.",
        ],
        PrimaryEmotion::Anger => &["I can see why that is upsetting.", "That would frustrate anyone."],
        PrimaryEmotion::Disgust => &["That does sound unpleasant.", "Ugh, I see what you mean."],
        PrimaryEmotion::Shame => &[
            "Thank you for telling me; that takes courage.",
            "Anyone could have been there.",
        ],
        PrimaryEmotion::Surprise => &["I did not expect that either!", "Oh!"],
        PrimaryEmotion::Calm => &["That sounds peaceful.", "Good to hear."],
        PrimaryEmotion::Neutral => match outcome.plan.interaction {
            InteractionType::InformationSeeking => &["Let me think.", "Good question."],
            InteractionType::ProblemSolving => &["Let us sort that out.", "Let us look at it step by step."],
            InteractionType::CreativeCollaboration => &["I like where this is going.", "Let us try it out."],
            InteractionType::EmotionalSupport => &["I am here.", "I am listening."],
            InteractionType::CasualChat => &["I see.", "Got it."],
        },
    };
    choices[outcome.sequence as usize % choices.len()].to_owned()
}

/// A moment that the plan brings up, or what answers a question.
fn remembered(message: &Message, outcome: &TurnOutcome) -> Option<String> {
    if let Some(moment) = outcome.plan.moments.first() {
        return Some(moment.callback.clone());
    }
    if !message.text.contains('?') {
        return None;
    }
    let answers = |hit: &&RecalledMemory| {
        let theirs = hit.memory.speaker.as_deref() == Some(message.user.as_str());
        theirs && !hit.matched_terms.is_empty() && !hit.memory.text.trim_end().ends_with('?')
    };
    let hit = outcome.recalled.memories.iter().find(answers)?;
    let said: String = hit.memory.text.chars().take(160).collect();
    let day = hit.memory.sent_at.to_string();
    Some(format!(
        "On {} you told me: \u{201c}{}\u{201d}",
        day.get(..10).unwrap_or(&day),
        said.trim()
    ))
}

/// What keeps the conversation going.
fn next_step(outcome: &TurnOutcome) -> Option<String> {
    if outcome.plan.engagement.intervene {
        return outcome
            .plan
            .engagement
            .suggestions
            .first()
            .map(|suggestion| suggestion.text.clone());
    }
    let transition = outcome.plan.thread.as_ref()?.transition.as_ref()?;
    // The first message has no side to lead over from.
    transition.from.as_ref().map(|_| transition.bridge.clone())
}
