//! What is known of a person: facts, with when they held and where they come from.

use std::{fmt, ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{Audience, MemoryId, Timestamp};

/// Something known of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is about.
    pub slot: Slot,
    /// The value, as the person wrote it: `Munich`, `hazelnuts`, `Koko`.
    pub value: String,
    /// More about the value: `parrot` for a pet, `sister` for a sibling, `my colleague` for a friend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What the sentence says of a pet, a relative or a friend: `is a dentist in Leeds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether the person affirmed or denied it: `I don't have a dog`, `my cat died`.
    #[serde(default)]
    pub polarity: Polarity,
    /// Since when it holds: when it was said, or the time that the person named.
    pub since: Timestamp,
    /// When it ceased or will cease to hold; `None` while no end is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// For a plan or a birthday, when it takes place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// The message that says so.
    pub source: MemoryId,
    /// The sentence that says so, shortened.
    pub quote: Arc<str>,
    /// Where `quote` begins and ends in the message: a byte range on character boundaries.
    pub span: Range<u32>,
    /// How sure it is, `0..=1`; 1 was set or confirmed by hand.
    pub confidence: f32,
    /// How it came to be known.
    #[serde(default)]
    pub told_by: FactSource,
    /// Before whom it was said: it may be brought up there and in private, nowhere else.
    #[serde(default)]
    pub audience: Audience,
}

impl Fact {
    /// A fact that the person affirmed in private at `said_at`, without an end and without a quote.
    pub fn new(slot: Slot, value: impl Into<String>, source: MemoryId, said_at: Timestamp) -> Self {
        Self {
            slot,
            value: value.into(),
            detail: None,
            note: None,
            polarity: Polarity::Affirmed,
            since: said_at,
            until: None,
            due: None,
            source,
            quote: Arc::from(""),
            span: 0..0,
            confidence: 1.0,
            told_by: FactSource::Person,
            audience: Audience::Private,
        }
    }

    /// Whether it may be brought up before `audience`.
    pub fn is_visible_to(&self, audience: &Audience) -> bool {
        audience.is_private() || self.audience == *audience
    }

    /// Whether the fact holds at `now`.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.since <= now && self.until.is_none_or(|until| now < until)
    }
}

/// Whether something is so or is not so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Polarity {
    /// It is so.
    #[default]
    Affirmed,
    /// It is not, or no longer, so; an empty value denies everything in the slot.
    Denied,
}

/// How a fact came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FactSource {
    /// The person said so.
    #[default]
    Person,
    /// A language model read it from what the person said.
    Model,
    /// The app set it.
    App,
}

macro_rules! slots {
    ($($(#[$doc:meta])* $name:ident = $text:literal $(, $single:ident)?;)*) => {
        /// What a fact is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Slot { $($(#[$doc])* $name),* }

        impl Slot {
            /// Every slot.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The lower-case name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// Whether there is one value at a time, so that a new one ends the old.
            pub fn is_single(self) -> bool {
                match self { $(Self::$name => slots!(@single $($single)?)),* }
            }
        }
    };
    (@single single) => { true };
    (@single) => { false };
}

slots! {
    /// What they are called.
    Name = "name", single;
    /// `she/her` and the like.
    Pronouns = "pronouns", single;
    /// The day of birth: `8 June`, `1991-06-08`.
    Birthday = "birthday", single;
    /// The age in years when it was said.
    Age = "age", single;
    /// Where they live.
    Residence = "residence", single;
    /// Where they are for a while.
    Whereabouts = "whereabouts", single;
    /// Where they come from.
    Origin = "origin", single;
    /// What they do for a living.
    Occupation = "occupation", single;
    /// Whom they work for.
    Employer = "employer", single;
    /// Where or what they study.
    School = "school", single;
    /// Single, engaged, married, divorced.
    Relationship = "relationship", single;
    /// Their partner.
    Partner = "partner", single;
    /// Their phone number.
    Phone = "phone", single;
    /// Their e-mail address.
    Email = "email", single;
    /// Vegetarian, vegan, halal.
    Diet = "diet", single;
    /// Their time zone.
    TimeZone = "time_zone", single;
    /// The language they want to be answered in.
    Language = "language", single;
    /// The car they drive.
    Car = "car", single;
    /// A dentist, doctor, landlord and the like: `detail` says which.
    Contact = "contact";
    /// Their pets.
    Pet = "pet";
    /// Brothers and sisters.
    Sibling = "sibling";
    /// Sons and daughters.
    Child = "child";
    /// Mother, father, grandparents.
    Parent = "parent";
    /// Other relatives.
    Relative = "relative";
    /// Friends, colleagues, neighbours: `detail` says which.
    Friend = "friend";
    /// What they like.
    Like = "like";
    /// What they dislike.
    Dislike = "dislike";
    /// What they are allergic to.
    Allergy = "allergy";
    /// Illnesses and other states of health.
    Health = "health";
    /// What they do in their free time.
    Hobby = "hobby";
    /// What they want to achieve.
    Goal = "goal";
    /// What they plan to do; `due` says when.
    Plan = "plan";
    /// What they own.
    Possession = "possession";
    /// Something to be kept to the letter, such as a code: `detail` says what it is.
    Note = "note";
    /// The languages they speak.
    Speaks = "speaks";
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
