//! Which moments to offer now.

use whisperengine_types::{
    MemoryKind, MemoryOwner, MomentPlan, MomentTiming, MomentType, RecalledMemory, Timestamp,
};

use super::{
    Moments,
    connect::{Connection, connect},
    note::{Draft, Marks, Note, NoteFacts},
    timing::Timings,
    usage::moment_id,
};
use crate::{
    config::MomentConfig,
    emotional::{Assessment, EmotionalContext, EmotionalHistory, assess},
    lexicon::{Cue, Lexicon, Themes},
    number::{DAY, HOUR, unit},
    text::{Term, Utterance, clip, hash64},
    thread::Scope,
};

/// The present turn, as far as moments go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occasion<'a> {
    pub(crate) config: &'a MomentConfig,
    pub(crate) lexicon: &'a Lexicon,
    pub(crate) owner: &'a MemoryOwner,
    pub(crate) recalled: &'a [RecalledMemory],
    pub(crate) text: &'a str,
    pub(crate) terms: &'a [Term],
    pub(crate) themes: Themes,
    pub(crate) marks: Marks,
    /// Whether the message is about the person themselves.
    pub(crate) own: bool,
    pub(crate) emotion: &'a EmotionalContext,
    pub(crate) timings: Timings,
    pub(crate) session: u32,
    pub(crate) session_started: Timestamp,
    pub(crate) scope: Scope,
    /// Hash of the channel, to let a public channel hear what was said in it.
    pub(crate) channel: u64,
    pub(crate) message: &'a whisperengine_types::MemoryId,
    pub(crate) turn: u64,
    pub(crate) at: Timestamp,
    /// Words with which a memory is quoted, at most.
    pub(crate) quote_chars: usize,
    /// The relationship has just risen a stage.
    pub(crate) risen: bool,
}

/// A moment that could be offered.
struct Candidate {
    connection: Connection,
    key: u64,
    note: Note,
    timing: MomentTiming,
    impact: f32,
    score: f32,
}

/// Recalled memories that are looked at; they come best first.
const MAX_RECALLED: usize = 4;
/// A recalled memory below this similarity and without a shared word is not looked at.
const FAR: f32 = 0.3;
const MAX_OFFERED: usize = 3;

impl Moments {
    /// The moments to offer, best first, at most three.
    pub(crate) fn pick(&mut self, now: &Occasion<'_>) -> Vec<MomentPlan> {
        if now.timings.is_empty() || !now.own || !self.usage.rested(now.turn, now.config.gap_turns) {
            return Vec::new();
        }
        let mut candidates: Vec<Candidate> = Vec::new();
        for note in &self.notes {
            if note.scope.visible_in(now.scope) && note.session != now.session {
                self.consider(note, None, now, &mut candidates);
            }
        }
        for recalled in now.recalled.iter().take(MAX_RECALLED) {
            if let Some((note, similarity)) = from_recalled(recalled, now) {
                self.consider(&note, similarity, now, &mut candidates);
            }
        }
        if now.risen {
            self.consider_milestone(now, &mut candidates);
        }
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.key.cmp(&b.key)));
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

    fn consider(&self, note: &Note, similarity: Option<f32>, now: &Occasion<'_>, found: &mut Vec<Candidate>) {
        let Some(connection) = connect(self, note, similarity, now) else {
            return;
        };
        let Some(timing) = now.timings.fits(connection.kind) else {
            return;
        };
        let key = moment_key(&connection);
        let gate = |at_creation: f32| (at_creation - 0.1).max(0.2);
        let age = now.at.since(note.at);
        let open = connection.relevance >= now.config.relevance
            && age <= DAY * now.config.retention_days
            && now.emotion.depth >= gate(note.depth.value())
            && now.emotion.trust >= gate(note.trust.value())
            && self.usage.is_cool(key, now.at, HOUR * now.config.cooldown_hours)
            && note.quote.len() >= 12;
        if !open {
            return;
        }
        let quote = clip(&note.quote, now.quote_chars);
        if self.usage.was_told(&quote, now.at) || quote == clip(now.text, now.quote_chars) {
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
        let candidate = Candidate {
            connection,
            key,
            note: note.clone(),
            timing,
            impact,
            score,
        };
        match found.iter_mut().find(|other| other.key == key) {
            Some(other) if other.score < candidate.score => *other = candidate,
            Some(_) => {}
            None => found.push(candidate),
        }
    }

    /// The relationship has risen: recall its first notable message.
    fn consider_milestone(&self, now: &Occasion<'_>, found: &mut Vec<Candidate>) {
        let Some(timing) = now.timings.fits(MomentType::RelationshipMilestone) else {
            return;
        };
        let first = self
            .notes
            .iter()
            .filter(|note| note.scope.visible_in(now.scope) && note.session != now.session)
            .filter(|note| note.marks.has(Marks::ACHIEVEMENT) || note.marks.has(Marks::GOAL));
        let Some(note) = first.min_by_key(|note| note.at) else {
            return;
        };
        let Some(subject) = note.subject() else { return };
        let connection = Connection {
            kind: MomentType::RelationshipMilestone,
            via: whisperengine_types::ConnectionType::RelationshipDevelopment,
            key: subject,
            strength: 0.6,
            relevance: 0.6,
            overlap: 0.0,
            significance: 0.9,
        };
        let key = moment_key(&connection);
        if self.usage.is_cool(key, now.at, HOUR * now.config.cooldown_hours) {
            let impact = 0.86;
            found.push(Candidate {
                connection,
                key,
                note: note.clone(),
                timing,
                impact,
                score: 0.6,
            });
        }
    }

    fn plan(&self, candidate: Candidate, now: &Occasion<'_>) -> MomentPlan {
        let kind = kind_name(candidate.connection.kind);
        MomentPlan {
            id: moment_id(candidate.key),
            kind: candidate.connection.kind,
            connection: candidate.connection.via,
            frequency: self.frequency(candidate.connection.key),
            timing: candidate.timing,
            quote: clip(&candidate.note.quote, now.quote_chars),
            memory: candidate.note.memory,
            said_at: candidate.note.at,
            callback: now.lexicon.phrase(&format!("callback.{kind}")).to_owned(),
            tone: now.lexicon.phrase(&format!("tone.{kind}")).to_owned(),
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

/// A recalled memory as a note, if it may be brought up: the person's own words, not of now, and in a
/// public channel only what was said there.
fn from_recalled(recalled: &RecalledMemory, now: &Occasion<'_>) -> Option<(Note, Option<f32>)> {
    let memory = &recalled.memory;
    let similarity = recalled.similarity.map(whisperengine_types::Similarity::value);
    if similarity.unwrap_or(0.0) < FAR && recalled.matched_terms.is_empty() {
        return None;
    }
    let age = now.at.since(memory.sent_at);
    let earlier = memory.sent_at < now.session_started || age >= HOUR * now.config.minimum_age_hours;
    if memory.id == *now.message || memory.text == now.text || !earlier || age.is_zero() {
        return None;
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
    let said_here = memory
        .channel
        .as_ref()
        .is_some_and(|c| hash64(c.as_str().as_bytes()) == now.channel);
    if !own || !quotable || (now.scope != Scope::Private && !said_here) {
        return None;
    }
    let utterance = Utterance::read(now.lexicon, &memory.text);
    let told = utterance.terms.iter().filter(|term| term.weight >= 0.9).count() >= 2;
    let message = memory.kind == MemoryKind::Message;
    if utterance.is_question() || utterance.words() < 4 || !told || (message && !utterance.has(Cue::Own)) {
        return None;
    }
    let history = EmotionalHistory::default();
    let emotion = assess(Assessment {
        reading: &whisperengine_types::EmotionReading::neutral(),
        utterance: &utterance,
        history: &history,
        depth: 0.0,
        trust: 0.0,
        at: memory.sent_at,
    });
    let facts = NoteFacts {
        memory: &memory.id,
        session: if memory.sent_at < now.session_started {
            0
        } else {
            now.session
        },
        scope: now.scope,
        emotion: &emotion,
        at: memory.sent_at,
    };
    let mut note = Draft::new(&utterance, facts).into_note();
    // The whole text, not what a note keeps of it: the quote is cut to the prompt's length later.
    note.quote = memory.text.chars().take(1000).collect();
    note.memory = Some(memory.id.clone());
    Some((note, similarity))
}

fn moment_key(connection: &Connection) -> u64 {
    use super::pattern::Key;
    let (tag, value) = match connection.key {
        Key::Theme(theme) => (1_u8, theme as u32),
        Key::Term(term) => (2, term),
        Key::Feeling(state) => (3, state as u32),
    };
    let value = value.to_le_bytes();
    hash64(&[connection.kind as u8, tag, value[0], value[1], value[2], value[3]])
}

fn kind_name(kind: MomentType) -> &'static str {
    match kind {
        MomentType::AchievementCallback => "achievement_callback",
        MomentType::EmotionalContinuity => "emotional_continuity",
        MomentType::InterestDevelopment => "interest_development",
        MomentType::RelationshipMilestone => "relationship_milestone",
        MomentType::ProblemResolution => "problem_resolution",
        MomentType::SharedExperience => "shared_experience",
        MomentType::PersonalGrowth => "personal_growth",
        MomentType::RecurringTheme => "recurring_theme",
        MomentType::CelebrationEcho => "celebration_echo",
        MomentType::SupportFollowUp => "support_follow_up",
    }
}
