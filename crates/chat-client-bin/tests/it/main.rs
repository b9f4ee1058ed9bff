//! Tests of the program as a child process, in pipes and at a pseudo-terminal. In most tests the server is scripted.

// A panic in a helper fails the test.
#![allow(clippy::unwrap_used)]

mod conform;
mod flags;
#[cfg(unix)]
mod pairs;
#[cfg(unix)]
#[path = "../../../chat-conform/tests/it/peer.rs"]
#[allow(dead_code, reason = "shared with the tests of the judge")]
mod peer;
mod process;
mod program;
#[cfg(unix)]
mod python;
#[cfg(unix)]
mod readme_program;
#[path = "../../../chat-client/tests/it/scripted_server.rs"]
#[allow(dead_code, reason = "shared with the tests of the library")]
mod scripted_server;
mod scripts;
#[cfg(unix)]
mod snapshots;
#[cfg(unix)]
mod terminal;
