//! RFC 3339 times: any text is read or refused; what was read prints as a text that reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whisperengine_types::Timestamp;

fuzz_target!(|text: &str| {
    if let Ok(at) = text.parse::<Timestamp>() {
        assert!((Timestamp::MIN..=Timestamp::MAX).contains(&at));
        assert_eq!(at.to_string().parse(), Ok(at));
    }
});
