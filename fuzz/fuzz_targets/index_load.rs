//! A saved index: any bytes are read or refused, and what was read answers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whisperengine_vector_memory::index::{IndexConfig, load};

fuzz_target!(|bytes: &[u8]| {
    let mut input = bytes;
    if let Ok(index) = load(&mut input, &IndexConfig::default()) {
        assert!(index.len() <= bytes.len(), "nothing comes from nowhere");
    }
});
