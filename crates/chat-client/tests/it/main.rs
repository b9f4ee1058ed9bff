//! The client against a server that follows a script: over memory, and the program over TCP.

// A panic is how a test says no, in its helpers too.
#![allow(clippy::unwrap_used)]

mod conform;
mod corpus;
#[cfg(feature = "cli")]
mod examples;
mod login;
mod other_servers;
#[cfg(feature = "cli")]
mod pipes;
#[cfg(feature = "cli")]
mod program;
#[cfg(unix)]
mod python;
mod readme;
#[cfg(all(unix, feature = "cli"))]
mod readme_program;
#[cfg(feature = "reconnect")]
mod reconnecting;
mod room;
mod script;
mod sending;
#[cfg(all(unix, feature = "cli"))]
mod snapshots;
mod talking;
#[cfg(all(unix, feature = "cli"))]
mod terminal;
