use whisperengine_types::{Audience, Language, MemoryId, Timestamp, ZoneId};

/// Something that was said, and what is known of the circumstances.
#[derive(Debug, Clone)]
pub struct Statement<'a> {
    /// The memory that keeps it.
    pub memory: MemoryId,
    /// The text.
    pub text: &'a str,
    /// Who said it.
    pub speaker: Speaker,
    /// When.
    pub sent_at: Timestamp,
    /// The person's time zone; UTC when it is not known.
    pub zone: Option<&'a ZoneId>,
    /// The language; when it is not known, the script decides and Latin script is read as English.
    pub language: Option<Language>,
    /// Before whom it was said.
    pub audience: Audience,
    /// It tells of a crisis: nothing is learned from it.
    pub crisis: bool,
}

impl<'a> Statement<'a> {
    /// What the profile's person said in private.
    pub fn new(memory: MemoryId, text: &'a str, sent_at: Timestamp) -> Self {
        Self {
            memory,
            text,
            speaker: Speaker::Owner,
            sent_at,
            zone: None,
            language: None,
            audience: Audience::Private,
            crisis: false,
        }
    }
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Speaker {
    /// The person that the profile is of.
    #[default]
    Owner,
    /// Someone else: nothing is learned.
    Other,
}
