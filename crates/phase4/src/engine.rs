//! One turn: from a message to a plan, and what follows after the reply.

use std::time::Duration;

use whisperengine_types::{
    EmotionalState, Feedback, FlowState, MomentPlan, MomentTiming, MomentType, RelationshipStage, Suggestion,
    Timestamp, TurnInput, TurnPlan,
};

use crate::{
    config::Config,
    emotional::{Assessment, EmotionalContext, EmotionalTrigger, Felt, assess, guide},
    engagement::{Beat, Ground, Mentions, suggest},
    error::Error,
    lexicon::{Cue, Lexicon},
    moment::{Beginnings, Draft, Marks, NoteFacts, Occasion, Timings},
    number::MINUTE,
    personality::observe,
    reason,
    session::{self, Sitting},
    state::{Pending, UserState},
    supplement,
    text::{Utterance, hash64},
    thread::{Routed, Scope, Sketch, Turn},
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
    let lexicon = config.language.lexicon();
    let utterance = Utterance::read(&lexicon, input.text);
    let at = input.sent_at;
    let channel = hash64(input.channel.as_str().as_bytes());
    let scope = session::scope(input.visibility, channel);
    let session_gap = MINUTE * config.interaction.session_gap_minutes.max(1);
    let latency = state.session.latency(at, session_gap);
    let sitting = state.session.enter(&utterance, at, scope, session_gap);
    state.turns = state.turns.saturating_add(1);
    state.heed(&utterance);
    input
        .recalled
        .iter()
        .take(COUNTED_READS)
        .for_each(|recalled| state.reads.count(&recalled.memory.id));

    let mut plan = TurnPlan::default();
    let emotion = assess(Assessment {
        reading: input.emotion,
        utterance: &utterance,
        history: &state.emotional,
        depth: state.relationship.depth(&config.personality),
        trust: state.relationship.trust(&config.personality),
        at,
    });
    plan.emotional = guide(&emotion, &state.emotional);
    reason::emotional(&utterance, &emotion, &mut plan.reasons);
    let liveliness = state.engagement.observe(&utterance, emotion.valence, sitting, at);
    state.moments.usage_mut().judge(emotion.valence, liveliness);
    let classified = state
        .interaction
        .classify(&config.interaction, &utterance, &emotion, &mut plan.reasons);
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
    let routed = state.threads.route(&turn);
    state.threads.take_in(&routed, &turn);
    plan.thread = state.threads.plan(&lexicon, state.owner, &routed, scope);
    reason::thread(&utterance, &routed, &mut plan.reasons);

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
        channel,
        sitting,
        routed,
    };
    plan.moments = scene.moments(state, plan.engagement.flow);
    reason::moments(&plan.moments, &mut plan.reasons);
    if plan.engagement.intervene {
        plan.engagement.suggestions = scene.suggestions(state, &plan);
    }
    reason::engagement(&plan.engagement, &mut plan.reasons);
    plan.relationship =
        state
            .relationship
            .plan(&config.personality, state.turns, state.interaction.supportive);
    plan.style = state.personality.style(&config.personality, now);
    plan.prompt_supplement = supplement::write(&config.prompt, &plan);
    state.pending = Some(scene.pending(state, liveliness, latency));
    Ok(plan)
}

/// What is known of the present turn once its thread is found.
struct Scene<'a> {
    config: &'a Config,
    lexicon: &'a Lexicon,
    input: &'a TurnInput<'a>,
    utterance: &'a Utterance<'a>,
    emotion: &'a EmotionalContext,
    scope: Scope,
    channel: u64,
    sitting: Sitting,
    routed: Routed,
}

impl Scene<'_> {
    fn moments(&self, state: &mut UserState, flow: FlowState) -> Vec<MomentPlan> {
        let marks = Marks::of(self.utterance);
        let risen = state.relationship.is_risen();
        let mask = self.utterance.told();
        let telling = self.utterance.terms.iter().filter(|term| term.is_telling());
        let tells = telling.filter(|term| term.sentences & mask != 0);
        let told: Vec<u32> = tells.clone().map(|term| term.id).collect();
        let beginnings = Beginnings::of(tells);
        let occasion = Occasion {
            config: &self.config.moment,
            lexicon: self.lexicon,
            owner: self.input.owner,
            recalled: self.input.recalled,
            text: self.input.text,
            told: &told,
            beginnings: &beginnings,
            themes: self.utterance.themes,
            marks,
            own: mask != 0,
            telling: self
                .utterance
                .terms
                .iter()
                .filter(|term| term.is_telling())
                .count(),
            trusting: self.utterance.has(Cue::Confiding),
            thankful: self.utterance.has(Cue::Gratitude),
            emotion: self.emotion,
            timings: self.timings(marks, flow, risen),
            session: state.session.number,
            session_started: state.session.started,
            scope: self.scope,
            channel: self.channel,
            message: self.input.message,
            turn: state.turns,
            at: self.input.sent_at,
            quote_chars: self.config.prompt.quote_chars,
            risen,
        };
        let moments = state.moments.pick(&mut state.glances, &occasion);
        if moments
            .iter()
            .any(|moment| moment.kind == MomentType::RelationshipMilestone)
        {
            state.relationship.settle_rise();
        }
        moments
    }

    fn timings(&self, marks: Marks, flow: FlowState, risen: bool) -> Timings {
        let (emotion, routed) = (self.emotion, &self.routed);
        let mut timings = Timings::default();
        timings.set(
            MomentTiming::ConversationStart,
            self.sitting.opens && self.sitting.gap.is_some(),
        );
        timings.set(MomentTiming::NaturalPause, flow >= FlowState::Declining);
        timings.set(
            MomentTiming::TopicTransition,
            routed.change.is_some() && routed.from.is_some(),
        );
        let moved = emotion.intensity >= 0.5 && emotion.state != EmotionalState::Neutral;
        timings.set(MomentTiming::EmotionalMoment, moved);
        timings.set(MomentTiming::AchievementSharing, marks.has(Marks::ACHIEVEMENT));
        let troubled = marks.has(Marks::PROBLEM) || emotion.triggers.has(EmotionalTrigger::StressIndicators);
        timings.set(MomentTiming::ProblemMention, troubled);
        timings.set(
            MomentTiming::RelationshipDeepening,
            (risen && self.utterance.has(Cue::Gratitude)) || self.utterance.has(Cue::Confiding),
        );
        timings
    }

    fn suggestions(&self, state: &mut UserState, plan: &TurnPlan) -> Vec<Suggestion> {
        let triggers = self.emotion.triggers;
        let achieved = triggers.has(EmotionalTrigger::CelebrationMoments);
        let ground = Ground {
            lexicon: self.lexicon,
            threads: &state.threads,
            scope: self.scope,
            turn: state.turns,
            felt: (self.emotion.state, self.emotion.intensity, achieved),
            stressed: triggers.has(EmotionalTrigger::StressIndicators),
            memory: plan.moments.first().map(|moment| moment.quote.as_str()),
            present: true,
        };
        suggest(&mut state.engagement, &ground)
    }

    /// What the turn leaves to do after the reply.
    fn pending(&self, state: &UserState, liveliness: f32, latency: Option<Duration>) -> Pending {
        let at = self.input.sent_at;
        let hour = state
            .engagement
            .local_time
            .hour(&self.config.engagement.time_zone, at);
        let facts = NoteFacts {
            memory: self.input.message,
            session: state.session.number,
            scope: self.scope,
            emotion: self.emotion,
            at,
        };
        Pending {
            seen: observe(self.utterance, self.emotion.intensity, liveliness, latency, at),
            felt: Felt::new(self.emotion, self.utterance.themes, at),
            beat: Beat::new(self.utterance, &self.sitting, liveliness, hour)
                .switched(self.routed.change.is_some()),
            mentions: Mentions::new(self.utterance, self.scope),
            draft: Draft::new(self.utterance, facts),
        }
    }
}

/// Work for the latest turn that does not change its reply: profile, relationship, history, patterns,
/// aging. Whether and when it is called changes no later plan but for what time does to threads:
/// [`plan_turn`] makes up for it.
pub fn after_turn(config: &Config, state: &mut UserState, now: Timestamp) {
    if settle(config, state) != Some(now) {
        state.threads.age(&config.thread, now);
    }
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
            let lexicon = config.language.lexicon();
            state.threads.take_reply(&Utterance::read(&lexicon, text));
            state.session.reply(*at);
        }
        Feedback::SuggestionSent { suggestion, at } => {
            state.engagement.initiative.confirm(suggestion, *at)?;
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
    let strained = state.relationship.stage() <= RelationshipStage::Cold;
    if strained
        || state
            .engagement
            .silence(&config.engagement, &state.session, now)
            .is_none()
    {
        return Vec::new();
    }
    let lexicon = config.language.lexicon();
    let scope = state.session.scope;
    let memory = state.moments.for_pause(state.session.number, scope, now);
    let (felt, stressed) = state.emotional.last_felt();
    let ground = Ground {
        lexicon: &lexicon,
        threads: &state.threads,
        scope,
        turn: state.turns,
        felt,
        stressed,
        memory: memory.as_deref(),
        present: false,
    };
    suggest(&mut state.engagement, &ground)
}

/// Recalled memories of a turn that count as read: those that can come to matter for the reply.
const COUNTED_READS: usize = 5;

/// Does the deferred work of the turn before, as of that turn; returns the time of that turn.
fn settle(config: &Config, state: &mut UserState) -> Option<Timestamp> {
    let pending = state.pending.take()?;
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
    Some(at)
}
