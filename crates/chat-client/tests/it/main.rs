//! The library against a scripted server.

// A panic in a helper fails the test, as in the test itself.
#![allow(clippy::unwrap_used)]

mod bounds;
mod conversation;
mod conversation_output;
mod corpus;
mod evidence;
mod examples;
mod login;
mod other_servers;
mod readme;
mod reconnect;
mod room;
mod scripted_server;
mod sending;
mod sessions;
