//! One turn: from a message to a plan, and what follows after the reply.

use whisperengine_types::{
    ConnectionType, ConversationMode, Feedback, InteractionType, MomentPlan, MomentTiming, OfferedMoment,
    RelationshipStage, SafetyLevel, Suggestion, Timestamp, TurnInput, TurnPhase, TurnPlan, WaitingThread,
};

use crate::{
    config::Config,
    emotional::{Assessment, assess, guide},
    engagement::{Ground, suggest},
    error::Error,
    lexicon::Lexicon,
    moment::tone,
    number::MINUTE,
    reason,
    reception::Response,
    scene::Scene,
    session,
    state::UserState,
    text::Utterance,
    thread::{Routed, Sketch, Turn},
    wellbeing::wellbeing,
};

/// Takes a message into account and plans the reply to it. Deterministic: equal state and input, equal
/// plan and state. `now` is when the reply is planned; `input.sent_at` is when the message was written.
///
/// # Errors
/// [`Error::OwnerMismatch`] when `state` belongs to another owner than the message; nothing has changed.
pub fn plan_turn(
    config: &Config,
    state: &mut UserState,
    input: &TurnInput<'_>,
    now: Timestamp,
) -> Result<TurnPlan, Error> {
    if !state.belongs_to(input.owner) {
        return Err(Error::OwnerMismatch);
    }
    settle(config, state);
    state.language = input.emotion.language;
    let lexicon = state.lexicon(config);
    let utterance = Utterance::read(&lexicon, input.text);
    let at = input.sent_at;
    let scope = session::scope(input.audience);
    let session_gap = MINUTE * config.interaction.session_gap_minutes.max(1);
    let latency = state.session.latency(at, session_gap);
    let sitting = state.session.enter(&utterance, at, scope, session_gap);
    state.turns = state.turns.saturating_add(1);
    let wish = state.heed(&utterance, scope, at);

    let mut plan = TurnPlan::default();
    let emotion = assess(Assessment {
        reading: input.emotion,
        utterance: &utterance,
        history: &state.emotional,
        depth: state.relationship.depth(&config.personality),
        trust: state.relationship.trust(&config.personality),
        at,
    });
    plan.phases.reserve(12);
    plan.phases.push(TurnPhase::Emotion);
    plan.emotional = guide(&emotion, &state.emotional);
    reason::emotional(&utterance, &emotion, &mut plan.reasons);
    if input.emotion.safety.level > SafetyLevel::None {
        care(config, state, input, &mut plan);
        return Ok(plan);
    }
    let liveliness = state
        .engagement
        .observe(&mut state.fading, &utterance, emotion.valence, sitting, at);
    state.moments.usage_mut().judge(emotion.valence, liveliness);
    state.reception.judge(&Response {
        utterance: &utterance,
        emotion: &emotion,
        liveliness,
        wish,
        usual: state.engagement.rhythm.baseline(),
        opens: sitting.opens,
    });
    let classified = state
        .interaction
        .classify(&config.interaction, &utterance, &emotion, &mut plan.reasons);
    plan.phases.push(TurnPhase::Interaction);
    plan.interaction = classified.interaction;
    plan.interaction_scores = classified.scores;
    plan.mode = classified.mode;

    let sketch = input.embedding.and_then(Sketch::new);
    let turn = Turn {
        config: &config.thread,
        utterance: &utterance,
        sketch: sketch.as_ref(),
        emotion: &emotion,
        scope,
        gap: sitting.gap,
        session_gap,
        at,
    };
    let routed = follow_thread(state, &lexicon, &turn, &mut plan);

    plan.phases.push(TurnPhase::Engagement);
    plan.engagement = state
        .engagement
        .plan(&config.engagement, state.turns, state.session.closed, at);
    let scene = Scene {
        config,
        lexicon: &lexicon,
        input,
        utterance: &utterance,
        emotion: &emotion,
        scope,
        sitting,
        routed,
    };
    if state.needs_care(at) {
        plan.engagement.intervene = false;
    } else if let Some(offered) = input.replay {
        state.offer_again(offered, at);
        plan.moments = offered.iter().map(|moment| again(moment, at)).collect();
    } else {
        plan.moments = scene.moments(state, &mut plan.phases, plan.engagement.flow);
    }
    reason::moments(&plan.moments, &mut plan.reasons);
    if plan.engagement.intervene {
        plan.phases.push(TurnPhase::Suggestions);
        plan.engagement.suggestions = scene.suggestions(state, &plan);
    }
    reason::engagement(&plan.engagement, &mut plan.reasons);
    plan.phases.push(TurnPhase::Relationship);
    plan.relationship =
        state
            .relationship
            .plan(&config.personality, state.turns, state.interaction.supportive);
    plan.style = state.personality.style(&config.personality, now);
    state.pending = Some(scene.pending(state, liveliness, latency));
    scene.conclude(state, &mut plan);
    Ok(plan)
}

/// Takes the message to its thread.
fn follow_thread(state: &mut UserState, lexicon: &Lexicon, turn: &Turn<'_>, plan: &mut TurnPlan) -> Routed {
    let routed = state.threads.route(turn);
    state.threads.take_in(&routed, turn);
    plan.phases.push(TurnPhase::Threads);
    plan.thread = state.threads.plan(lexicon, state.owner, &routed, turn.scope);
    if let Some(thread) = &mut plan.thread {
        thread
            .waiting
            .take_if(|waiting| is_closed(state, lexicon, waiting));
    }
    reason::thread(turn.utterance, &routed, &mut plan.reasons);
    routed
}

/// A moment of a plan that is made once more, as far as what follows depends on it.
fn again(offered: &OfferedMoment, at: Timestamp) -> MomentPlan {
    MomentPlan {
        id: offered.id.clone(),
        kind: offered.kind,
        connection: ConnectionType::ThematicSimilarity,
        frequency: 0,
        timing: MomentTiming::NaturalPause,
        memory: None,
        quote: offered.quote.clone(),
        said_at: at,
        callback: String::new(),
        tone: tone(offered.kind),
        impact: 0.0,
    }
}

/// The plan for somebody in danger: support and nothing else. What they said becomes no topic, commitment,
/// moment or fact.
fn care(config: &Config, state: &mut UserState, input: &TurnInput<'_>, plan: &mut TurnPlan) {
    state.danger.note(input.message, input.sent_at);
    plan.mode = ConversationMode::HumanLike;
    plan.interaction = InteractionType::EmotionalSupport;
    plan.emotional.acknowledge = true;
    plan.emotional.validate = true;
    plan.emotional.offer_support = true;
    plan.emotional.suggest_solutions = false;
    plan.phases.push(TurnPhase::Relationship);
    plan.relationship =
        state
            .relationship
            .plan(&config.personality, state.turns, state.interaction.supportive);
    plan.style = state.personality.style(&config.personality, input.sent_at);
    plan.phases.push(TurnPhase::Wellbeing);
    plan.wellbeing = wellbeing(config, state, input.sent_at);
}

/// Whether a waiting thread touches what the person does not want to be asked about.
fn is_closed(state: &UserState, lexicon: &Lexicon, waiting: &WaitingThread) -> bool {
    let mut words = waiting.topics.iter().chain([&waiting.because]);
    words.any(|text| state.boundaries.cover(lexicon, text))
}

/// Work for the latest turn that does not change its reply: profile, relationship, history, patterns, aging, as
/// of that turn. Whether and when it is called changes nothing later: whatever comes next makes up for it.
pub fn after_turn(config: &Config, state: &mut UserState) {
    settle(config, state);
}

/// Learns from what became of a reply.
///
/// # Errors
/// [`Error::UnknownMoment`], [`Error::UnknownSuggestion`] or [`Error::UnknownTimeZone`] when it names
/// something that does not exist, [`Error::UnknownFeedback`] for a kind that this engine does not know;
/// nothing has changed.
pub fn record_feedback(config: &Config, state: &mut UserState, feedback: &Feedback) -> Result<(), Error> {
    settle(config, state);
    match feedback {
        Feedback::Replied { text, moment, at } => {
            if let Some(id) = moment {
                let (valence, score) = (state.emotional.last_valence(), state.engagement.score());
                state.moments.usage_mut().used(id, valence, score, *at)?;
            }
            let lexicon = state.lexicon(config);
            let reply = Utterance::read(&lexicon, text);
            let words = state.engagement.rhythm.words();
            state.reception.take_reply(&reply, moment.is_some(), words);
            state.threads.take_reply(&reply);
            state.session.reply(*at);
        }
        Feedback::SuggestionSent { suggestion, at } => {
            state.engagement.initiative.confirm(suggestion, *at)?;
            state.reception.take_initiative();
        }
        Feedback::Proactive { allowed } => state.engagement.initiative.allow(*allowed),
        Feedback::TimeZone { name } => state.engagement.local_time.set(name)?,
        _ => return Err(Error::UnknownFeedback),
    }
    Ok(())
}

/// What is due to be said on the bot's own initiative at `now`, best first; usually nothing. Asking again
/// gives the same answer until something happens; a suggestion counts once it is confirmed as sent.
pub fn tick(config: &Config, state: &mut UserState, now: Timestamp) -> Vec<Suggestion> {
    settle(config, state);
    if state.needs_care(now) {
        return Vec::new();
    }
    let strained = state.relationship.stage() <= RelationshipStage::Cold;
    if strained
        || state
            .engagement
            .silence(&config.engagement, &state.session, now)
            .is_none()
    {
        return Vec::new();
    }
    let lexicon = state.lexicon(config);
    let scope = state.session.scope;
    let memory = state.moments.for_pause(state.session.number, scope, now);
    let (felt, stressed) = state.emotional.last_felt();
    let ground = Ground {
        lexicon: &lexicon,
        threads: &state.threads,
        boundaries: &state.boundaries,
        scope,
        turn: state.turns,
        felt,
        stressed,
        memory: memory.as_deref(),
        present: false,
    };
    suggest(&state.engagement, &ground)
}

/// Does the deferred work of the turn before, as of that turn.
fn settle(config: &Config, state: &mut UserState) {
    let Some(pending) = state.pending.take() else {
        return;
    };
    let at = pending.seen.at;
    state.personality.learn(&config.personality, &pending.seen);
    state.relationship.learn(
        &config.personality,
        &pending.seen,
        pending.felt.valence(),
        state.turns,
    );
    state.emotional.record(pending.felt);
    state.engagement.rhythm.learn(&pending.beat);
    state.engagement.interests.learn(&pending.mentions);
    state.moments.learn(pending.draft);
    state.threads.merge_alike(&config.thread);
    state.threads.age(&config.thread, at);
}
