//! Reads facts from a statement by the rules of its language.

use std::{ops::Range, sync::Arc};

use whisperengine_types::{Fact, FactSource, Language, Polarity, Slot, Timestamp};

use crate::{
    Statement,
    grammar::{Act, Capture, Captured, Flag, Grammar, Match, Role, Rule, Special, find},
    ledger::Entry,
    text::{Kind, Tokens, is_wide},
    time::{Period, Today},
};

/// A statement cut into tokens, with what its sentences share.
pub(crate) struct Reading<'a> {
    pub statement: &'a Statement<'a>,
    pub grammar: &'static Grammar,
    pub tokens: Tokens,
    today: Option<Today>,
}

impl<'a> Reading<'a> {
    /// `None` when no rules read the statement's language.
    pub(crate) fn new(statement: &'a Statement<'a>) -> Option<Self> {
        let grammar = Grammar::of(language_of(statement))?;
        Some(Self {
            statement,
            grammar,
            tokens: grammar.tokens(statement.text),
            today: None,
        })
    }

    pub(crate) fn today(&mut self) -> &Today {
        self.today
            .get_or_insert_with(|| Today::new(self.statement.sent_at, self.statement.zone))
    }

    /// The tokens that a word of a special class takes at `at`.
    pub(crate) fn class_len(&self, class: Special, at: usize, end: usize) -> usize {
        self.grammar
            .class_at(self.grammar.role(class), &self.tokens, at, end)
    }

    pub(crate) fn today_ref(&self) -> Option<&Today> {
        self.today.as_ref()
    }

    /// Whether the sentence asks.
    pub(crate) fn is_question(&self, sentence: &Range<usize>, marked: bool) -> bool {
        let asks = |at: usize| self.class_len(Special::Asking, at, sentence.end) > 0;
        marked
            || self.class_len(Special::Question, sentence.start, sentence.end) > 0
            || sentence.clone().any(asks)
    }

    /// The facts that a sentence states.
    pub(crate) fn facts(&mut self, sentence: &Range<usize>, marked: bool, out: &mut Vec<Entry>) {
        let mut rules = Vec::new();
        self.grammar
            .candidates(&self.tokens, sentence.clone(), &mut rules);
        if rules.is_empty() {
            return;
        }
        let question = self.is_question(sentence, marked);
        let grammar = self.grammar;
        let mut blocks: Vec<(Range<usize>, &[Slot])> = Vec::new();
        let mut taken: Vec<(Slot, Range<usize>)> = Vec::new();
        for rule in rules.iter().map(|&at| &grammar.rules[usize::from(at)]) {
            if rule.act == Act::Ask || (question && !rule.has(Flag::InQuestion) && rule.act != Act::Block) {
                continue;
            }
            let mut from = sentence.start;
            while let Some(found) = find(grammar, &self.tokens, sentence, from, &rule.pattern) {
                from = found.range.end;
                if rule.act == Act::Block {
                    blocks.push((found.range, &rule.slots));
                } else if !self.is_blocked(sentence, &found, rule, &blocks) {
                    self.entries(rule, &found, sentence, &mut taken, out);
                }
                if out.len() >= MAX_FACTS || blocks.len() >= MAX_FACTS {
                    return;
                }
            }
        }
    }

    /// A block in the clause of the match, or in it, concerns it.
    fn is_blocked(
        &self,
        sentence: &Range<usize>,
        found: &Match,
        rule: &Rule,
        blocks: &[(Range<usize>, &[Slot])],
    ) -> bool {
        if blocks.is_empty() || rule.has(Flag::Real) {
            return false;
        }
        let clause = (sentence.start..found.range.start)
            .rev()
            .find(|&at| self.is_clause_break(at))
            .map_or(sentence.start, |at| at + 1);
        let after = (found.range.end..sentence.end).find(|&at| self.is_clause_break(at));
        blocks.iter().any(|(block, slots)| {
            let general = slots.is_empty();
            let concerns = general || (rule.act == Act::Affirm && slots.contains(&rule.slots[0]));
            let end = if general {
                found.range.end
            } else {
                after.unwrap_or(sentence.end)
            };
            concerns && block.start >= clause && block.start < end
        })
    }

    fn is_clause_break(&self, at: usize) -> bool {
        let token = &self.tokens.all[at];
        token.kind == Kind::Sign
            && matches!(
                self.tokens.folded(token),
                "," | "，" | "、" | ":" | "-" | "–" | "—" | "،" | "(" | ")"
            )
    }

    fn entries(
        &mut self,
        rule: &'static Rule,
        found: &Match,
        sentence: &Range<usize>,
        taken: &mut Vec<(Slot, Range<usize>)>,
        out: &mut Vec<Entry>,
    ) {
        let slot = rule.slots[0];
        let value = found.capture(Role::Value);
        let kept = value.or_else(|| found.capture(Role::Detail));
        let range = kept.map_or(found.range.clone(), |kept| kept.range.clone());
        let overlaps = |other: &Range<usize>| other.start < range.end && range.start < other.end;
        let rivals = |other: Slot| other == slot || slot == Slot::Note || (is_taste(other) && is_taste(slot));
        if !rule.has(Flag::Silent)
            && taken
                .iter()
                .any(|(other, range)| rivals(*other) && overlaps(range))
        {
            return;
        }
        let detail = found
            .capture(Role::Detail)
            .map(|captured| self.text(&captured.range));
        let is_date = found
            .capture(Role::Detail)
            .is_some_and(|captured| captured.kind == Capture::Date);
        let detail = match (&rule.detail, detail) {
            (Some(fixed), Some(captured)) => Some(fixed.replace("{d}", &captured.to_lowercase())),
            (Some(fixed), None) => Some(fixed.to_string()),
            (None, Some(date)) if is_date => Some(date.to_owned()),
            (None, captured) => captured.map(str::to_lowercase),
        };
        if slot == Slot::Age && !value.is_some_and(|value| self.is_age(&value.range)) {
            return;
        }
        let values = match (&rule.value, value) {
            (Some(fixed), _) => vec![fixed.to_string()],
            (None, Some(value)) => self.values(value),
            (None, None) => vec![detail.clone().unwrap_or_default()],
        };
        let note = found
            .capture(Role::Note)
            .map(|captured| self.text(&captured.range).to_owned());
        let (since, until, due) = self.times(rule, sentence);
        if rule.has(Flag::Dated) && due.is_none() {
            return;
        }
        if !rule.has(Flag::Silent) {
            taken.push((slot, range));
            let detail = found
                .capture(Role::Detail)
                .map(|detail| (slot, detail.range.clone()));
            taken.extend(detail.filter(|_| value.is_some()));
        }
        let span = self.span(sentence);
        let quote: Arc<str> = self.statement.text[span.clone()].into();
        for value in values {
            let own_until = until;
            let fact = Fact {
                slot,
                value,
                detail: detail.clone().filter(|detail| !detail.is_empty()),
                note: note.clone(),
                polarity: if rule.act == Act::Deny {
                    Polarity::Denied
                } else {
                    Polarity::Affirmed
                },
                since,
                until: own_until,
                due: due.filter(|_| matches!(slot, Slot::Plan | Slot::Birthday)),
                source: self.statement.memory.clone(),
                quote: quote.clone(),
                span: span.start as u32..span.end as u32,
                confidence: rule.confidence,
                told_by: FactSource::Person,
                audience: self.statement.audience.clone(),
            };
            out.push(Entry {
                fact,
                said_at: self.statement.sent_at,
                size: 0,
                own_until,
                ended_by: None,
                silent: rule.has(Flag::Silent),
                known_only: rule.has(Flag::KnownOnly),
            });
        }
    }

    /// A plausible age in years; in words it is taken as it is.
    fn is_age(&self, range: &Range<usize>) -> bool {
        self.text(range)
            .parse::<u32>()
            .map_or(true, |years| (5..=115).contains(&years))
    }

    /// Since when, until when and for when, by the dates of the sentence.
    fn times(
        &mut self,
        rule: &Rule,
        sentence: &Range<usize>,
    ) -> (Timestamp, Option<Timestamp>, Option<Timestamp>) {
        let sent_at = self.statement.sent_at;
        let slot = rule.slots[0];
        let timely = rule.has(Flag::Dated)
            || matches!(slot, Slot::Plan | Slot::Whereabouts | Slot::Birthday)
            || (slot.is_single()
                && !matches!(
                    slot,
                    Slot::Name | Slot::Phone | Slot::Email | Slot::Origin | Slot::Age
                ));
        if !timely {
            return (sent_at, None, None);
        }
        self.today();
        let Some(today) = &self.today else {
            return (sent_at, None, None);
        };
        let period = today.period(self.grammar, &self.tokens, sentence.clone());
        match (slot, period) {
            (Slot::Plan, _) if rule.has(Flag::Outcome) || rule.act == Act::Deny => (sent_at, None, None),
            // What is planned lies ahead.
            (Slot::Plan, Some(Period { first, after })) => {
                let due = (first > today.date || (first < today.date && after > today.date)).then_some(first);
                (sent_at, None, due.map(|due| today.start_of(due)))
            }
            (Slot::Birthday, Some(Period { first, .. })) => (sent_at, None, Some(today.start_of(first))),
            (Slot::Whereabouts, Some(Period { after, .. })) => (sent_at, Some(today.start_of(after)), None),
            (Slot::Whereabouts, None) => {
                let month = std::time::Duration::from_secs(30 * 86_400);
                (sent_at, Some(sent_at + month), None)
            }
            (_, Some(Period { first, .. })) if first < today.date => {
                (today.start_of(first).min(sent_at), None, None)
            }
            (
                Slot::Residence | Slot::Occupation | Slot::Employer | Slot::School | Slot::Relationship,
                None,
            ) => {
                let year = today.year(&self.tokens, sentence.clone());
                (
                    year.map_or(sent_at, |year| today.start_of(year.first).min(sent_at)),
                    None,
                    None,
                )
            }
            _ => (sent_at, None, None),
        }
    }

    /// The items of a list, or the one value.
    fn values(&self, captured: &Captured) -> Vec<String> {
        if !matches!(captured.kind, Capture::Things | Capture::Bares | Capture::Names) {
            return vec![self.text(&captured.range).to_owned()];
        }
        let mut values = Vec::new();
        let mut from = captured.range.start;
        let mut at = from;
        let grammar = self.grammar;
        let and = grammar.role(Special::And);
        let det = grammar.role(Special::Determiner);
        while at <= captured.range.end {
            let sign = at < captured.range.end && self.tokens.all[at].kind == Kind::Sign;
            let and = if at < captured.range.end {
                grammar.class_at(and, &self.tokens, at, captured.range.end)
            } else {
                0
            };
            if at == captured.range.end || sign || and > 0 {
                let start = from + grammar.class_at(det, &self.tokens, from, at);
                if at > start {
                    values.push(self.text(&(start..at)).to_owned());
                }
                from = at + and.max(1);
                at = from;
                continue;
            }
            at += 1;
        }
        values
    }

    pub(crate) fn text(&self, range: &Range<usize>) -> &str {
        if range.is_empty() {
            return "";
        }
        let (first, last) = (&self.tokens.all[range.start], &self.tokens.all[range.end - 1]);
        self.statement.text[first.start as usize..last.end as usize]
            .trim()
            .trim_end_matches(['\'', '’'])
    }

    /// The bytes of a sentence.
    pub(crate) fn span(&self, sentence: &Range<usize>) -> Range<usize> {
        let (first, last) = (
            &self.tokens.all[sentence.start],
            &self.tokens.all[sentence.end - 1],
        );
        first.start as usize..last.end as usize
    }
}

fn is_taste(slot: Slot) -> bool {
    matches!(slot, Slot::Like | Slot::Dislike)
}

/// The language whose rules read the statement.
fn language_of(statement: &Statement<'_>) -> Language {
    let script = statement.text.chars().find_map(|c| {
        let code = match c {
            '\u{3041}'..='\u{30FF}' => "ja",
            '\u{AC00}'..='\u{D7A3}' => "ko",
            '\u{0E00}'..='\u{0E7F}' => "th",
            '\u{0600}'..='\u{06FF}' => "ar",
            '\u{0900}'..='\u{097F}' => "hi",
            '\u{0400}'..='\u{04FF}' => "ru",
            _ => return None,
        };
        Language::new(code).ok()
    });
    let han = || {
        statement
            .text
            .chars()
            .any(is_wide)
            .then(|| Language::new("zh").ok())
            .flatten()
    };
    // A script of one language is surer than any guess.
    script
        .or_else(|| {
            statement
                .language
                .filter(|language| Grammar::languages().contains(language))
        })
        .filter(|language| language.code() != "en" || han().is_none())
        .or_else(han)
        .unwrap_or(Language::ENGLISH)
}

/// The most facts that one message gives.
const MAX_FACTS: usize = 16;
