//! The present turn, seen by what needs to know all of it.

use std::time::Duration;

use whisperengine_types::{
    ConversationPattern, EffectivePattern, EmotionalState, EmotionalTrigger, FlowState, MomentPlan,
    MomentTiming, MomentType, Suggestion, TurnInput, TurnPhase, TurnPlan,
};

use crate::{
    config::Config,
    emotional::{EmotionalContext, Felt, focus},
    engagement::{Beat, Ground, Mentions, suggest},
    fact::facts,
    insight::{avoid, insights},
    lexicon::{Cue, Lexicon},
    moment::{Beginnings, Draft, Marks, NoteFacts, Occasion, Timings},
    notes::notes,
    personality::observe,
    reason,
    session::Sitting,
    state::{Pending, UserState},
    text::{Hit, Utterance},
    thread::{Routed, Scope},
    wellbeing::wellbeing,
};

/// What is known of the present turn once its thread is found.
pub(crate) struct Scene<'a> {
    pub(crate) config: &'a Config,
    pub(crate) lexicon: &'a Lexicon,
    pub(crate) input: &'a TurnInput<'a>,
    pub(crate) utterance: &'a Utterance<'a>,
    pub(crate) emotion: &'a EmotionalContext,
    pub(crate) scope: Scope,
    pub(crate) sitting: Sitting,
    pub(crate) routed: Routed,
}

impl Scene<'_> {
    pub(crate) fn moments(
        &self,
        state: &mut UserState,
        phases: &mut Vec<TurnPhase>,
        flow: FlowState,
    ) -> Vec<MomentPlan> {
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
            boundaries: &state.boundaries,
            danger: &state.danger,
            owner: self.input.owner,
            recalled: self.input.recalled,
            text: self.input.text,
            utterance: self.utterance,
            own_feeling: self.is_own_feeling(),
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
            message: self.input.message,
            turn: state.turns,
            at: self.input.sent_at,
            risen,
        };
        if !state.moments.has_occasion(&occasion) {
            return Vec::new();
        }
        phases.push(TurnPhase::Moments);
        let moments = state.moments.pick(&mut state.glances, &occasion);
        if moments
            .iter()
            .any(|moment| moment.kind == MomentType::RelationshipMilestone)
        {
            state.relationship.settle_rise();
        }
        moments
    }

    /// Whether the words of low feeling, if there are any, are about the person themselves: "that is so sad" of
    /// somebody else's trouble is none of theirs.
    fn is_own_feeling(&self) -> bool {
        const LOW: u128 = Cue::Sadness.bit()
            | Cue::Fear.bit()
            | Cue::Stress.bit()
            | Cue::Feeling.bit()
            | Cue::Heavy.bit()
            | Cue::Problem.bit();
        let words = self.utterance;
        let low = |hit: &&Hit| hit.cue.bit() & LOW != 0;
        !words.has_any(LOW)
            || words
                .hits
                .iter()
                .filter(low)
                .any(|hit| words.is_told_at(hit.token))
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

    pub(crate) fn suggestions(&self, state: &UserState, plan: &TurnPlan) -> Vec<Suggestion> {
        let triggers = self.emotion.triggers;
        let achieved = triggers.has(EmotionalTrigger::CelebrationMoments);
        let ground = Ground {
            lexicon: self.lexicon,
            threads: &state.threads,
            boundaries: &state.boundaries,
            scope: self.scope,
            turn: state.turns,
            felt: (self.emotion.state, self.emotion.intensity, achieved),
            stressed: triggers.has(EmotionalTrigger::StressIndicators),
            memory: plan.moments.first().map(|moment| moment.quote.as_str()),
            present: true,
        };
        suggest(&state.engagement, &ground)
    }

    /// What is read off the state once it knows of the turn, and the text of it all.
    pub(crate) fn conclude(&self, state: &UserState, plan: &mut TurnPlan) {
        plan.emotional.avoid_topics = avoid(state, self.emotion, self.utterance.themes, self.scope);
        plan.emotional.priority_focus = focus(self.utterance, self.emotion, plan.interaction);
        plan.adaptation = state.reception.adaptation();
        if state.needs_care(self.input.sent_at) {
            let is_humour = |known: &EffectivePattern| known.pattern == ConversationPattern::HumorUsage;
            plan.adaptation.effective.retain(|known| !is_humour(known));
        }
        reason::adaptation(&plan.adaptation, &mut plan.reasons);
        plan.phases.push(TurnPhase::Wellbeing);
        plan.wellbeing = wellbeing(self.config, state, self.input.sent_at);
        plan.phases.push(TurnPhase::Facts);
        plan.facts = facts(
            self.utterance,
            self.emotion.intensity,
            self.input.facts,
            self.input.message,
        );
        plan.phases.push(TurnPhase::Insights);
        plan.insights = insights(state, self.lexicon, self.scope);
        plan.notes = notes(plan, self.input.sent_at, self.scope != Scope::Private);
        if !plan.notes.is_empty() {
            plan.phases.push(TurnPhase::Notes);
        }
    }

    /// What the turn leaves to do after the reply.
    pub(crate) fn pending(&self, state: &UserState, liveliness: f32, latency: Option<Duration>) -> Pending {
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
