//! Messages, records, queries and whole lines of JSON from outside: read or refused; what was read comes
//! back equal after being written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::{Serialize, de::DeserializeOwned};
use whisperengine_types::{MemoryPatch, MemoryRecord, Message, RecallQuery};

fuzz_target!(|bytes: &[u8]| {
    read::<Message>(bytes);
    read::<MemoryRecord>(bytes);
    read::<MemoryPatch>(bytes);
    read::<RecallQuery>(bytes);
    if let Ok(message) = serde_json::from_slice::<Message>(bytes) {
        let _ = message.validate(64 << 10);
    }
});

fn read<T: DeserializeOwned + Serialize>(bytes: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<T>(bytes) {
        let written = serde_json::to_string(&value).expect("what was read can be written");
        serde_json::from_str::<T>(&written).expect("what was written can be read");
    }
}
