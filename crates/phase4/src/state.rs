use std::sync::Arc;

use serde::{Deserialize, Serialize};
use whisperengine_types::{
    Adaptation, ConversationPattern, EngagementStrategy, Language, MemoryId, MemoryInsights, MemoryOwner,
    MomentType, OfferedMoment, RelationshipPlan, ThreadId, Timestamp,
};

use crate::{
    boundary::Boundaries,
    config::Config,
    emotional::{EmotionalHistory, EmotionalSummary, Felt},
    engagement::{Beat, Engagement, Fading, Mentions, RhythmSummary},
    error::Error,
    insight::insights,
    interaction::InteractionHistory,
    lexicon::{Cue, Lexicon},
    moment::{ConnectionReport, Draft, Glances, MomentRecord, Moments},
    number::{DAY, push_bounded},
    personality::{Observation, Personality, PersonalitySummary},
    reception::Reception,
    relationship::{Relationship, RelationshipReport},
    session::Session,
    text::{Utterance, fold32, hash64, hash128},
    thread::{Scope, SwitchingHabit, ThreadReport, Threads, TransitionReport},
};

/// Everything the engine knows of one owner's conversation: a value of bounded size, changed only by the
/// engine's functions, equal after equal inputs.
///
/// [`UserState::encode`] and [`UserState::decode`] keep it in a versioned binary form of at most
/// [`UserState::MAX_BYTES`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserState {
    pub(crate) owner: u128,
    /// The person's messages so far.
    pub(crate) turns: u64,
    pub(crate) session: Session,
    pub(crate) emotional: EmotionalHistory,
    pub(crate) interaction: InteractionHistory,
    pub(crate) threads: Threads,
    pub(crate) personality: Personality,
    pub(crate) relationship: Relationship,
    pub(crate) engagement: Engagement,
    pub(crate) moments: Moments,
    /// Readings of recalled texts; saves time and means nothing.
    #[serde(skip)]
    pub(crate) glances: Glances,
    /// What the latest turn left to do.
    pub(crate) pending: Option<Pending>,
    pub(crate) boundaries: Boundaries,
    pub(crate) reception: Reception,
    pub(crate) fading: Fading,
    pub(crate) danger: Danger,
    /// The language of the latest message, where it was clear.
    pub(crate) language: Option<Language>,
}

/// Work that does not change the reply and is done after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) seen: Observation,
    pub(crate) felt: Felt,
    pub(crate) beat: Beat,
    pub(crate) mentions: Mentions,
    pub(crate) draft: Draft,
}

/// When the person was last in danger, and the messages that said so, by hash of their ids, latest last.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Danger {
    last: Option<Timestamp>,
    messages: Vec<u32>,
}

impl Danger {
    pub(crate) fn note(&mut self, message: &MemoryId, at: Timestamp) {
        self.last = Some(at);
        push_bounded(&mut self.messages, id_hash(message), MAX_DANGER);
    }

    /// Whether a message said that the person was in danger.
    pub(crate) fn holds(&self, message: &MemoryId) -> bool {
        self.messages.contains(&id_hash(message))
    }
}

fn id_hash(message: &MemoryId) -> u32 {
    fold32(hash64(message.as_str().as_bytes()))
}

/// Messages of danger remembered, at most.
const MAX_DANGER: usize = 24;
/// Days after a sign of danger in which nothing is brought up unasked.
const CARE_DAYS: u32 = 3;

impl UserState {
    /// The most bytes an encoded state takes, whatever was said.
    pub const MAX_BYTES: usize = 16 * 1024;

    const MAGIC: [u8; 4] = *b"WEP4";
    const VERSION: u16 = 1;
    const HEADER: usize = 10;

    /// The state of somebody unknown.
    pub fn new(owner: &MemoryOwner) -> Self {
        Self {
            owner: owner_hash(owner),
            turns: 0,
            session: Session::default(),
            emotional: EmotionalHistory::default(),
            interaction: InteractionHistory::default(),
            threads: Threads::default(),
            personality: Personality::default(),
            relationship: Relationship::default(),
            engagement: Engagement::default(),
            moments: Moments::default(),
            glances: Glances::default(),
            pending: None,
            boundaries: Boundaries::default(),
            reception: Reception::default(),
            fading: Fading::default(),
            danger: Danger::default(),
            language: None,
        }
    }

    /// The state as bytes: `WEP4`, version, CRC-32 of the rest, then the fields in the postcard format.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4096);
        bytes.extend(Self::MAGIC);
        bytes.extend(Self::VERSION.to_le_bytes());
        bytes.extend([0; 4]);
        let mut bytes =
            postcard::to_extend(self, bytes).expect("a state has no field that the format cannot hold");
        let sum = crc32fast::hash(&bytes[Self::HEADER..]);
        bytes[6..Self::HEADER].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads an encoded state of `owner`.
    ///
    /// # Errors
    /// [`Error::NotAState`], [`Error::UnsupportedVersion`], [`Error::DamagedState`], or
    /// [`Error::OwnerMismatch`] for a sound state of somebody else.
    pub fn decode(owner: &MemoryOwner, bytes: &[u8]) -> Result<Self, Error> {
        let Some((header, body)) = bytes.split_at_checked(Self::HEADER) else {
            return Err(Error::NotAState);
        };
        if header[..4] != Self::MAGIC {
            return Err(Error::NotAState);
        }
        let version = u16::from_le_bytes([header[4], header[5]]);
        if version != Self::VERSION {
            return Err(Error::UnsupportedVersion {
                got: version,
                supported: Self::VERSION,
            });
        }
        if bytes.len() > 2 * Self::MAX_BYTES {
            return Err(Error::DamagedState {
                reason: "longer than any state",
            });
        }
        if crc32fast::hash(body).to_le_bytes() != header[6..] {
            return Err(Error::DamagedState {
                reason: "checksum differs",
            });
        }
        let damaged = |_| Error::DamagedState {
            reason: "fields cannot be read",
        };
        let (mut state, rest): (Self, _) = postcard::take_from_bytes(body).map_err(damaged)?;
        if !rest.is_empty() {
            return Err(Error::DamagedState {
                reason: "bytes follow the last field",
            });
        }
        if state.owner != owner_hash(owner) {
            return Err(Error::OwnerMismatch);
        }
        state.repair();
        Ok(state)
    }

    /// The words of the language that the person writes.
    pub(crate) fn lexicon(&self, config: &Config) -> Arc<Lexicon> {
        Lexicon::of(self.language.unwrap_or(config.language))
    }

    /// Whether the person was in danger so lately that nothing is brought up unasked.
    pub(crate) fn needs_care(&self, now: Timestamp) -> bool {
        self.danger
            .last
            .is_some_and(|danger| now.since(danger) < DAY * CARE_DAYS)
    }

    /// Notes the moments of a plan that is made once more.
    pub(crate) fn offer_again(&mut self, offered: &[OfferedMoment], at: Timestamp) {
        self.moments.usage_mut().offer_again(offered, self.turns, at);
        let is_milestone = |moment: &OfferedMoment| moment.kind == MomentType::RelationshipMilestone;
        if offered.iter().any(is_milestone) {
            self.relationship.settle_rise();
        }
    }

    /// The person's messages so far.
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// The threads, latest first.
    pub fn threads(&self) -> Vec<ThreadReport> {
        self.threads.reports(self.owner)
    }

    /// The latest changes of thread, latest first, at most eight.
    pub fn transitions(&self) -> Vec<TransitionReport> {
        self.threads.transition_reports(self.owner)
    }

    /// How the person changes the subject, most usual way first.
    pub fn switching_habits(&self) -> Vec<SwitchingHabit> {
        self.threads.switching_habits()
    }

    /// Pauses a thread on request; it keeps its context. `false` when no open thread has this id.
    pub fn pause_thread(&mut self, id: &ThreadId) -> bool {
        self.threads
            .number_of(self.owner, id)
            .is_some_and(|number| self.threads.pause(number))
    }

    /// Makes a thread the current one again, whatever its state but merged. `false` when there is none.
    pub fn resume_thread(&mut self, id: &ThreadId, now: Timestamp) -> bool {
        self.threads
            .number_of(self.owner, id)
            .is_some_and(|number| self.threads.resume(number, now))
    }

    /// What the messages so far amount to; for the person's own eyes.
    pub fn insights(&self, config: &Config) -> MemoryInsights {
        insights(self, &self.lexicon(config), Scope::Private)
    }

    /// Subjects that the person does not want to be asked about, latest first; for the person's own eyes.
    pub fn closed_subjects(&self) -> Vec<String> {
        self.boundaries.names(Scope::Private).map(str::to_owned).collect()
    }

    /// The person's feelings so far.
    pub fn emotional_summary(&self) -> EmotionalSummary {
        self.emotional.summary(&self.reception)
    }

    /// The person's traits so far.
    pub fn personality_summary(&self) -> PersonalitySummary {
        self.personality.summary()
    }

    /// How replies have gone down with the person, and what works with them.
    pub fn adaptation(&self) -> Adaptation {
        self.reception.adaptation()
    }

    /// How often a reply of this pattern was answered, and how well it went down, `0..=1`; 0.5 to begin with.
    pub fn pattern_record(&self, pattern: ConversationPattern) -> (u32, f32) {
        self.reception.record(pattern)
    }

    /// How close the two are, as of the last turn.
    pub fn relationship(&self, config: &Config) -> RelationshipPlan {
        self.relationship
            .plan(&config.personality, self.turns, self.interaction.supportive)
    }

    /// How the relationship stands and what comes next.
    pub fn relationship_report(&self, config: &Config, now: Timestamp) -> RelationshipReport {
        self.relationship.report(&config.personality, now)
    }

    /// How the person usually writes.
    pub fn rhythm(&self) -> RhythmSummary {
        self.engagement.rhythm(&self.fading)
    }

    /// Patterns that tie messages together, most frequent first.
    pub fn connections(&self) -> Vec<ConnectionReport> {
        self.moments.connections()
    }

    /// Moments that were offered, with their use and success.
    pub fn moment_records(&self) -> Vec<MomentRecord> {
        self.moments.records()
    }

    /// How often a suggestion of this strategy was sent, and how well it worked, `0..=1`.
    pub fn strategy_record(&self, strategy: EngagementStrategy) -> (u32, f32) {
        let initiative = &self.engagement.initiative;
        (initiative.used(strategy), initiative.success(strategy))
    }

    /// Whether the person allows messages on the bot's own initiative.
    pub fn proactive_allowed(&self) -> bool {
        self.engagement.initiative.is_allowed()
    }

    /// Does what the person asks for in words, from this reply on. Says whether they want another manner.
    pub(crate) fn heed(&mut self, utterance: &Utterance<'_>, scope: Scope, at: Timestamp) -> bool {
        let wish = self.personality.heed(utterance);
        let current = self.threads.current_word(scope);
        self.boundaries.heed(utterance, current, scope, at);
        if utterance.has(Cue::OptOut) {
            self.engagement.initiative.allow(false);
        } else if utterance.has(Cue::OptIn) {
            self.engagement.initiative.allow(true);
        }
        wish
    }

    /// Whether the state is this owner's.
    pub(crate) fn belongs_to(&self, owner: &MemoryOwner) -> bool {
        self.owner == owner_hash(owner)
    }

    /// Brings every decoded value into its range; a sound state is left as it is.
    fn repair(&mut self) {
        self.emotional.repair();
        self.interaction.repair();
        self.threads.repair();
        self.personality.repair();
        self.relationship.repair();
        self.engagement.repair();
        self.moments.repair();
        self.boundaries.repair();
        self.reception.repair();
        self.danger.messages.truncate(MAX_DANGER);
    }
}

fn owner_hash(owner: &MemoryOwner) -> u128 {
    match owner {
        MemoryOwner::Person { bot, user } => {
            hash128(&[b"person", bot.as_str().as_bytes(), user.as_str().as_bytes()])
        }
        MemoryOwner::Shared { bot, space } => {
            hash128(&[b"shared", bot.as_str().as_bytes(), space.as_str().as_bytes()])
        }
    }
}
