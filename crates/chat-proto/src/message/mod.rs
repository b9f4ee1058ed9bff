//! The messages of both directions. Each is parsed and formatted side by side in the file of its sender.
//!
//! The messages are open (`non_exhaustive`), because version 1.0 adds requests. What it adds to a line are tags in front of it
//! (clause 9.1), so a variant is one form of a line and gets no further fields.

mod client;
mod server;

pub use client::ClientMessage;
pub use server::ServerMessage;

/// The kind of a session. The first line of a connection decides it (clause 2.1).
///
/// The clauses 2.2 and 2.3 divide all first lines between these two, so the enum is exhaustive.
///
/// ```
/// use chat_proto::{ClientMessage, Session, Stage};
///
/// let opens = |line: &str| ClientMessage::parse(Stage::First, line.to_owned()).map(|message| message.opens());
/// assert_eq!(opens("PROT 0.1 CONNECT NEW")?, Session::Named);
/// assert_eq!(opens("hello everybody")?, Session::Plain);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Session {
    /// The client has a name and uses verbs: version 0.1, opened by `PROT` (section 3).
    Named,
    /// The client is a guest. Every line is a message, and `BYE` leaves (section 4).
    Plain,
}

/// The place of a client's line in its connection. The same line means different things in different places.
///
/// ```
/// use chat_proto::{ClientMessage, Session, Stage};
///
/// let parse = |stage| ClientMessage::parse(stage, "PING".to_owned());
/// assert_eq!(parse(Stage::Later(Session::Named))?, ClientMessage::Ping);
/// assert_eq!(parse(Stage::Later(Session::Plain))?, ClientMessage::Msg("PING".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// The first line.
    First,
    /// A later line of a session of this kind.
    Later(Session),
}
