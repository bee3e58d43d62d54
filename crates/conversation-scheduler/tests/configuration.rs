//! Settings from text, their defaults, and what is refused.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use whisperengine_conversation_scheduler::{Config, Error, SchedulerCore};
use whisperengine_types::{Clock, SystemClock};

#[test]
fn the_table_of_defaults_is_true() {
    let defaults = serde_json::to_value(Config::default()).unwrap();
    for (field, value) in [
        ("max_sessions", "1000000"),
        ("max_queued", "100000"),
        ("max_queued_per_class", "100000"),
        ("max_queued_per_session", "64"),
        ("max_in_flight", "4096"),
        ("max_wait", "\"5s\""),
        ("weights", "[4,3,2,1]"),
        ("aging_turns", "64"),
        ("overload", "\"refuse\""),
        ("coalesce", "\"queue\""),
        ("coalesce_window", "\"0s\""),
        ("default_deadline", "null"),
        ("idle_timeout", "\"30m\""),
        ("min_workers", "1"),
        ("max_workers", "null"),
        ("max_batch_turns", "64"),
        ("batch_time_target", "\"20ms\""),
        ("on_panic", "\"isolate\""),
    ] {
        assert_eq!(defaults[field].to_string(), value, "{field}");
    }
    assert_eq!(defaults.as_object().unwrap().len(), 18);
}

#[test]
fn settings_are_read_from_text_and_unknown_ones_are_refused() {
    let config: Config =
        serde_json::from_str(r#"{"max_wait": "250ms", "default_deadline": "2m", "overload": "shed"}"#)
            .unwrap();
    assert_eq!(config.max_wait.as_millis(), 250);
    assert_eq!(config.default_deadline.unwrap().as_secs(), 120);
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config);
    for (span, ms) in [
        ("1ms", 1),
        ("1.5s", 1_500),
        ("5s", 5_000),
        ("3min", 180_000),
        ("30m", 1_800_000),
        ("1h 30m", 5_400_000),
    ] {
        let config: Config = serde_json::from_value(serde_json::json!({ "max_wait": span })).unwrap();
        assert_eq!(config.max_wait.as_millis(), ms, "{span}");
    }
    for wrong in [
        r#"{"max_wait": "soon"}"#,
        r#"{"max_wait": "-5s"}"#,
        r#"{"max_wait": "5"}"#,
        r#"{"max_wait": 5}"#,
        r#"{"max_waits": "5s"}"#,
    ] {
        assert!(serde_json::from_str::<Config>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_setting_out_of_range_is_named() {
    let check = |field: &str, change: fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        match SchedulerCore::<(), ()>::new(config, SystemClock.instant()) {
            Err(Error::Config { field: got, .. }) => assert_eq!(got, field),
            other => panic!("{field}: {other:?}"),
        }
    };
    check("max_sessions", |config| config.max_sessions = 0);
    check("max_queued", |config| config.max_queued = 0);
    check("max_queued_per_session", |config| {
        config.max_queued_per_session = 70_000;
    });
    check("aging_turns", |config| config.aging_turns = 15);
    check("weights", |config| config.weights = [0; 4]);
    check("idle_timeout", |config| {
        config.idle_timeout = std::time::Duration::ZERO;
    });
    check("min_workers", |config| {
        config.min_workers = std::num::NonZeroUsize::new(3).unwrap();
        config.max_workers = std::num::NonZeroUsize::new(2);
    });
}
