//! Which moments to offer now.

use whisperengine_types::{
    MemoryId, MemoryKind, MemoryOwner, MomentPlan, MomentTiming, MomentTone, MomentType, RecalledMemory,
    Timestamp,
};

use super::{
    Glances, Moments,
    connect::{Connection, Old, connect},
    note::{Marks, Note},
    pattern::Key,
    prefilter::{Beginnings, is_worth_reading},
    timing::Timings,
    usage::moment_id,
};
use crate::{
    boundary::Boundaries,
    config::MomentConfig,
    emotional::EmotionalContext,
    lexicon::{Lexicon, Themes},
    number::{DAY, HOUR, unit},
    session::scope,
    state::Danger,
    text::{Utterance, clip, hash64},
    thread::Scope,
};

/// The present turn, as far as moments go.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent marks, read one at a time"
)]
pub(crate) struct Occasion<'a> {
    pub(crate) config: &'a MomentConfig,
    pub(crate) lexicon: &'a Lexicon,
    pub(crate) boundaries: &'a Boundaries,
    pub(crate) danger: &'a Danger,
    pub(crate) owner: &'a MemoryOwner,
    pub(crate) recalled: &'a [RecalledMemory],
    pub(crate) text: &'a str,
    pub(crate) utterance: &'a Utterance<'a>,
    /// Whether the words of feeling in it, if there are any, are about the person themselves.
    pub(crate) own_feeling: bool,
    /// Telling words of the sentences in which the person tells of themselves.
    pub(crate) told: &'a [u32],
    /// How these begin.
    pub(crate) beginnings: &'a Beginnings,
    pub(crate) themes: Themes,
    pub(crate) marks: Marks,
    /// Whether the person tells of themselves at all.
    pub(crate) own: bool,
    /// Telling words of the whole message.
    pub(crate) telling: usize,
    /// Whether the message says that the person trusts the other, or thanks them.
    pub(crate) trusting: bool,
    pub(crate) thankful: bool,
    pub(crate) emotion: &'a EmotionalContext,
    pub(crate) timings: Timings,
    pub(crate) session: u32,
    pub(crate) session_started: Timestamp,
    pub(crate) scope: Scope,
    pub(crate) message: &'a MemoryId,
    pub(crate) turn: u64,
    pub(crate) at: Timestamp,
    /// The relationship has just risen a stage.
    pub(crate) risen: bool,
}

impl Occasion<'_> {
    /// Whether next to nothing is told, so that a feeling stands without its cause.
    pub(super) fn is_bare(&self) -> bool {
        self.telling <= 2
    }
}

/// A moment that could be offered.
struct Candidate<'a> {
    connection: Connection,
    key: u64,
    quote: String,
    memory: Option<&'a MemoryId>,
    said_at: Timestamp,
    timing: MomentTiming,
    impact: f32,
    score: f32,
}

/// Recalled memories that are looked at; they come best first.
const MAX_RECALLED: usize = 4;
/// A recalled memory below this similarity and without a shared word is not looked at.
const FAR: f32 = 0.3;
const MAX_OFFERED: usize = 3;
/// Characters of a memory that are said again.
const CALLBACK_CHARS: usize = 80;
/// Shorter quotes say nothing.
const MIN_QUOTE_BYTES: usize = 12;

impl Moments {
    /// Whether the turn gives an occasion to bring something up at all.
    pub(crate) fn has_occasion(&self, now: &Occasion<'_>) -> bool {
        !now.timings.is_empty() && now.own && self.usage.rested(now.turn, now.config.gap_turns)
    }

    /// The moments to offer on an occasion, best first, at most three.
    pub(crate) fn pick(&mut self, glances: &mut Glances, now: &Occasion<'_>) -> Vec<MomentPlan> {
        let mut candidates: Vec<Candidate<'_>> = Vec::new();
        for note in &self.notes {
            if note.scope.visible_in(now.scope) && note.session != now.session {
                let said = Said {
                    quote: &note.quote,
                    memory: note.memory.as_ref(),
                };
                self.consider(&note.as_old(), said, now, &mut candidates);
            }
        }
        for recalled in now
            .recalled
            .iter()
            .take(MAX_RECALLED)
            .filter(|recalled| may_be_told(recalled, now) && is_worth_reading(recalled, now))
        {
            let memory = &recalled.memory;
            let glance = glances.read(now.lexicon, &memory.text);
            let Some(saying) = glance.best(now.told, memory.kind == MemoryKind::Message) else {
                continue;
            };
            let earlier = memory.sent_at < now.session_started;
            let old = Old {
                marks: glance.marks,
                state: glance.state,
                intensity: glance.intensity.value(),
                themes: glance.themes,
                terms: &saying.terms,
                modifiers: &saying.modifiers,
                achieved: saying.achieved,
                similarity: recalled.similarity.map(whisperengine_types::Similarity::value),
                session: if earlier { 0 } else { now.session },
                at: memory.sent_at,
                depth: 0.0,
                trust: 0.0,
            };
            let said = Said {
                quote: memory.text.get(saying.range.0..saying.range.1).unwrap_or(""),
                memory: Some(&memory.id),
            };
            self.consider(&old, said, now, &mut candidates);
        }
        if now.risen {
            self.consider_milestone(now, &mut candidates);
        }
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.key.cmp(&b.key)));
        // A memory may connect in two ways; it is told once.
        let mut quotes: Vec<String> = Vec::new();
        candidates.retain(|candidate| {
            let fresh = !quotes.contains(&candidate.quote);
            quotes.push(candidate.quote.clone());
            fresh
        });
        candidates.truncate(MAX_OFFERED);
        let keys: Vec<u64> = candidates.iter().map(|candidate| candidate.key).collect();
        let plans: Vec<MomentPlan> = candidates
            .into_iter()
            .map(|candidate| self.plan(candidate, now))
            .collect();
        if let Some(first) = plans.first() {
            self.usage.offer(&keys, &first.quote, now.turn, now.at);
        }
        plans
    }

    /// The best moment of a pause, for a message of the bot's own: a notable message of another session.
    pub(crate) fn for_pause(&self, session: u32, scope: Scope, now: Timestamp) -> Option<String> {
        let fit = |note: &&Note| {
            note.scope.visible_in(scope)
                && note.session < session
                && now.since(note.at) >= DAY
                && !self.usage.was_told(&clip(&note.quote, 80), now)
                && (note.marks.has(Marks::GOAL) || note.marks.has(Marks::PROBLEM))
        };
        let latest = self.notes.iter().filter(fit).max_by_key(|note| note.at)?;
        Some(clip(&latest.quote, 80))
    }

    fn consider<'a>(
        &self,
        old: &Old<'_>,
        said: Said<'a>,
        now: &Occasion<'_>,
        found: &mut Vec<Candidate<'a>>,
    ) {
        let Some(connection) = connect(self, old, now) else {
            return;
        };
        let Some(timing) = now.timings.fits(connection.kind) else {
            return;
        };
        let key = moment_key(&connection);
        let gate = |at_creation: f32| (at_creation - 0.1).max(0.2);
        let open = connection.relevance >= now.config.relevance
            && now.at.since(old.at) <= DAY * now.config.retention_days
            && now.emotion.depth >= gate(old.depth)
            && now.emotion.trust >= gate(old.trust)
            && self.usage.is_cool(key, now.at, HOUR * now.config.cooldown_hours)
            && said.quote.len() >= MIN_QUOTE_BYTES;
        if !open {
            return;
        }
        let bonus = matches!(
            connection.kind,
            MomentType::AchievementCallback | MomentType::SupportFollowUp
        );
        let impact = unit(
            0.5 + 0.3 * connection.strength + 0.2 * connection.significance + if bonus { 0.2 } else { 0.0 },
        );
        let learnt = self.usage.success(key).unwrap_or(0.5);
        let score = 0.4 * impact + 0.3 * connection.strength + 0.2 * connection.overlap + 0.1 * learnt;
        if found.iter().any(|other| other.key == key && other.score >= score) {
            return;
        }
        let quote = clip(said.quote, now.config.quote_chars);
        let known = self.usage.was_told(&quote, now.at) || now.text.contains(said.quote);
        if known || now.boundaries.cover(now.lexicon, said.quote) {
            return;
        }
        found.retain(|other| other.key != key);
        found.push(Candidate {
            connection,
            key,
            quote,
            memory: said.memory,
            said_at: old.at,
            timing,
            impact,
            score,
        });
    }

    /// The relationship has risen and the person says so: recall what they confided first, or the first
    /// notable thing they told that they speak of again.
    fn consider_milestone<'a>(&'a self, now: &Occasion<'_>, found: &mut Vec<Candidate<'a>>) {
        let Some(timing) = now.timings.fits(MomentType::RelationshipMilestone) else {
            return;
        };
        let about_them = |note: &&Note| {
            let again = note.terms.iter().any(|term| now.told.contains(term));
            let notable = note.marks.has(Marks::ACHIEVEMENT) || note.marks.has(Marks::GOAL);
            let confided = note.marks.has(Marks::CONFIDED);
            (now.trusting && (confided || (notable && again))) || (now.thankful && confided)
        };
        let earlier = self
            .notes
            .iter()
            .filter(|note| note.scope.visible_in(now.scope) && note.session != now.session)
            .filter(about_them);
        let Some(note) = earlier.min_by_key(|note| note.at) else {
            return;
        };
        let connection = Connection {
            kind: MomentType::RelationshipMilestone,
            via: whisperengine_types::ConnectionType::RelationshipDevelopment,
            key: note.subject().unwrap_or(Key::Feeling(note.state)),
            strength: 0.6,
            relevance: 0.6,
            overlap: 0.0,
            significance: 0.9,
        };
        let key = moment_key(&connection);
        let closed = now.boundaries.cover(now.lexicon, &note.quote);
        if !closed && self.usage.is_cool(key, now.at, HOUR * now.config.cooldown_hours) {
            found.push(Candidate {
                connection,
                key,
                quote: clip(&note.quote, now.config.quote_chars),
                memory: note.memory.as_ref(),
                said_at: note.at,
                timing,
                impact: 0.86,
                score: 0.6,
            });
        }
    }

    fn plan(&self, candidate: Candidate<'_>, now: &Occasion<'_>) -> MomentPlan {
        let kind = candidate.connection.kind;
        // Inside the sentence the quote has no full stop of its own.
        let item = clip(&candidate.quote, CALLBACK_CHARS);
        let item = format!("'{}'", item.trim_end_matches(['.', ' ']));
        let callback = now.lexicon.fill(callback_key(kind), &[("item", &item)]);
        MomentPlan {
            id: moment_id(candidate.key),
            kind,
            connection: candidate.connection.via,
            frequency: self.frequency(candidate.connection.key),
            timing: candidate.timing,
            quote: candidate.quote,
            memory: candidate.memory.cloned(),
            said_at: candidate.said_at,
            callback,
            tone: tone(kind),
            impact: candidate.impact,
        }
    }

    pub(crate) fn usage_mut(&mut self) -> &mut super::Usage {
        &mut self.usage
    }

    pub(crate) fn records(&self) -> Vec<super::MomentRecord> {
        self.usage.records().to_vec()
    }
}

/// What would be quoted.
#[derive(Debug, Clone, Copy)]
struct Said<'a> {
    quote: &'a str,
    memory: Option<&'a MemoryId>,
}

impl Note {
    fn as_old(&self) -> Old<'_> {
        Old {
            marks: self.marks,
            state: self.state,
            intensity: self.intensity.value(),
            themes: self.themes,
            terms: &self.terms,
            modifiers: &[],
            achieved: self.marks.has(Marks::ACHIEVEMENT),
            similarity: None,
            session: self.session,
            at: self.at,
            depth: self.depth.value(),
            trust: self.trust.value(),
        }
    }
}

/// Whether a recalled memory may be brought up at all: near enough to be worth reading, the person's own,
/// not of now, and before an audience only what was said to it.
fn may_be_told(recalled: &RecalledMemory, now: &Occasion<'_>) -> bool {
    let memory = &recalled.memory;
    let similarity = recalled.similarity.map(whisperengine_types::Similarity::value);
    if similarity.unwrap_or(0.0) < FAR && recalled.matched_terms.is_empty() {
        return false;
    }
    let age = now.at.since(memory.sent_at);
    let earlier = memory.sent_at < now.session_started || age >= HOUR * now.config.minimum_age_hours;
    if memory.id == *now.message
        || now.danger.holds(&memory.id)
        || memory.text == now.text
        || !earlier
        || age.is_zero()
    {
        return false;
    }
    let own = match (&memory.speaker, now.owner) {
        (None, _) => true,
        (Some(speaker), MemoryOwner::Person { user, .. }) => speaker == user.as_str(),
        (Some(_), MemoryOwner::Shared { .. }) => false,
    };
    let quotable = matches!(
        memory.kind,
        MemoryKind::Message | MemoryKind::Fact | MemoryKind::Preference
    );
    let is_for_them = now.scope == Scope::Private || scope(&memory.audience()) == now.scope;
    own && quotable && is_for_them
}

fn moment_key(connection: &Connection) -> u64 {
    let (tag, value) = match connection.key {
        Key::Theme(theme) => (1_u8, theme as u32),
        Key::Term(term) => (2, term),
        Key::Feeling(state) => (3, state as u32),
    };
    let value = value.to_le_bytes();
    hash64(&[connection.kind as u8, tag, value[0], value[1], value[2], value[3]])
}

/// The phrase that brings a moment of this kind up.
fn callback_key(kind: MomentType) -> &'static str {
    match kind {
        MomentType::AchievementCallback => "callback.achievement_callback",
        MomentType::EmotionalContinuity => "callback.emotional_continuity",
        MomentType::InterestDevelopment => "callback.interest_development",
        MomentType::RelationshipMilestone => "callback.relationship_milestone",
        MomentType::ProblemResolution => "callback.problem_resolution",
        MomentType::SharedExperience => "callback.shared_experience",
        MomentType::PersonalGrowth => "callback.personal_growth",
        MomentType::RecurringTheme => "callback.recurring_theme",
        MomentType::CelebrationEcho => "callback.celebration_echo",
        MomentType::SupportFollowUp => "callback.support_follow_up",
    }
}

pub(crate) fn tone(kind: MomentType) -> MomentTone {
    match kind {
        MomentType::AchievementCallback | MomentType::ProblemResolution | MomentType::PersonalGrowth => {
            MomentTone::WarmCongratulatory
        }
        MomentType::InterestDevelopment | MomentType::CelebrationEcho => MomentTone::Enthusiastic,
        MomentType::RelationshipMilestone | MomentType::SharedExperience => MomentTone::Caring,
        MomentType::EmotionalContinuity | MomentType::RecurringTheme => MomentTone::UnderstandingEmpathetic,
        MomentType::SupportFollowUp => MomentTone::GentleEncouraging,
    }
}
