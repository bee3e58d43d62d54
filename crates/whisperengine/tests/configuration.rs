//! Default < file < environment < builder; what is not known is an error.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{error::Error as _, time::Duration};

use whisperengine::{ConfigError, ConversationMode, EngineConfig, Error, Mode, WhisperEngine};

fn load(file: Option<&str>, vars: &[(&str, &str)]) -> Result<EngineConfig, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = file.map(|text| {
        let path = folder.path().join("engine.toml");
        std::fs::write(&path, text).unwrap();
        path
    });
    let vars = vars
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    EngineConfig::load(path.as_deref(), vars)
}

#[test]
fn each_source_overrides_the_one_before() {
    assert_eq!(load(None, &[]).unwrap(), EngineConfig::default());
    let file = "recall_memories = 9\nmode = \"hybrid\"\n[components]\nemotion = false\n[vector_memory]\nchunk_chars = 400\n";
    let config = load(Some(file), &[]).unwrap();
    assert_eq!(
        (config.recall_memories, config.mode, config.components.emotion),
        (9, Mode::Hybrid, false)
    );
    assert_eq!(config.vector_memory.chunk_chars, 400);
    let vars = [
        ("WHISPERENGINE_RECALL_MEMORIES", "3"),
        ("WHISPERENGINE_COMPONENTS_EMOTION", "true"),
        ("WHISPERENGINE_VECTOR_MEMORY_CHUNK_CHARS", "300"),
        ("WHISPERENGINE_DATA_DIR", "somewhere"),
        ("WHISPERENGINE_MEMORY_BATCHER_MAX_DELAY", "5ms"),
    ];
    let config = load(Some(file), &vars).unwrap();
    assert_eq!((config.recall_memories, config.components.emotion), (3, true));
    assert_eq!(config.vector_memory.chunk_chars, 300);
    assert_eq!(config.data_dir.unwrap().to_str(), Some("somewhere"));
    assert_eq!(config.memory_batcher.max_delay, Duration::from_millis(5));
    assert_eq!(config.mode, Mode::Hybrid, "what no variable names stays");
}

#[test]
fn production_optimization_chooses_the_mode() {
    let mode = |vars: &[(&str, &str)]| load(None, vars).unwrap().mode;
    assert_eq!(
        mode(&[("ENABLE_PRODUCTION_OPTIMIZATION", "true")]),
        Mode::Production
    );
    assert_eq!(
        mode(&[("ENABLE_PRODUCTION_OPTIMIZATION", "false")]),
        Mode::Standard
    );
    let both = [
        ("WHISPERENGINE_MODE", "hybrid"),
        ("ENABLE_PRODUCTION_OPTIMIZATION", "false"),
    ];
    assert_eq!(mode(&both), Mode::Hybrid);
    assert_eq!(mode(&[both[1], both[0]]), Mode::Hybrid, "whichever comes first");
    assert!(load(None, &[("ENABLE_PRODUCTION_OPTIMIZATION", "maybe")]).is_err());
}

#[test]
fn what_is_not_known_is_an_error_that_names_it() {
    for name in [
        "WHISPERENGINE_RECAL_MEMORIES",
        "WHISPERENGINE_COMPONENTS_EMOTIONS",
        "WHISPERENGINE_",
        "WHISPERENGINE_COMPONENTS",
    ] {
        let error = load(None, &[(name, "1")]).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    for file in [
        "colour = 1",
        "[components]\ncolour = true",
        "recall_memories = \"many\"",
        "mode = \"fast\"",
    ] {
        let error = load(Some(file), &[]).unwrap_err();
        assert!(error.source().is_some(), "{file}: {error}");
    }
    assert!(
        load(None, &[("WHISPERENGINE_RECALL_MEMORIES", "0")])
            .unwrap_err()
            .to_string()
            .contains("recall_memories")
    );
    let missing = EngineConfig::load(Some(std::path::Path::new("no-such-file.toml")), []);
    assert!(missing.is_err());
}

#[test]
fn the_modes_come_to_different_components() {
    let on = |mode| {
        let mut config = EngineConfig::default();
        config.mode = mode;
        config.components.recall = false;
        config.effective_components()
    };
    assert!(on(Mode::Production).recall && on(Mode::Production).scheduler);
    assert!(on(Mode::Standard).recall && !on(Mode::Standard).scheduler && !on(Mode::Standard).batcher);
    assert!(!on(Mode::Hybrid).recall && on(Mode::Hybrid).scheduler);
}

#[test]
fn sections_within_sections_come_from_the_environment() {
    let set = |pairs: &[(&str, &str)]| {
        let named: Vec<(String, &str)> = pairs
            .iter()
            .map(|(name, text)| (format!("WHISPERENGINE_{name}"), *text))
            .collect();
        let vars: Vec<(&str, &str)> = named.iter().map(|(name, text)| (name.as_str(), *text)).collect();
        load(None, &vars)
    };
    let config = set(&[
        ("PHASE4_THREAD_OPEN", "3"),
        ("PHASE4_INTERACTION_SESSION_GAP_MINUTES", " 45 "),
        ("PHASE4_INTERACTION_MODE", "analytical"),
        ("PHASE4_ENGAGEMENT_TIME_ZONE", "Europe/Berlin"),
        ("MEMORY_BATCHER_RETRY_MAX_ATTEMPTS", "3"),
        ("MEMORY_BATCHER_RETRY_BACKOFF", "20ms"),
        ("VECTOR_MEMORY_RECALL_DENSE", "0.75"),
        ("CONVERSATION_SCHEDULER_WEIGHTS", "8, 4, 2, 1"),
        ("CONVERSATION_SCHEDULER_MAX_WORKERS", "2"),
        ("CONVERSATION_SCHEDULER_DEFAULT_DEADLINE", "2s"),
        ("LORE", r#"["lore", "rules, and more"]"#),
        ("RECALL_MEMORIES", " 6"),
        ("RECALL_MIN_RELEVANCE", "1e-1"),
        ("REPLY_CONTEXT_PERSONA", "2026"),
        ("BOTS_EMBER_NAME", "Ember"),
        ("BOTS_EMBER_BUDGET_TOKENS", "900"),
        ("SAFETY_RESOURCES_DE", "0800 111 0 111"),
    ])
    .unwrap();
    assert_eq!(
        (
            config.phase4.thread.open,
            config.phase4.interaction.session_gap_minutes
        ),
        (3, 45)
    );
    assert_eq!(config.phase4.engagement.time_zone, "Europe/Berlin");
    assert_eq!(config.phase4.interaction.mode, Some(ConversationMode::Analytical));
    assert_eq!(config.memory_batcher.retry.max_attempts, 3);
    assert_eq!(config.memory_batcher.retry.backoff, Duration::from_millis(20));
    assert!((config.vector_memory.recall.dense - 0.75).abs() < 1e-6);
    assert_eq!(config.conversation_scheduler.weights, [8, 4, 2, 1]);
    assert_eq!(config.conversation_scheduler.max_workers.unwrap().get(), 2);
    assert_eq!(
        config.conversation_scheduler.default_deadline,
        Some(Duration::from_secs(2))
    );
    assert_eq!(config.lore, ["lore", "rules, and more"]);
    assert_eq!(config.recall_memories, 6);
    assert!((config.recall_min_relevance - 0.1).abs() < 1e-6);
    assert_eq!(config.reply_context.persona, "2026");
    let ember = &config.bots["ember"];
    assert_eq!((ember.name.as_str(), ember.budget_tokens), ("Ember", Some(900)));
    assert_eq!(config.safety.resources["de"], "0800 111 0 111");

    let lists = [
        ("a, b", vec!["a", "b"]),
        ("", vec![]),
        ("[]", vec![]),
        ("one", vec!["one"]),
    ];
    for (text, expected) in lists {
        assert_eq!(set(&[("LORE", text)]).unwrap().lore, expected, "{text:?}");
    }
    let whole = set(&[
        ("SAFETY_RESOURCES", r#"{ "*" = "112", de = "110" }"#),
        ("SAFETY_RESOURCES_DE", "116"),
    ]);
    let resources = whole.unwrap().safety.resources;
    assert_eq!(
        (resources["*"].as_str(), resources["de"].as_str()),
        ("112", "116")
    );
    for text in ["2026", "true", "1e3", " x"] {
        let folder = set(&[("DATA_DIR", text)]).unwrap().data_dir.unwrap();
        assert_eq!(folder.to_str(), Some(text), "a text is taken as it is");
    }
}

#[test]
fn truth_is_written_in_many_ways() {
    for (text, production) in [
        ("True", true),
        ("1", true),
        ("yes", true),
        (" TRUE ", true),
        ("False", false),
        ("0", false),
        ("no", false),
    ] {
        let config = load(None, &[("ENABLE_PRODUCTION_OPTIMIZATION", text)]).unwrap();
        assert_eq!(config.mode == Mode::Production, production, "{text}");
        let config = load(None, &[("WHISPERENGINE_COMPONENTS_RECALL", text)]).unwrap();
        assert_eq!(config.components.recall, production, "{text}");
    }
}

/// Variable, text, and what the error names: field, value, what is accepted.
const REFUSED: &[(&str, &str, &str, &str, &str)] = &[
    ("DATA_DIR", "", "data_dir", "empty", "folder"),
    (
        "RECALL_MEMORIES",
        "six",
        "RECALL_MEMORIES",
        "\"six\"",
        "whole number",
    ),
    (
        "RECALL_MIN_RELEVANCE",
        "NaN",
        "recall_min_relevance",
        "NaN",
        "0 to 1",
    ),
    (
        "COMPONENTS_EMOTION",
        "maybe",
        "COMPONENTS_EMOTION",
        "\"maybe\"",
        "true or false",
    ),
    (
        "SHUTDOWN_SECONDS",
        "18446744073709551615",
        "shutdown_seconds",
        "18446744073709551615",
        "86400",
    ),
    (
        "STATE_SESSION_GAP_MINUTES",
        "525601",
        "state.session_gap_minutes",
        "525601",
        "525600",
    ),
    (
        "STATE_SAVE_AFTER_TURNS",
        "0",
        "state.save_after_turns",
        "0",
        "at least 1",
    ),
    (
        "MESSAGE_LIMIT_BYTES",
        "200000",
        "message_limit_bytes",
        "200000",
        "max_text_bytes, 65536",
    ),
    (
        "REPLY_LIMIT_BYTES",
        "200000",
        "reply_limit_bytes",
        "200000",
        "max_text_bytes, 65536",
    ),
    ("REPLY_TIMEOUT_MS", "0", "reply_timeout_ms", "0", "1 to"),
    (
        "VECTOR_MEMORY_CHUNK_OVERLAP_CHARS",
        "500",
        "chunk_overlap_chars",
        "500",
        "less than",
    ),
    (
        "REPLY_CONTEXT_PROFILE_SHARE",
        "1.5",
        "reply_context: profile_share",
        "1.5",
        "0..=1",
    ),
    (
        "MEMORY_BATCHER_LINGER_SHARE",
        "2",
        "memory_batcher: linger_share",
        "2",
        "0..=1",
    ),
    (
        "MEMORY_BATCHER_MAX_DELAY",
        "48h",
        "memory_batcher.max_delay",
        "172800s",
        "1h",
    ),
    (
        "CONVERSATION_SCHEDULER_AGING_TURNS",
        "1",
        "conversation_scheduler: aging_turns",
        "0",
        "16",
    ),
    ("PHASE4_THREAD_OPEN", "9", "phase4.thread.open", "9", "1 to 5"),
    (
        "PHASE4_ENGAGEMENT_TIME_ZONE",
        "Mars",
        "phase4.engagement.time_zone",
        "\"Mars\"",
        "time zone",
    ),
    ("LORE", r#"["a\nb"]"#, "lore", "a\\nb", "control"),
    (
        "BOTS_EMBER_BUDGET_TOKENS",
        "0",
        "bots.ember.budget_tokens",
        "0",
        "at least 1",
    ),
];

#[test]
fn what_cannot_work_is_refused_with_field_value_and_what_is_accepted() {
    for (name, text, field, value, accepted) in REFUSED {
        let name = format!("WHISPERENGINE_{name}");
        let error = load(None, &[(name.as_str(), text)]).unwrap_err().to_string();
        for expected in [field, value, accepted] {
            assert!(
                error.contains(expected),
                "{name}={text:?}: {error:?} does not name {expected:?}"
            );
        }
    }
    let both = [
        ("WHISPERENGINE_MESSAGE_LIMIT_BYTES", "200000"),
        ("WHISPERENGINE_VECTOR_MEMORY_MAX_TEXT_BYTES", "200000"),
    ];
    assert_eq!(load(None, &both).unwrap().message_limit_bytes, 200_000);
}

/// Every number at its largest: refused with its name, or an engine that answers.
#[tokio::test]
async fn the_largest_values_are_refused_or_work() {
    fn numbers(path: &str, value: &serde_json::Value, found: &mut Vec<(String, serde_json::Value)>) {
        match value {
            serde_json::Value::Object(fields) => {
                for (field, value) in fields {
                    numbers(&format!("{path}_{field}"), value, found);
                }
            }
            serde_json::Value::Number(_) => found.push((path.to_uppercase(), value.clone())),
            _ => {}
        }
    }
    let mut found = Vec::new();
    numbers(
        "WHISPERENGINE",
        &serde_json::to_value(EngineConfig::default()).unwrap(),
        &mut found,
    );
    assert!(found.len() > 80, "{}", found.len());
    let mut taken = 0;
    for (name, default) in found {
        let largest: &[&str] = if default.is_f64() {
            &["1e30", "-1", "NaN"]
        } else {
            &[
                "18446744073709551615",
                "9223372036854775807",
                "4294967295",
                "40",
                "0",
            ]
        };
        for text in largest {
            let Ok(mut config) = load(None, &[(name.as_str(), text)]) else {
                continue;
            };
            config.shutdown_seconds = config.shutdown_seconds.min(5);
            eprintln!("{name}={text}");
            let engine = match WhisperEngine::builder().config(config).build() {
                Ok(engine) => engine,
                Err(error) => {
                    assert!(error.source().is_some(), "{name}={text}: {error}");
                    continue;
                }
            };
            let turn = engine.handle(engine.message("ember", "ana", "direct", "I am happy").unwrap());
            match turn.await {
                Ok(turn) => assert!(turn.degraded.len() <= 1, "{name}={text}: {:?}", turn.degraded),
                // A limit below the message.
                Err(error) => assert!(
                    matches!(
                        error,
                        Error::InvalidMessage(_) | Error::Busy { .. } | Error::TurnFailed { .. }
                    ),
                    "{name}={text}: {error}"
                ),
            }
            engine.shutdown().await;
            taken += 1;
        }
    }
    assert!(taken > 100, "{taken}");
}
