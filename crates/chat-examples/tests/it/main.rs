//! The programs do what they say: each is run as a child process.
// Interrupting a program takes a signal.
#![cfg(unix)]
// Helpers of tests may panic too.
#![allow(clippy::unwrap_used)]

mod axum;
#[allow(dead_code, reason = "shared with the tests of the library")]
#[path = "../../../chat-server/tests/it/process.rs"]
mod process;
mod readme;
mod sqlite;
#[allow(dead_code, reason = "shared with the tests of the library")]
#[path = "../../../chat-server/tests/it/support.rs"]
mod support;
mod tls;
mod websocket;

use process::Process;

/// Starts an example, which cargo has built beside the tests.
fn start(example: &str, args: &[&str]) -> Process {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.extend(["examples", example]);
    Process::start(path, args)
}

/// Interrupts the example. It must end by itself; returns what it printed meanwhile.
fn interrupt(example: Process) -> String {
    example.signal(rustix::process::Signal::INT);
    let (status, stdout, stderr) = example.end();
    assert!(status.success(), "{stderr}");
    stdout
}
