//! `cargo +nightly fuzz run session`, in `crates/chat-server`.
#![no_main]

#[path = "../src/session.rs"]
mod session;

libfuzzer_sys::fuzz_target!(|input: &[u8]| session::check(input));
