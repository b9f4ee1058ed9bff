//! The judge judged: against servers that are right, servers with one fault each, and what is no server at all.

// A panic is how a test says no; its helpers too.
#![allow(clippy::unwrap_used)]

mod class;
#[cfg(target_os = "linux")]
mod flood;
mod mutants;
mod pairs;
mod program;
mod proxy;
mod python;
mod readme;
#[cfg(target_os = "linux")]
mod stopped;
