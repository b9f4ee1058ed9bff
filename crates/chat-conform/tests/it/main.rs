//! Tests of the judge: against correct servers, servers with one fault each, and programs that are not chat servers.

// Tests and their helpers fail by a panic.
#![allow(clippy::unwrap_used)]

mod class;
#[cfg(target_os = "linux")]
mod flood;
mod mutants;
mod output;
mod pairs;
mod peer;
mod peers;
mod program;
mod proxy;
mod python;
mod readme;
#[cfg(target_os = "linux")]
mod stopped;
mod strangers;
