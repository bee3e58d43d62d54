//! Answers to questions: from facts, from a memory, or that nothing is known.

use whisperengine_types::{Fact, MemoryKind, MemoryRecord, Polarity, RecalledMemory, Slot, Timestamp};

use super::{
    Reply,
    phrasebook::Saying,
    words::{quoted, spoken},
};
use crate::turn::Order;

impl Reply<'_> {
    /// What the facts answer, and when the person said so.
    pub(super) fn facts_answer(&self) -> Option<String> {
        let answers = self.outcome.answers.iter();
        let sayable: Vec<&Fact> = answers
            .filter(|fact| self.may_mention_fact(fact) && self.is_asked_for(fact))
            .collect();
        let first = *sayable.first()?;
        let alike: Vec<&Fact> = sayable
            .iter()
            .copied()
            .filter(|fact| fact.slot == first.slot)
            .collect();
        if alike.len() > 1 && !first.slot.is_single() && alike.iter().all(|fact| self.states(fact)) {
            return Some(format!("{}.", self.list(first.slot, &alike)?));
        }
        let is_told_better = first.note.is_some()
            || IN_OWN_WORDS.contains(&first.slot)
            || self.book.inflected && INFLECTED.contains(&first.slot);
        if is_told_better && let Some(quote) = self.cited(first) {
            return Some(quote);
        }
        let said = self
            .states(first)
            .then(|| self.sentence(first).or_else(|| self.alone(first)))
            .flatten();
        let Some(fact) = said else {
            return self.cited(first);
        };
        let when = self.calendar.when(self.book, self.said_at(first));
        let both = self.fill(Saying::FactSaid, &[("{fact}", &fact), ("{when}", &when)]);
        Some(both)
    }

    /// Whether the fact can be said as it stands: affirmed, in force, with a value.
    fn states(&self, fact: &Fact) -> bool {
        let now = self.message.sent_at;
        let holds = fact.since <= now && fact.until.is_none_or(|until| until > now);
        holds && fact.polarity == Polarity::Affirmed && !fact.value.trim().is_empty()
    }

    /// The person's own words for the fact.
    fn cited(&self, fact: &Fact) -> Option<String> {
        if fact.quote.trim().is_empty() {
            return None;
        }
        let quote = quoted(self.book, &fact.quote);
        let when = self.calendar.when(self.book, self.said_at(fact));
        Some(self.fill(Saying::YouWrote, &[("{when}", &when), ("{quote}", &quote)]))
    }

    fn sentence(&self, fact: &Fact) -> Option<String> {
        let is_plain = fact.detail.is_none() || matches!(fact.slot, Slot::Name | Slot::Residence);
        let pattern = self.book.fact.get(&fact.slot).filter(|_| is_plain)?;
        Some(pattern.replace("{value}", &spoken(&fact.value, VALUE_CHARS)))
    }

    /// A plan whose day is over and another favourite than the one asked for answer nothing.
    fn is_asked_for(&self, fact: &Fact) -> bool {
        if let Some(favourite) = fact.detail.as_deref().and_then(favourite) {
            return favourite.split(['_', ' ']).any(|word| self.lower.contains(word));
        }
        fact.slot != Slot::Plan || fact.due.is_none_or(|due| due >= self.message.sent_at)
    }

    /// One fact of several that there could be: `Koko (parrot)`.
    fn alone(&self, fact: &Fact) -> Option<String> {
        match &fact.detail {
            Some(_) if !fact.slot.is_single() => Some(self.value(fact)),
            _ => self.list(fact.slot, &[fact]),
        }
    }

    /// `Your pets: Koko (parrot), Biscuit (dog)`.
    fn list(&self, slot: Slot, facts: &[&Fact]) -> Option<String> {
        let label = self.book.label(slot);
        let values = joined(facts.iter().map(|fact| self.value(fact)), &self.book.comma);
        match (label, slot) {
            (Some(label), _) => Some(format!("{label}: {values}")),
            (None, Slot::Note) => Some(values),
            (None, _) => None,
        }
    }

    fn value(&self, fact: &Fact) -> String {
        let value = spoken(&fact.value, VALUE_CHARS);
        // Details such as `favorite_movie` are names of the rules, not words.
        let detail = fact.detail.as_deref();
        let detail = detail.filter(|detail| !detail.contains('_') && favourite(detail).is_none());
        let detail = detail
            .map(|detail| spoken(detail, VALUE_CHARS))
            .filter(|detail| !detail.is_empty());
        let mut out = match detail {
            Some(detail) if fact.slot == Slot::Note => format!("{detail}: {value}"),
            Some(detail) if !same(&detail, &value) => format!("{value} ({detail})"),
            _ => value,
        };
        if let Some(due) = fact.due.filter(|_| fact.slot == Slot::Plan) {
            out.push_str(&self.book.comma);
            out.push_str(&self.calendar.when(self.book, due));
        }
        out
    }

    /// What is known of the person, in a few facts.
    pub(super) fn known(&self) -> Option<String> {
        let facts = self.outcome.facts.iter();
        let said = facts
            .filter(|fact| ABOUT.contains(&fact.slot) && self.states(fact) && self.may_mention_fact(fact))
            .filter_map(|fact| self.sentence(fact).or_else(|| self.list(fact.slot, &[fact])));
        let facts = joined(said, ". ");
        (!facts.is_empty()).then(|| self.fill(Saying::AboutMe, &[("{facts}", &facts)]))
    }

    /// When the person said so: the time of the message, where the fact's source tells.
    fn said_at(&self, fact: &Fact) -> Timestamp {
        let recalled = self.outcome.recalled.memories.iter();
        let source = recalled
            .map(|hit| &hit.memory)
            .find(|memory| memory.id == fact.source);
        let said = source.map(|memory| memory.sent_at);
        said.or_else(|| Order::of(&fact.source).map(Order::time))
            .unwrap_or(fact.since)
    }

    /// The passage of a memory that answers, with its date and, before others, who said it.
    pub(super) fn memory_answer(&self) -> Option<String> {
        if self.length() < MIN_QUESTION {
            return None;
        }
        let asked = self.outcome.recalled.asked_time.as_ref();
        let past = asked.filter(|asked| asked.from <= self.message.sent_at);
        let mut hits = self.outcome.recalled.memories.iter();
        let hit = match past {
            Some(asked) => hits.find(|hit| {
                let at = hit.memory.sent_at;
                self.is_sayable_memory(hit) && asked.from <= at && at < asked.until
            }),
            None => hits.find(|hit| self.is_sayable_memory(hit) && answers(hit)),
        }?;
        let memory = &hit.memory;
        let when = self.calendar.when(self.book, memory.sent_at);
        let quote = quoted(self.book, telling(hit));
        let parts = [("{when}", when.as_str()), ("{quote}", quote.as_str())];
        Some(match memory.speaker.as_deref() {
            None => self.fill(Saying::Recorded, &parts),
            Some(speaker) if self.is_writer(speaker) => self.fill(Saying::YouWrote, &parts),
            Some(speaker) => {
                let speaker = spoken(speaker, VALUE_CHARS);
                let parts = [parts[0], ("{speaker}", speaker.as_str()), parts[1]];
                self.fill(Saying::TheyWrote, &parts)
            }
        })
    }

    /// Whether a memory may be quoted: said by the person or, before others, by one of them, and still so.
    fn is_sayable_memory(&self, hit: &RecalledMemory) -> bool {
        let memory = &hit.memory;
        let may_be_quoted = memory.speaker.as_deref().is_none_or(|speaker| {
            let is_bot = speaker == self.message.bot.as_str();
            !is_bot && (self.is_writer(speaker) || !self.message.audience.is_private())
        });
        let passage = hit.passage_text().trim();
        may_be_quoted
            && !hit.superseded
            && memory.id != self.outcome.turn
            && !passage.is_empty()
            && !passage.ends_with(['?', '？', '؟'])
            && self.is_for_these_eyes(memory)
            && self.may_mention(passage)
    }

    /// Before others only what was said to them and lore, which is for everybody.
    fn is_for_these_eyes(&self, memory: &MemoryRecord) -> bool {
        let audience = &self.message.audience;
        let is_lore = memory.speaker.is_none() && memory.kind == MemoryKind::Document;
        audience.is_private() || is_lore || memory.audience() == *audience
    }

    fn is_writer(&self, speaker: &str) -> bool {
        speaker == self.message.user.as_str() || Some(speaker) == self.message.display_name.as_deref()
    }

    /// That nothing is known of the time asked for.
    pub(super) fn nothing_then(&self) -> Option<String> {
        let asked = self
            .outcome
            .recalled
            .asked_time
            .as_ref()
            .filter(|asked| !asked.found)?;
        let is_day = asked.until.since(asked.from).as_secs() <= DAY_SECONDS;
        if asked.from > self.message.sent_at {
            return Some(self.say(Saying::NothingPlanned));
        }
        if !is_day {
            return None;
        }
        let when = self.calendar.when(self.book, asked.from);
        Some(self.fill(Saying::NothingThen, &[("{when}", &when)]))
    }

    fn may_mention_fact(&self, fact: &Fact) -> bool {
        fact.is_visible_to(&self.message.audience)
            && self.may_mention(&fact.value)
            && self.may_mention(&fact.quote)
    }

    /// Whether a text touches nothing that the person does not want to talk about.
    pub(super) fn may_mention(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let mut avoided = self.outcome.plan.emotional.avoid_topics.iter();
        !avoided.any(|topic| {
            let topic = topic.trim().to_lowercase();
            !topic.is_empty() && text.contains(&topic) && !self.lower.contains(&topic)
        })
    }
}

/// As many parts as make a short list; the first in any case.
fn joined(parts: impl Iterator<Item = String>, comma: &str) -> String {
    let mut out = String::new();
    for part in parts {
        if !out.is_empty() {
            if out.chars().count() + part.chars().count() > LIST_CHARS {
                break;
            }
            out.push_str(comma);
        }
        out.push_str(&part);
    }
    out
}

fn favourite(detail: &str) -> Option<&str> {
    let rest = detail.strip_prefix("favorite")?;
    Some(rest.trim_start_matches(['_', ' ']))
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// Whether a memory answers the question more likely than not, by its words or its meaning.
fn answers(hit: &RecalledMemory) -> bool {
    let is_near = hit
        .similarity
        .is_some_and(|similarity| similarity.value() >= MIN_SIMILARITY);
    hit.relevance >= MIN_RELEVANCE && (is_near || !hit.matched_terms.is_empty())
}

/// What to quote of a memory: what matched, or of a long text the sentence that holds most of the words asked for.
fn telling(hit: &RecalledMemory) -> &str {
    let passage = hit.passage_text();
    if passage.chars().count() <= LONG_CHARS {
        return passage;
    }
    let terms: Vec<String> = hit.matched_terms.iter().map(|term| term.to_lowercase()).collect();
    let held = |sentence: &str| {
        let sentence = sentence.to_lowercase();
        terms
            .iter()
            .filter(|term| sentence.contains(term.as_str()))
            .count()
    };
    let sentences = passage.split_inclusive(['.', '!', '?', '。', '！', '？', '\n']);
    let best = sentences.rev().max_by_key(|sentence| held(sentence));
    best.filter(|sentence| held(sentence) > 0)
        .unwrap_or(passage)
        .trim()
}

const MIN_RELEVANCE: f32 = 0.5;
const MIN_SIMILARITY: f32 = 0.5;
/// A longer passage is quoted by a sentence of it.
const LONG_CHARS: usize = 160;
/// A question of fewer words leans on what was said before.
const MIN_QUESTION: usize = 3;
const VALUE_CHARS: usize = 80;
/// A list ends before it is longer.
const LIST_CHARS: usize = 200;
/// A day of the clock change has 25 hours.
const DAY_SECONDS: u64 = 25 * 3600;
/// Facts that the person's own sentence tells better than a label.
const IN_OWN_WORDS: &[Slot] = &[
    Slot::Plan,
    Slot::Goal,
    Slot::Health,
    Slot::Possession,
    Slot::Relationship,
];
/// Facts whose value has an ending where words take them.
const INFLECTED: &[Slot] = &[
    Slot::Residence,
    Slot::Whereabouts,
    Slot::Origin,
    Slot::Occupation,
    Slot::Employer,
    Slot::School,
    Slot::Like,
    Slot::Dislike,
    Slot::Allergy,
    Slot::Car,
];
/// What is said of a person who asks what is known of them, before others too.
const ABOUT: &[Slot] = &[
    Slot::Name,
    Slot::Residence,
    Slot::Occupation,
    Slot::Employer,
    Slot::Pet,
    Slot::Sibling,
    Slot::Child,
    Slot::Hobby,
    Slot::Like,
    Slot::Origin,
    Slot::School,
];
