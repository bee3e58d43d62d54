//! Chroma's `where_document` language.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::{
    error::{Result, invalid},
    filter::{list, single},
};

/// A condition on a document.
#[derive(Debug)]
pub(super) enum DocumentCondition {
    Contains(String),
    Matches(Regex),
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
}

impl DocumentCondition {
    pub(super) fn parse(value: &Value) -> Result<Self> {
        Self::parse_within(value, DEEPEST)
    }

    fn parse_within(value: &Value, depth: usize) -> Result<Self> {
        if depth == 0 {
            return invalid(format!("where document is nested more than {DEEPEST} deep"));
        }
        let (operator, operand) = single(value, "where document")?;
        let not = |condition| Self::Not(Box::new(condition));
        let parts = || {
            list(operand, "where document", |value| {
                Self::parse_within(value, depth - 1)
            })
        };
        match operator {
            "$contains" => Ok(Self::Contains(text(operator, operand)?)),
            "$not_contains" => Ok(not(Self::Contains(text(operator, operand)?))),
            "$regex" => pattern(operator, operand),
            "$not_regex" => pattern(operator, operand).map(not),
            "$and" => parts().map(Self::And),
            "$or" => parts().map(Self::Or),
            _ => invalid(format!(
                "expected where document operator to be one of $contains, $not_contains, $regex, $not_regex, \
                 $and, $or, got {operator}"
            )),
        }
    }

    /// Whether a document meets the condition.
    pub(super) fn admits(&self, document: &str) -> bool {
        match self {
            Self::Contains(text) => document.contains(text),
            Self::Matches(pattern) => pattern.is_match(document),
            Self::And(parts) => parts.iter().all(|part| part.admits(document)),
            Self::Or(parts) => parts.iter().any(|part| part.admits(document)),
            Self::Not(part) => !part.admits(document),
        }
    }
}

fn text(operator: &str, operand: &Value) -> Result<String> {
    match operand {
        Value::String(text) if !text.is_empty() => Ok(text.clone()),
        _ => invalid(format!(
            "expected where document operand of {operator} to be a non-empty string"
        )),
    }
}

fn pattern(operator: &str, operand: &Value) -> Result<DocumentCondition> {
    let text = text(operator, operand)?;
    // Patterns come from callers: matching takes linear time, and so much memory at most.
    match RegexBuilder::new(&text).size_limit(LARGEST_PATTERN).build() {
        Ok(pattern) => Ok(DocumentCondition::Matches(pattern)),
        Err(error) => invalid(format!(
            "expected where document operand of {operator} to be a regular expression: {error}"
        )),
    }
}

const DEEPEST: usize = 64;
const LARGEST_PATTERN: usize = 1 << 20;
