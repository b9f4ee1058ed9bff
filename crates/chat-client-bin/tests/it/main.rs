//! The program as a process, at a server that follows a script: in pipes, and at a pseudo-terminal.

// Helpers of tests fail a test by a panic, too.
#![allow(clippy::unwrap_used)]

mod conform;
mod pipes;
mod program;
#[cfg(unix)]
mod python;
#[path = "../../../chat-client/tests/it/scripted_server.rs"]
#[allow(dead_code, reason = "the tests of the library use the rest")]
mod scripted_server;
#[cfg(unix)]
mod snapshots;
#[cfg(unix)]
mod terminal;
