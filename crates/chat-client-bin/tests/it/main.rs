//! The program as a process, against a scripted server: in pipes, and at a pseudo-terminal.

// A panic in a helper fails the test, as in the test itself.
#![allow(clippy::unwrap_used)]

mod conform;
mod pipes;
mod process;
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
