//! Every store passes the same suite.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use whisperengine_vector_memory::conformance;

#[test]
fn the_reference_in_memory_conforms() {
    conformance::memory_store(&support::in_memory());
}

#[test]
fn the_durable_store_conforms() {
    let folder = tempfile::tempdir().unwrap();
    conformance::memory_store(&support::open(folder.path()));
}
