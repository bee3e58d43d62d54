//! Default < file < environment < builder; what is not known is an error.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error as _;

use whisperengine::{ConfigError, EngineConfig, Mode};

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
    assert_eq!(
        config.memory_batcher.max_delay,
        std::time::Duration::from_millis(5)
    );
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
