//! The messages of both directions. Each is parsed and formatted side by side in the file of its sender.
//!
//! All enums are open (`non_exhaustive`): version 1.0 adds requests, and tags as a prefix of any line (clause 9.1).

mod client;
mod server;

pub use client::ClientMessage;
pub use server::ServerMessage;

/// The two kinds of session; a connection's first line decides (clause 2.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Session {
    /// Opened by `PROT`: verbs, a name, version 0.1 (section 3).
    Named,
    /// Anything else: every line is a message, `BYE` leaves (section 4).
    Plain,
}

/// Where in a connection a client's line stands, which decides what it means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// It is the first line.
    First,
    /// It comes later, in a session of this kind.
    Later(Session),
}
