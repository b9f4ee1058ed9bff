//! Integration tests of the server library, over sockets and over streams in memory.

// Clippy allows `unwrap` in test functions only. Helper functions use it too.
#![allow(clippy::unwrap_used)]

mod conform;
mod corpus;
mod deadlines;
mod dialogues;
mod embedding;
mod ending;
mod examples;
mod faults;
mod handles;
mod hostile;
#[cfg(target_os = "linux")]
mod idle_server;
mod limits;
mod neighbours;
mod order;
#[allow(dead_code, reason = "shared with the tests of the program")]
mod process;
mod rates;
mod readme;
mod reasons;
mod room;
#[cfg(target_os = "linux")]
mod rosters;
mod runtimes;
mod simulation;
mod stats;
mod stopping;
mod support;
mod wire;
