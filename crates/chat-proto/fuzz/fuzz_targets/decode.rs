//! `cargo +nightly fuzz run decode`, in `crates/chat-proto`.
#![no_main]

#[path = "../src/decode.rs"]
mod decode;

libfuzzer_sys::fuzz_target!(|input: &[u8]| decode::check(input));
