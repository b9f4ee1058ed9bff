//! Tests of the server library as a whole, over real sockets and over streams in memory.

// Helpers of tests may panic too.
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
