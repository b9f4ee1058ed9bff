//! Tests of the `chat-server` program as a child process.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

#[cfg(target_os = "linux")]
mod abuse;
mod binary;
#[cfg(target_os = "linux")]
mod bystander;
#[cfg(target_os = "linux")]
mod jobs;
#[cfg(target_os = "linux")]
mod operation;
#[allow(dead_code, reason = "shared with the tests of the library")]
#[path = "../../../chat-server/tests/it/process.rs"]
mod process;
mod program;
#[cfg(target_os = "linux")]
mod proxy_protocol;
mod readme_program;
#[cfg(target_os = "linux")]
mod records;
#[cfg(unix)]
mod snapshots;
#[cfg(target_os = "linux")]
mod standard_streams;
#[allow(dead_code, reason = "shared with the tests of the library")]
#[path = "../../../chat-server/tests/it/support.rs"]
mod support;
#[cfg(target_os = "linux")]
mod suspended;
#[cfg(target_os = "linux")]
mod unix_sockets;
