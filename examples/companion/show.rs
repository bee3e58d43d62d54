//! How an exchange looks on the screen and as JSON.

use serde_json::{Value, json};
use whisperengine::{
    Durability, Exchange, RecalledMemory, ReplyContext, SafetyLevel, TurnOutcome, openai_messages,
};

/// One exchange as one JSON object.
pub fn json(text: &str, turn: &TurnOutcome, reply: &str) -> Value {
    let (plan, context) = (&turn.plan, &turn.context);
    let recalled = |hit: &RecalledMemory| {
        json!({
            "relevance": hit.relevance,
            "given": context.report.given.contains(&hit.memory.id),
            "passage": hit.passage_text(),
            "id": hit.memory.id,
            "text": hit.memory.text,
            "said_at": hit.memory.sent_at,
            "score": hit.score,
            "why": { "parts": hit.parts, "matched_terms": hit.matched_terms, "similarity": hit.similarity },
        })
    };
    let emotion = &turn.emotion;
    json!({
        "turn": turn.turn,
        "user": turn.session.user,
        "text": text,
        "emotion": {
            "primary": emotion.primary,
            "labels": emotion.labels,
            "intensity": emotion.intensity,
            "confidence": emotion.confidence,
            "valence": emotion.valence,
            "arousal": emotion.arousal,
            "dominance": emotion.dominance,
            "vader": emotion.vader,
        },
        "recalled": turn.recalled.memories.iter().map(recalled).collect::<Vec<_>>(),
        "thread": plan.thread,
        "moments": plan.moments,
        "suggestions": plan.engagement.suggestions,
        "interaction": plan.interaction,
        "relationship": plan.relationship,
        "facts": turn.facts,
        "safety": emotion.safety,
        "context": {
            "system": context.system(),
            "messages": openai_messages(context).split_off(1),
            "report": context.report,
        },
        "stored": turn.stored,
        "degraded": turn.degraded,
        "timings": turn.timings,
        "reply": reply,
    })
}

/// One exchange for people.
pub fn text(exchange: &Exchange) {
    let (turn, plan) = (&exchange.outcome, &exchange.outcome.plan);
    let emotion = &turn.emotion;
    println!(
        "  feeling   {} (intensity {:.2}, confidence {:.2}, valence {:+.2})",
        emotion.primary, emotion.intensity, emotion.confidence, emotion.valence
    );
    if emotion.safety.level > SafetyLevel::None {
        println!("  safety    {}", emotion.safety.level);
    }
    for hit in turn.recalled.memories.iter().take(3) {
        println!(
            "  recalled  {:.0}% {:?} ({})",
            hit.relevance * 100.0,
            hit.passage_text(),
            why(hit)
        );
    }
    for fact in turn.facts.iter().filter(|fact| fact.until.is_none()) {
        println!("  known     {}: {}", fact.slot, fact.value);
    }
    if let Some(thread) = &plan.thread {
        println!(
            "  thread    {} ({:?}, message {})",
            thread.topics.join(", "),
            thread.phase,
            thread.messages
        );
    }
    for suggestion in &plan.engagement.suggestions {
        println!("  suggests  {} ({})", suggestion.text, suggestion.because);
    }
    match &turn.stored {
        Durability::Durable => println!(
            "  stored    durably, {:.1} ms",
            turn.timings.total.as_secs_f64() * 1e3
        ),
        Durability::Volatile => println!("  stored    in memory only"),
        Durability::NotStored { reason } => println!("  stored    NOT: {reason}"),
    }
    for degradation in &turn.degraded {
        println!("  degraded  {}: {}", degradation.component, degradation.reason);
    }
}

/// What a language model was given.
pub fn context(context: &ReplyContext) {
    println!("{}", context.system());
    for message in openai_messages(context).iter().skip(1) {
        println!("[{:?}] {}", message.role, message.content);
    }
    let report = &context.report;
    println!(
        "({} of {} tokens, {} things left out)",
        report.tokens,
        report.budget,
        report.omitted.len()
    );
}

fn why(hit: &RecalledMemory) -> String {
    let parts = [
        ("meaning", hit.parts.dense),
        ("words", hit.parts.lexical),
        ("neighbours", hit.parts.neighbours),
        ("speaker", hit.parts.speaker),
        ("age and weight", hit.parts.prior),
    ];
    let mut reasons: Vec<String> = parts
        .iter()
        .filter(|(_, points)| points.abs() >= 0.005)
        .map(|(name, points)| format!("{name} {points:+.2}"))
        .collect();
    if !hit.matched_terms.is_empty() {
        reasons.push(format!("shares {}", hit.matched_terms.join(", ")));
    }
    reasons.join("; ")
}
