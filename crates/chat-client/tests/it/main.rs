//! The library against a server that follows a script.

// Helpers of tests fail a test by a panic, too.
#![allow(clippy::unwrap_used)]

mod conversation;
mod corpus;
mod examples;
mod login;
mod other_servers;
mod reconnect;
mod room;
mod scripted_server;
mod sending;
mod sessions;
