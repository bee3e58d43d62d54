//! Chroma's `where` language.

use serde_json::{Map, Value};
use whisperengine_types::{Comparison, Filter, MetadataValue};

use super::error::{Result, invalid};

/// A condition on metadata; without one, all pass.
pub(super) fn parse(where_metadata: Option<&Value>) -> Result<Filter> {
    where_metadata.map_or(Ok(Filter::Any), metadata)
}

fn metadata(value: &Value) -> Result<Filter> {
    let (key, value) = single(value, "where")?;
    match key {
        "$and" => Ok(Filter::And(list(value, "where", metadata)?)),
        "$or" => Ok(Filter::Or(list(value, "where", metadata)?)),
        _ if key.starts_with('$') => invalid(format!("expected a metadata key or $and or $or, got {key}")),
        _ => Ok(Filter::Metadata {
            key: key.to_owned(),
            is: comparison(value)?,
        }),
    }
}

fn comparison(value: &Value) -> Result<Comparison> {
    let Value::Object(_) = value else {
        return Ok(Comparison::Eq(scalar(value)?));
    };
    let (operator, operand) = single(value, "the condition on a metadata key")?;
    Ok(match operator {
        "$eq" => Comparison::Eq(scalar(operand)?),
        "$ne" => Comparison::Ne(scalar(operand)?),
        "$gt" => Comparison::Gt(number(operator, operand)?),
        "$gte" => Comparison::Gte(number(operator, operand)?),
        "$lt" => Comparison::Lt(number(operator, operand)?),
        "$lte" => Comparison::Lte(number(operator, operand)?),
        "$in" => Comparison::In(scalars(operator, operand)?),
        "$nin" => Comparison::NotIn(scalars(operator, operand)?),
        _ => {
            return invalid(format!(
                "expected where operator to be one of $gt, $gte, $lt, $lte, $ne, $eq, $in, $nin, got {operator}"
            ));
        }
    })
}

/// The one entry of an object.
pub(super) fn single<'a>(value: &'a Value, what: &str) -> Result<(&'a str, &'a Value)> {
    let one = |object: &'a Map<String, Value>| object.iter().next().filter(|_| object.len() == 1);
    match value.as_object().and_then(one) {
        Some((key, value)) => Ok((key, value)),
        None => invalid(format!(
            "expected {what} to be an object with exactly one entry, got {value}"
        )),
    }
}

/// At least two expressions.
pub(super) fn list<T>(value: &Value, what: &str, parse: impl FnMut(&Value) -> Result<T>) -> Result<Vec<T>> {
    match value {
        Value::Array(values) if values.len() > 1 => values.iter().map(parse).collect(),
        _ => invalid(format!(
            "expected {what} value for $and or $or to be a list with at least two expressions, got {value}"
        )),
    }
}

fn scalar(value: &Value) -> Result<MetadataValue> {
    match value {
        Value::Bool(value) => Ok(MetadataValue::Bool(*value)),
        Value::String(value) => Ok(MetadataValue::Text(value.clone())),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => Ok(MetadataValue::Int(value)),
            (None, Some(value)) => Ok(MetadataValue::Float(value)),
            (None, None) => invalid(format!("the number {number} is out of range")),
        },
        _ => invalid(format!("expected a str, int, float or bool, got {value}")),
    }
}

fn number(operator: &str, value: &Value) -> Result<MetadataValue> {
    match scalar(value)? {
        value @ (MetadataValue::Int(_) | MetadataValue::Float(_)) => Ok(value),
        _ => invalid(format!(
            "expected operand value to be an int or a float for operator {operator}, got {value}"
        )),
    }
}

fn scalars(operator: &str, value: &Value) -> Result<Vec<MetadataValue>> {
    let Value::Array(values) = value else {
        return invalid(format!(
            "expected operand value to be a list for operator {operator}, got {value}"
        ));
    };
    let values: Vec<MetadataValue> = values.iter().map(scalar).collect::<Result<_>>()?;
    let kind = std::mem::discriminant::<MetadataValue>;
    if values.is_empty() || values.iter().any(|value| kind(value) != kind(&values[0])) {
        return invalid("expected where operand value to be a non-empty list of values of one type");
    }
    Ok(values)
}
