//! Which memories a filter admits; decided before anything is ranked.

use std::cmp::Ordering;

use whisperengine_types::{Comparison, Filter, MemoryError, MetadataValue};

use super::Partition;
use crate::record::{Body, Value};

/// A condition on a text.
pub(crate) type TextTest<'a> = &'a dyn Fn(&str) -> bool;

impl Partition {
    /// For each record whether it lives, `filter` admits it and its text passes `test`.
    pub(crate) fn admitted_with(
        &self,
        filter: &Filter,
        test: Option<TextTest<'_>>,
    ) -> Result<Vec<bool>, MemoryError> {
        let mut admitted = self.admitted(filter)?;
        if let Some(test) = test {
            for (record, admitted) in admitted.iter_mut().enumerate() {
                *admitted = *admitted && test(Body::parse(self.body(record as u32))?.text);
            }
        }
        Ok(admitted)
    }

    /// For each record whether it lives and `filter` admits it.
    pub(crate) fn admitted(&self, filter: &Filter) -> Result<Vec<bool>, MemoryError> {
        let mut admitted = self.alive.clone();
        if *filter != Filter::Any {
            for (record, admitted) in admitted.iter_mut().enumerate() {
                *admitted = *admitted && self.admits(filter, record)?;
            }
        }
        Ok(admitted)
    }

    fn admits(&self, filter: &Filter, record: usize) -> Result<bool, MemoryError> {
        Ok(match filter {
            Filter::Any => true,
            Filter::Kind(kinds) => kinds.contains(&self.kind[record]),
            Filter::Session(session) => self.sessions.find(session.as_str()) == Some(self.session[record]),
            Filter::Channel(channel) => self.channels.find(channel.as_str()) == Some(self.channel[record]),
            Filter::SentAt { from, until } => {
                let sent_at = self.sent_at[record];
                from.is_none_or(|from| from.as_millis() <= sent_at)
                    && until.is_none_or(|until| sent_at < until.as_millis())
            }
            Filter::ImportanceAtLeast(least) => self.importance[record] >= *least,
            Filter::Metadata { key, is } => {
                let body = Body::parse(self.body(record as u32))?;
                compares(body.find_metadata(key)?, is)
            }
            Filter::TextContains(part) => Body::parse(self.body(record as u32))?.text.contains(part),
            Filter::And(filters) => self.admits_all(filters, record)?,
            Filter::Or(filters) => {
                for filter in filters {
                    if self.admits(filter, record)? {
                        return Ok(true);
                    }
                }
                false
            }
            Filter::Not(filter) => !self.admits(filter, record)?,
        })
    }

    fn admits_all(&self, filters: &[Filter], record: usize) -> Result<bool, MemoryError> {
        for filter in filters {
            if !self.admits(filter, record)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Refuses a filter that is nested so deeply that reading it could exhaust the stack.
pub(crate) fn check_filter(filter: &Filter) -> Result<(), MemoryError> {
    let mut level = vec![filter];
    for _ in 0..DEEPEST_FILTER {
        level = level
            .into_iter()
            .flat_map(|filter| match filter {
                Filter::And(filters) | Filter::Or(filters) => filters.iter().collect(),
                Filter::Not(filter) => vec![&**filter],
                _ => Vec::new(),
            })
            .collect();
        if level.is_empty() {
            return Ok(());
        }
    }
    Err(MemoryError::InvalidQuery {
        reason: format!("the filter is nested more than {DEEPEST_FILTER} deep"),
    })
}

fn compares(value: Option<Value<'_>>, is: &Comparison) -> bool {
    let equals = |other: &MetadataValue| value.is_some_and(|value| equal(value, other.into()));
    let ordered = |other: &MetadataValue| value.and_then(|value| order(value, other.into()));
    match is {
        Comparison::Eq(other) => equals(other),
        Comparison::Ne(other) => !equals(other),
        Comparison::Gt(other) => ordered(other) == Some(Ordering::Greater),
        Comparison::Gte(other) => ordered(other).is_some_and(Ordering::is_ge),
        Comparison::Lt(other) => ordered(other) == Some(Ordering::Less),
        Comparison::Lte(other) => ordered(other).is_some_and(Ordering::is_le),
        Comparison::In(others) => others.iter().any(equals),
        Comparison::NotIn(others) => !others.iter().any(equals),
    }
}

fn equal(a: Value<'_>, b: Value<'_>) -> bool {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a == b,
        (a, b) => order(a, b) == Some(Ordering::Equal),
    }
}

/// The order of two numbers; other values have none.
fn order(a: Value<'_>, b: Value<'_>) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(&b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(&b),
        (Value::Int(a), Value::Float(b)) => order_mixed(a, b),
        (Value::Float(a), Value::Int(b)) => order_mixed(b, a).map(Ordering::reverse),
        _ => None,
    }
}

/// Exact also where an integer has more digits than a float can hold.
fn order_mixed(a: i64, b: f64) -> Option<Ordering> {
    let rounded = (a as f64).partial_cmp(&b)?;
    Some(rounded.then_with(|| i128::from(a).cmp(&(b as i128))))
}

const DEEPEST_FILTER: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_compare_within_their_type_and_numbers_with_numbers() {
        let value = |v: &'static str| Value::Text(v);
        assert!(equal(value("a"), value("a")) && !equal(value("1"), Value::Int(1)));
        assert!(!equal(Value::Bool(true), Value::Int(1)));
        assert!(equal(Value::Int(2), Value::Float(2.0)) && equal(Value::Float(2.0), Value::Int(2)));
        assert_eq!(order(value("a"), value("b")), None);
        let big = (1_i64 << 53) + 1;
        assert_eq!(
            order(Value::Int(big), Value::Float((big - 1) as f64)),
            Some(Ordering::Greater)
        );
        assert_eq!(
            order(Value::Int(i64::MAX), Value::Float(9.3e18)),
            Some(Ordering::Less)
        );
        assert_eq!(order(Value::Int(1), Value::Float(f64::NAN)), None);
    }

    #[test]
    fn a_bottomless_filter_is_refused() {
        let mut filter = Filter::Any;
        for _ in 0..60 {
            filter = Filter::Not(Box::new(filter));
        }
        assert!(check_filter(&filter).is_ok());
        for _ in 0..10 {
            filter = Filter::And(vec![filter]);
        }
        assert!(check_filter(&filter).is_err());
    }
}
