//! What fits: the choice of lines within a budget.
//!
//! Persona, time, safety guidance and message always stay. The profile, the summary and the notes have a
//! share of the budget that does not hang on the message, so that the beginning of the prompt stays the
//! same from turn to turn. The dialogue and the memories share the rest.

use std::{cmp::Reverse, sync::Arc};

use whisperengine_types::{
    ContextReport, ContextSection, DialogueLine, Fact, MemoryId, Omission, OmissionReason, RecalledMemory,
    ReplyContext, SafetyLevel, SectionKind, Slot,
};

use crate::{
    config::{ConfigError, ContextConfig, Superseded},
    input::ContextInput,
    quote::{self, Breaks, push_spoken, shorten},
    section::Scene,
    sentence::same_words,
    tokens::{ScriptEstimate, TokenCounter},
};

/// Assembles what a language model is given. A function of its arguments; cheap to clone and to share.
#[derive(Debug, Clone)]
pub struct ContextAssembler {
    config: Arc<ContextConfig>,
    counter: Arc<dyn TokenCounter>,
}

impl Default for ContextAssembler {
    fn default() -> Self {
        Self {
            config: Arc::default(),
            counter: Arc::new(ScriptEstimate),
        }
    }
}

impl ContextAssembler {
    /// An assembler that counts tokens by [`ScriptEstimate`].
    ///
    /// # Errors
    /// [`ConfigError`] when a setting is out of range.
    pub fn new(config: ContextConfig) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self {
            config: Arc::new(config),
            counter: Arc::new(ScriptEstimate),
        })
    }

    /// The same with another way to count tokens.
    #[must_use]
    pub fn with_counter(mut self, counter: Arc<dyn TokenCounter>) -> Self {
        self.counter = counter;
        self
    }

    /// The settings.
    pub fn config(&self) -> &ContextConfig {
        &self.config
    }

    /// What the language model is given to answer `input.message`: at most the budget, unless what always
    /// stays (persona, time, safety guidance and message) costs more by itself.
    pub fn assemble(&self, input: &ContextInput<'_>) -> ReplyContext {
        let budget = input.budget_tokens.unwrap_or(self.config.budget_tokens);
        let scene = &Scene::new(input);
        let mut omitted = Vec::new();
        let group = input.message.name.is_some()
            || input
                .dialogue
                .iter()
                .any(|line| line.name.is_some() && !line.from_bot);
        let message = spoken(input.message, usize::MAX, group);
        let message_cost = self.line_cost(&message);
        let persona = self.whole(scene.persona(&self.config));
        let now = self.whole(scene.now(input.dialogue.last().map(|line| line.at)));
        let danger = input.safety.filter(|safety| safety.level != SafetyLevel::None);
        let safety = danger.map_or_else(Block::default, |safety| self.whole(scene.safety(safety)));
        let fixed = REQUEST_TOKENS + message_cost + persona.tokens + now.tokens + safety.tokens;
        let mut room = budget.saturating_sub(fixed);

        let profile = self.profile(
            scene,
            share(budget, self.config.profile_share).min(room),
            &mut omitted,
        );
        room = room.saturating_sub(profile.tokens);
        let summary = self.summary(
            scene,
            share(budget, self.config.summary_share).min(room),
            &mut omitted,
        );
        room = room.saturating_sub(summary.tokens);
        let notes = self.notes(
            scene,
            share(budget, self.config.notes_share).min(room),
            &mut omitted,
        );
        room = room.saturating_sub(notes.tokens);

        let mut memories = self.candidates(scene, &mut omitted);
        let nothing = scene.no_memory().filter(|_| memories.is_empty());
        let nothing = nothing
            .map(|text| self.whole(text))
            .filter(|block| block.tokens <= room);
        room = room.saturating_sub(nothing.as_ref().map_or(0, |block| block.tokens));
        let dialogue = self.dialogue(scene, &memories, room, group, &mut omitted);
        let spent: u32 = dialogue.iter().map(|(_, tokens)| tokens).sum();
        room = room.saturating_sub(spent);
        let dialogue: Vec<DialogueLine> = dialogue.into_iter().map(|(line, _)| line).collect();
        memories.retain(|memory| {
            let copy = is_said(memory.recalled, &dialogue, input.message);
            if copy {
                omitted.push(memory.omission(OmissionReason::InDialogue));
            }
            !copy
        });
        let (memories, given) = choose_memories(memories, room, self.count(MEMORIES), &mut omitted);
        let blocks = [
            (SectionKind::Persona, persona),
            (SectionKind::Profile, profile),
            (SectionKind::Summary, summary),
            (SectionKind::Now, now),
            (SectionKind::Memories, nothing.unwrap_or(memories)),
            (SectionKind::Plan, notes),
            (SectionKind::Safety, safety),
        ];
        let sections: Vec<ContextSection> = blocks
            .into_iter()
            .filter(|(_, block)| !block.text.is_empty())
            .map(|(kind, Block { text, tokens })| ContextSection { kind, text, tokens })
            .collect();
        let spoken = REQUEST_TOKENS + message_cost + spent;
        let report = ContextReport {
            budget,
            tokens: spoken + sections.iter().map(|section| section.tokens).sum::<u32>(),
            sections: sections
                .iter()
                .map(|section| (section.kind, section.tokens))
                .collect(),
            dialogue: spoken,
            given,
            omitted,
        };
        ReplyContext {
            sections,
            dialogue,
            message: Some(message),
            language: input.language,
            zone: input.zone.cloned(),
            resources: input
                .safety
                .map_or_else(String::new, |_| input.resources.trim().to_owned()),
            report,
        }
    }

    /// What is known: facts that hold, then those that ceased to hold of late, each in the order of slots and
    /// time. The ended ones and then the least telling go first.
    fn profile(&self, scene: &Scene<'_>, room: u32, omitted: &mut Vec<Omission>) -> Block {
        let input = scene.input;
        let has_ended = |fact: &Fact| fact.until.is_some_and(|until| until <= input.now);
        let mut facts: Vec<&Fact> = Vec::with_capacity(input.facts.len());
        for fact in input.facts {
            if input.may_read(&fact.source) {
                facts.push(fact);
            } else {
                omitted.push(omission(
                    SectionKind::Profile,
                    Some(&fact.source),
                    OmissionReason::Private,
                ));
            }
        }
        facts.sort_by(|a, b| order(a, has_ended(a)).cmp(&order(b, has_ended(b))));
        let ended = facts.partition_point(|fact| !has_ended(fact));
        let mut lines: Vec<Line> = facts
            .iter()
            .enumerate()
            .map(|(at, fact)| Line {
                text: scene.fact(fact),
                rank: rank(fact, at >= ended),
                source: Some(fact.source.clone()),
            })
            .collect();
        lines.dedup_by(|a, b| a.text == b.text);
        let ended = lines.partition_point(|line| line.rank.0 < ENDED);
        let heads = [(0, scene.profile_header()), (ended, "No longer so:".to_owned())];
        self.block(SectionKind::Profile, &heads, &lines, room, omitted)
    }

    fn summary(&self, scene: &Scene<'_>, room: u32, omitted: &mut Vec<Omission>) -> Block {
        let input = scene.input;
        let digest = input.digest.filter(|digest| !digest.trim().is_empty());
        let digest = digest.map(|digest| Line {
            text: Scene::digest(digest),
            rank: (0, Reverse(i64::MAX)),
            source: None,
        });
        let kept = input.summary.iter().map(|line| Line {
            text: scene.kept(line),
            rank: (u8::MAX - line.weight, Reverse(line.at.as_millis())),
            source: line.source.clone(),
        });
        let lines: Vec<Line> = digest.into_iter().chain(kept).collect();
        let heads = [(0, "Earlier in this conversation:".to_owned())];
        self.block(SectionKind::Summary, &heads, &lines, room, omitted)
    }

    fn notes(&self, scene: &Scene<'_>, room: u32, omitted: &mut Vec<Omission>) -> Block {
        let notes = scene.input.notes.iter().filter(|note| !note.trim().is_empty());
        let lines: Vec<Line> = notes
            .enumerate()
            .map(|(at, note)| Line {
                text: Scene::note(note),
                rank: (u8::try_from(at).unwrap_or(u8::MAX), Reverse(0)),
                source: None,
            })
            .collect();
        let heads = [(0, "For this reply:".to_owned())];
        self.block(SectionKind::Plan, &heads, &lines, room, omitted)
    }

    /// The lines of the best ranks that fit, in the order given, each part below its head. `heads` says at
    /// which line a part begins.
    fn block(
        &self,
        kind: SectionKind,
        heads: &[(usize, String)],
        lines: &[Line],
        room: u32,
        omitted: &mut Vec<Omission>,
    ) -> Block {
        let part = |at: usize| heads.iter().rposition(|&(from, _)| from <= at).unwrap_or(0);
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by_key(|&at| (lines[at].rank, at));
        let mut keep = vec![false; lines.len()];
        let mut headed = vec![false; heads.len()];
        let mut tokens = SECTION_TOKENS;
        for at in order {
            let part = part(at);
            let head = if headed[part] {
                0
            } else {
                self.count(&heads[part].1) + 1
            };
            let cost = head + self.count(&lines[at].text) + 1;
            if tokens + cost <= room {
                tokens += cost;
                keep[at] = true;
                headed[part] = true;
            } else {
                omitted.push(omission(kind, lines[at].source.as_ref(), OmissionReason::Budget));
            }
        }
        let mut text = String::new();
        let mut last = usize::MAX;
        for (at, line) in lines.iter().enumerate().filter(|&(at, _)| keep[at]) {
            if !text.is_empty() {
                text.push('\n');
            }
            if part(at) != last {
                last = part(at);
                text.push_str(&heads[last].1);
                text.push('\n');
            }
            text.push_str(&line.text);
        }
        let tokens = if text.is_empty() { 0 } else { tokens };
        Block { text, tokens }
    }

    /// Memories that may be given, most valuable first.
    fn candidates<'a>(&self, scene: &Scene<'a>, omitted: &mut Vec<Omission>) -> Vec<Candidate<'a>> {
        let input = scene.input;
        let is_superseded = |id: &MemoryId| input.superseded.contains(id);
        let best = input
            .recalled
            .iter()
            .filter(|recalled| input.may_read(&recalled.memory.id))
            .map(|recalled| recalled.relevance)
            .fold(0.0, f32::max);
        let floor = if best >= self.config.min_relevance {
            self.config.min_relevance_beside.min(self.config.min_relevance)
        } else {
            f32::INFINITY
        };
        let mut candidates: Vec<Candidate<'a>> = Vec::with_capacity(input.recalled.len());
        for recalled in input.recalled {
            let superseded = recalled.superseded || is_superseded(&recalled.memory.id);
            let reason = if !input.may_read(&recalled.memory.id) {
                Some(OmissionReason::Private)
            } else if superseded && self.config.superseded == Superseded::Omit {
                Some(OmissionReason::Superseded)
            } else if recalled.relevance.is_nan() || recalled.relevance < floor {
                Some(OmissionReason::NotRelevant)
            } else {
                let mut others = candidates.iter().map(|other| other.recalled);
                let repeats = others.any(|other| same_words(&other.memory.text, &recalled.memory.text));
                repeats.then_some(OmissionReason::Duplicate)
            };
            if let Some(reason) = reason {
                omitted.push(omission(SectionKind::Memories, Some(&recalled.memory.id), reason));
                continue;
            }
            let text = scene.memory(recalled, superseded, self.config.memory_chars);
            candidates.push(Candidate {
                recalled,
                superseded,
                tokens: self.count(&text) + 1,
                text,
            });
        }
        candidates.sort_by(|a, b| {
            let relevance = b.recalled.relevance.total_cmp(&a.recalled.relevance);
            a.superseded.cmp(&b.superseded).then(relevance)
        });
        candidates
    }

    /// The last lines of the dialogue: as many as its share and what the memories leave hold, and the last one
    /// in any case that it fits.
    fn dialogue(
        &self,
        scene: &Scene<'_>,
        memories: &[Candidate<'_>],
        room: u32,
        group: bool,
        omitted: &mut Vec<Omission>,
    ) -> Vec<(DialogueLine, u32)> {
        let input = scene.input;
        let wanted: u32 = memories
            .iter()
            .filter(|memory| !is_said(memory.recalled, input.dialogue, input.message))
            .map(|memory| memory.tokens)
            .sum();
        let head = if wanted > 0 {
            self.count(MEMORIES) + SECTION_TOKENS
        } else {
            0
        };
        let allowance = share(room, self.config.dialogue_share).max(room.saturating_sub(wanted + head));
        let mut lines = Vec::with_capacity(input.dialogue.len());
        let mut left = allowance;
        for line in input.dialogue.iter().rev() {
            if line.id.is_some() && line.id == input.message.id {
                continue;
            }
            let line = spoken(line, self.config.line_chars, group);
            let cost = self.line_cost(&line);
            let limit = if lines.is_empty() { room } else { left };
            if cost > limit {
                break;
            }
            left = left.saturating_sub(cost);
            lines.push((line, cost));
        }
        lines.reverse();
        for line in &input.dialogue[..input.dialogue.len() - lines.len().min(input.dialogue.len())] {
            if line.id.is_none() || line.id != input.message.id {
                omitted.push(Omission {
                    section: None,
                    memory: line.id.clone(),
                    reason: OmissionReason::Budget,
                });
            }
        }
        lines
    }

    /// The cost of a line that is tame already. A name stands before the text and beside it.
    fn line_cost(&self, line: &DialogueLine) -> u32 {
        let content = match &line.name {
            Some(name) if !line.from_bot => {
                self.count(&format!("{name}: {}", line.text)) + self.count(name) + 1
            }
            _ => self.count(&line.text),
        };
        content + LINE_TOKENS
    }

    fn whole(&self, text: String) -> Block {
        let tokens = self.count(&text) + SECTION_TOKENS;
        Block { text, tokens }
    }

    fn count(&self, text: &str) -> u32 {
        self.counter.count(text)
    }
}

/// Above the memories.
const MEMORIES: &str = "Memories that bear on the message, most relevant first:";
/// What a request costs beside its messages, a placeholder before a dialogue that begins with the bot included.
const REQUEST_TOKENS: u32 = 10;
/// What a message costs beside its text: its role and its end.
const LINE_TOKENS: u32 = 4;
/// What a section costs beside its text: the blank line.
const SECTION_TOKENS: u32 = 1;

/// A section and what it costs.
#[derive(Default)]
struct Block {
    text: String,
    tokens: u32,
}

/// A line of a section. Of two ranks the smaller one stays longer.
struct Line {
    text: String,
    rank: (u8, Reverse<i64>),
    source: Option<MemoryId>,
}

/// A memory that may be given.
struct Candidate<'a> {
    recalled: &'a RecalledMemory,
    superseded: bool,
    text: String,
    tokens: u32,
}

impl Candidate<'_> {
    fn omission(&self, reason: OmissionReason) -> Omission {
        omission(SectionKind::Memories, Some(&self.recalled.memory.id), reason)
    }
}

fn choose_memories(
    memories: Vec<Candidate<'_>>,
    room: u32,
    head: u32,
    omitted: &mut Vec<Omission>,
) -> (Block, Vec<MemoryId>) {
    let mut text = String::from(MEMORIES);
    let mut given = Vec::with_capacity(memories.len());
    let mut tokens = head + SECTION_TOKENS;
    for memory in memories {
        if tokens + memory.tokens > room {
            omitted.push(memory.omission(OmissionReason::Budget));
            continue;
        }
        tokens += memory.tokens;
        text.push('\n');
        text.push_str(&memory.text);
        given.push(memory.recalled.memory.id.clone());
    }
    if given.is_empty() {
        return (Block::default(), given);
    }
    (Block { text, tokens }, given)
}

/// Whether the memory stands among these lines, or repeats one.
fn is_said(recalled: &RecalledMemory, dialogue: &[DialogueLine], message: &DialogueLine) -> bool {
    let memory = &recalled.memory;
    let mut lines = dialogue.iter().chain([message]);
    lines.any(|line| line.id.as_ref() == Some(&memory.id) || same_words(&line.text, &memory.text))
}

/// A line as it is sent: nothing invisible, a long one without its middle; among several people one line.
fn spoken(line: &DialogueLine, chars: usize, group: bool) -> DialogueLine {
    let breaks = if group { Breaks::Blank } else { Breaks::Keep };
    let mut text = String::with_capacity(line.text.len());
    push_spoken(&mut text, &shorten(&line.text, chars), breaks);
    DialogueLine {
        id: line.id.clone(),
        from_bot: line.from_bot,
        name: line.name.as_deref().map(quote::name),
        text,
        at: line.at,
    }
}

fn omission(section: SectionKind, memory: Option<&MemoryId>, reason: OmissionReason) -> Omission {
    Omission {
        section: Some(section),
        memory: memory.cloned(),
        reason,
    }
}

fn share(tokens: u32, ratio: f32) -> u32 {
    (f64::from(tokens) * f64::from(ratio)) as u32
}

/// Where a fact stands in the profile.
fn order(fact: &Fact, ended: bool) -> impl Ord {
    (
        ended,
        fact.slot,
        fact.since,
        fact.source.clone(),
        fact.value.clone(),
    )
}

/// How long a fact stays when there is little room; the latest of a group longest.
fn rank(fact: &Fact, ended: bool) -> (u8, Reverse<i64>) {
    let group = match fact.slot {
        _ if ended => ENDED,
        Slot::Name | Slot::Pronouns | Slot::Allergy | Slot::Language => 0,
        Slot::Health | Slot::Diet | Slot::Residence | Slot::Whereabouts | Slot::Occupation => 1,
        Slot::Partner | Slot::Relationship | Slot::Child | Slot::Pet | Slot::Plan | Slot::Birthday => 2,
        Slot::Employer | Slot::School | Slot::Age | Slot::Parent | Slot::Sibling | Slot::Goal => 3,
        Slot::Like | Slot::Dislike | Slot::Possession => 5,
        _ => 4,
    };
    (group, Reverse(fact.since.as_millis()))
}

/// The group of facts that no longer hold.
const ENDED: u8 = 6;
