//! One person's conversation under a clock that the test moves.
#![allow(dead_code, reason = "each test file uses a part")]

use std::{sync::Arc, time::Duration};

use whisperengine_phase4::{Config, UserState, after_turn, plan_turn, record_feedback, tick};
use whisperengine_types::*;

pub(crate) struct Talk {
    pub(crate) config: Config,
    pub(crate) state: UserState,
    pub(crate) owner: MemoryOwner,
    pub(crate) channel: ChannelId,
    pub(crate) audience: Audience,
    pub(crate) now: Timestamp,
    pub(crate) recalled: Vec<RecalledMemory>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) embedding: Option<Embedding>,
    messages: u64,
}

pub(crate) fn owner(user: &str) -> MemoryOwner {
    MemoryOwner::person(BotId::new("ember").unwrap(), UserId::new(user).unwrap())
}

pub(crate) fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

pub(crate) fn hours(n: u64) -> Duration {
    minutes(60 * n)
}

pub(crate) fn days(n: u64) -> Duration {
    hours(24 * n)
}

/// An audience beside the private one.
pub(crate) fn public(group: &str) -> Audience {
    Audience::Group(AudienceId::new(group).unwrap())
}

/// A reading as an analyzer would give it.
pub(crate) fn feels(primary: PrimaryEmotion, intensity: f32, valence: f32) -> EmotionReading {
    EmotionReading {
        primary,
        intensity,
        confidence: 0.9,
        valence,
        arousal: intensity,
        ..EmotionReading::neutral()
    }
}

pub(crate) fn calm() -> EmotionReading {
    feels(PrimaryEmotion::Neutral, 0.1, 0.0)
}

pub(crate) fn sad() -> EmotionReading {
    feels(PrimaryEmotion::Sadness, 0.8, -0.7)
}

pub(crate) fn glad() -> EmotionReading {
    feels(PrimaryEmotion::Joy, 0.8, 0.8)
}

impl Talk {
    pub(crate) fn new(user: &str) -> Self {
        let owner = owner(user);
        let mut talk = Self {
            config: Config::default(),
            state: UserState::new(&owner),
            owner,
            channel: ChannelId::new("dm").unwrap(),
            audience: Audience::Private,
            // A Monday, noon.
            now: "2026-03-02T12:00:00Z".parse().unwrap(),
            recalled: Vec::new(),
            facts: Vec::new(),
            embedding: None,
            messages: 0,
        };
        talk.feed(&Feedback::Proactive { allowed: true }).unwrap();
        talk
    }

    pub(crate) fn wait(&mut self, span: Duration) -> &mut Self {
        self.now = self.now + span;
        self
    }

    /// Says something neutral, half a minute after the last message.
    pub(crate) fn say(&mut self, text: &str) -> TurnPlan {
        self.say_with(text, &calm())
    }

    pub(crate) fn say_with(&mut self, text: &str, emotion: &EmotionReading) -> TurnPlan {
        let plan = self.plan(text, emotion);
        after_turn(&self.config, &mut self.state);
        plan
    }

    /// Plans the reply and leaves the work after it.
    pub(crate) fn plan(&mut self, text: &str, emotion: &EmotionReading) -> TurnPlan {
        self.now = self.now + Duration::from_secs(30);
        self.messages += 1;
        let message = MemoryId::from_number(self.messages);
        let input = TurnInput {
            owner: &self.owner,
            channel: &self.channel,
            audience: &self.audience,
            message: &message,
            text,
            emotion,
            embedding: self.embedding.as_ref(),
            recalled: &self.recalled,
            facts: &self.facts,
            sent_at: self.now,
            replay: None,
        };
        plan_turn(&self.config, &mut self.state, &input, self.now).unwrap()
    }

    pub(crate) fn reply(&mut self, text: &str) {
        self.reply_with(text, None).unwrap();
    }

    pub(crate) fn reply_with(
        &mut self,
        text: &str,
        moment: Option<&str>,
    ) -> Result<(), whisperengine_phase4::Error> {
        let (text, moment) = (text.to_owned(), moment.map(str::to_owned));
        self.feed(&Feedback::Replied {
            text,
            moment,
            at: self.now,
        })
    }

    pub(crate) fn feed(&mut self, feedback: &Feedback) -> Result<(), whisperengine_phase4::Error> {
        record_feedback(&self.config, &mut self.state, feedback)
    }

    pub(crate) fn tick(&mut self) -> Vec<Suggestion> {
        tick(&self.config, &mut self.state, self.now)
    }

    /// Confirms a suggestion as sent now.
    pub(crate) fn send(&mut self, suggestion: &Suggestion) {
        self.feed(&Feedback::SuggestionSent {
            suggestion: suggestion.id.clone(),
            at: self.now,
        })
        .unwrap();
    }
}

/// Whether a note begins like this.
pub(crate) fn has_note(plan: &TurnPlan, start: &str) -> bool {
    plan.notes.iter().any(|note| note.starts_with(start))
}

pub(crate) fn thread(plan: &TurnPlan) -> &ThreadPlan {
    plan.thread.as_ref().expect("a plan of the engine has a thread")
}

pub(crate) fn remembered(id: &str, text: &str, at: Timestamp, similarity: f32) -> RecalledMemory {
    RecalledMemory {
        memory: Arc::new(MemoryRecord::new(MemoryId::new(id).unwrap(), text, at)),
        score: similarity,
        relevance: similarity.clamp(0.0, 1.0),
        passage: None,
        copies: 0,
        last_copy_at: None,
        superseded: false,
        similarity: Some(Similarity::new(similarity)),
        parts: ScoreParts::default(),
        matched_terms: Vec::new(),
    }
}

/// A sign of acute danger.
pub(crate) fn in_danger() -> Safety {
    Safety {
        level: SafetyLevel::Crisis,
        cue: Some(SafetyCue {
            kind: SafetyKind::Suicide,
            span: 0..0,
        }),
    }
}
