//! What holds for the server as a whole: over real sockets, over streams in memory, and as a process.

// A panic is how a test says no; its helpers too.
#![allow(clippy::unwrap_used)]

// Linux tells what a process uses.
#[cfg(all(feature = "cli", target_os = "linux"))]
mod abuse;
#[cfg(feature = "cli")]
mod binary;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod bystander;
mod conform;
mod corpus;
mod deadlines;
mod dialogues;
mod documents;
mod embedding;
mod ending;
mod examples;
mod faults;
mod hostile;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod jobs;
mod limits;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod operation;
mod order;
mod process;
mod rates;
mod readme;
#[cfg(feature = "cli")]
mod readme_program;
mod reasons;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod records;
mod room;
#[cfg(target_os = "linux")]
mod rosters;
mod runtimes;
mod simulation;
#[cfg(all(unix, feature = "cli"))]
mod snapshots;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod standard_streams;
mod stats;
mod stopping;
mod support;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod suspended;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod unix_sockets;
mod wire;
