//! Environment variables as settings: a name is followed into the sections, and its text is read as what the
//! setting holds.

use std::{collections::BTreeMap, time::Duration};

use figment::{
    Profile, Provider,
    providers::{Format, Toml},
    value::{Dict, Map, Num, Value},
};
use whisperengine_types::ConversationMode;

use crate::{
    config::EngineConfig,
    context::{BotConfig, SafetyConfig},
    error::ConfigError,
};

/// The settings that variables name.
pub(crate) struct Variables(Dict);

impl Variables {
    /// Reads pairs of name and text.
    pub(crate) fn read(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let (shape, mut settings) = (shape(), Dict::new());
        // A whole map comes before its entries.
        let vars = BTreeMap::from_iter(vars);
        for (name, text) in vars {
            if name == OPTIMIZATION {
                let mode = match truth(&text) {
                    Some(true) => "production",
                    Some(false) => "standard",
                    None => return Err(ConfigError::out_of_range(name, format!("{text:?}"), TRUTH)),
                };
                // The mode itself, where it is named, says more.
                settings.entry("mode".to_owned()).or_insert_with(|| mode.into());
                continue;
            }
            let unknown = || ConfigError::UnknownVariable { name: name.clone() };
            let key = name.strip_prefix(PREFIX).ok_or_else(unknown)?.to_lowercase();
            let (path, kind) = find(&shape, &key).ok_or_else(unknown)?;
            let value = read(kind, &text)
                .map_err(|expected| ConfigError::out_of_range(&name, format!("{text:?}"), expected))?;
            insert(&mut settings, &path, value);
        }
        Ok(Self(settings))
    }
}

impl Provider for Variables {
    fn metadata(&self) -> figment::Metadata {
        figment::Metadata::named("environment variables")
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Map::from([(Profile::Default, self.0.clone())]))
    }
}

/// A configuration in which everything optional is present and every map has one entry, [`ANY`]: what each
/// setting holds is told by its value here.
fn shape() -> Dict {
    let mut config = EngineConfig {
        data_dir: Some("folder".into()),
        ..EngineConfig::default()
    };
    config.conversation_scheduler.default_deadline = Some(Duration::from_secs(1));
    config.conversation_scheduler.max_workers = Some(config.conversation_scheduler.min_workers);
    config.phase4.interaction.mode = Some(ConversationMode::default());
    let bot = BotConfig {
        budget_tokens: Some(1),
        ..BotConfig::default()
    };
    config.bots.insert(ANY.to_owned(), bot);
    let SafetyConfig { resources } = &mut config.safety;
    resources.insert(ANY.to_owned(), String::new());
    let shape = Value::serialize(config).expect("names, texts and numbers can be written");
    shape.into_dict().expect("a struct is a dictionary")
}

/// The place that `key` names, and what it holds: of the sections that `key` begins with, the longest that has
/// the rest.
fn find<'s>(section: &'s Dict, key: &str) -> Option<(Vec<String>, &'s Value)> {
    if let Some(entry) = section.get(ANY) {
        return find_entry(entry, key);
    }
    let mut fields: Vec<(&String, &Value)> = section
        .iter()
        .filter(|(field, _)| key.starts_with(*field))
        .collect();
    fields.sort_by_key(|(field, _)| std::cmp::Reverse(field.len()));
    fields.into_iter().find_map(|(field, value)| {
        let rest = &key[field.len()..];
        let (mut path, value) = match value {
            _ if rest.is_empty() && is_setting(value) => (Vec::new(), value),
            Value::Dict(_, section) => find(section, rest.strip_prefix('_')?)?,
            _ => return None,
        };
        path.insert(0, field.clone());
        Some((path, value))
    })
}

/// The same in a map, whose entries have any name.
fn find_entry<'s>(entry: &'s Value, key: &str) -> Option<(Vec<String>, &'s Value)> {
    let Value::Dict(_, fields) = entry else {
        return (!key.is_empty()).then(|| (vec![key.to_owned()], entry));
    };
    let named = fields.iter().filter_map(|(field, value)| {
        let name = key.strip_suffix(field.as_str())?.strip_suffix('_')?;
        (!name.is_empty()).then(|| (vec![name.to_owned(), field.clone()], value))
    });
    named.min_by_key(|(path, _)| path[0].len())
}

/// Whether the value is set as a whole: anything but a section.
fn is_setting(value: &Value) -> bool {
    value.as_dict().is_none_or(|section| section.contains_key(ANY))
}

/// The text as a value of the kind of `like`, or what is accepted.
fn read(like: &Value, text: &str) -> Result<Value, String> {
    match like {
        Value::Bool(..) => truth(text).map(Value::from).ok_or_else(|| TRUTH.to_owned()),
        Value::Num(_, Num::F32(_) | Num::F64(_)) => {
            let number = text.trim().parse::<f64>();
            number
                .map(Value::from)
                .map_err(|_| "expected a number".to_owned())
        }
        Value::Num(..) => {
            let text = text.trim();
            let whole = text.parse::<u64>().map(Value::from);
            let whole = whole.or_else(|_| text.parse::<i64>().map(Value::from));
            whole.map_err(|_| "expected a whole number".to_owned())
        }
        Value::Array(_, items) if !text.trim_start().starts_with('[') => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            match items.first() {
                Some(item) => parts.map(|part| read(item, part)).collect::<Result<Vec<_>, _>>(),
                None => Ok(parts.map(Value::from).collect()),
            }
            .map(Value::from)
        }
        Value::Array(..) => toml(text).ok_or_else(|| "expected a list".to_owned()),
        Value::Dict(..) => toml(text)
            .filter(|value| value.as_dict().is_some())
            .ok_or_else(|| "expected entries, as { name = ... }".to_owned()),
        _ => Ok(text.into()),
    }
}

/// The text as a value of TOML.
fn toml(text: &str) -> Option<Value> {
    let mut data = Toml::string(&format!("value = {text}")).data().ok()?;
    let mut settings = data.remove(&Profile::Default)?;
    let value = settings.remove("value")?;
    settings.is_empty().then_some(value)
}

fn truth(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn insert(settings: &mut Dict, path: &[String], value: Value) {
    let [section, rest @ ..] = path else { return };
    if rest.is_empty() {
        settings.insert(section.clone(), value);
        return;
    }
    let section = settings
        .entry(section.clone())
        .or_insert_with(|| Dict::new().into());
    if let Value::Dict(_, section) = section {
        insert(section, rest, value);
    }
}

/// The name that stands for any in a map.
const ANY: &str = "*";
const TRUTH: &str = "expected true or false";
pub(crate) const PREFIX: &str = "WHISPERENGINE_";
pub(crate) const OPTIMIZATION: &str = "ENABLE_PRODUCTION_OPTIMIZATION";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_can_be_named() {
        fn check(shape: &Dict, section: &Dict, path: &[&str]) -> usize {
            let mut found = 0;
            for (field, value) in section {
                let field = if field == ANY { "de" } else { field };
                let path: Vec<&str> = path.iter().copied().chain([field]).collect();
                assert!(!matches!(value, Value::Empty(..)), "{path:?} has no kind");
                if let Value::Dict(_, section) = value {
                    found += check(shape, section, &path);
                    continue;
                }
                let named = super::find(shape, &path.join("_")).map(|(path, _)| path);
                assert_eq!(named.unwrap(), path);
                found += 1;
            }
            found
        }
        let shape = shape();
        assert!(check(&shape, &shape, &[]) > 100);
    }
}
