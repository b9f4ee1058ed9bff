//! Cases as data: the steps to take and the lines to expect. Also reads and makes them.

mod lines;
mod names;
mod read;
mod step;
mod suite;

use std::time::Duration;

pub use self::{
    names::Names,
    read::{CaseError, read},
    suite::{Select, Suite},
};
pub use chat_proto::contract::Level;

/// A script to play, and the clauses that it tests.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Case {
    /// The name, unique among all cases. It never changes, because lists of expected failures refer to it.
    pub name: String,
    /// Whether the case judges servers or clients.
    pub side: Side,
    /// The level that includes this case (section 10).
    pub level: Level,
    /// Whether a failure fails the run.
    pub requirement: Requirement,
    /// The clauses that the case tests, the main one first. Never empty.
    pub clauses: Vec<String>,
    /// What the case tests, in a sentence. May be empty.
    pub about: String,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The file and line of the heading, as `FILE:LINE`.
    pub place: String,
}

/// Whether a case judges servers or clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Side {
    /// The case judges a server. The judge plays its clients.
    Server,
    /// The case judges a client. The judge plays its server, types on its standard input and reads its output.
    Client,
}

/// How binding a case is (RFC 2119).
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum Requirement {
    /// A failure fails the run.
    Must,
    /// A failure is a warning.
    Should,
}

/// One step of a case.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Step {
    /// Who acts or receives: the letter of a connection. In cases for clients: `S` (server), `T` (keyboard) or `O`
    /// (screen).
    pub who: char,
    /// What is done or expected.
    pub act: Act,
    /// The clause that this step tests, if not the first one of the case.
    pub clause: Option<String>,
    /// The timeout of this step, if not the default.
    pub within: Option<Duration>,
    /// The line number in the file.
    pub at: usize,
}

/// What is done or expected in a step.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Act {
    /// `A> …`, `A>raw "…"`: sends these bytes in one write.
    Send(Vec<u8>),
    /// `A>each "…"`: sends these bytes, each in its own write.
    SendEach(Vec<u8>),
    /// `A>EOF`: closes the sending side.
    HalfClose,
    /// `A>RESET`: resets the connection.
    Reset,
    /// `A< …`: expects this line, with the terminator that 1.2 requires.
    Expect(String),
    /// `A<raw "…"`: expects exactly these bytes.
    ExpectRaw(Vec<u8>),
    /// `A<EOF`: expects the close of the connection, and no line before it.
    ExpectEof,
    /// `A<nothing 200ms`: expects to receive nothing for this long.
    ExpectNothing(Duration),
    /// `C<order 90 A B`: expects that C, A and B receive this many messages in the same order. A sender receives `OK`
    /// in place of its own message (5.2).
    SameOrder {
        /// How many messages.
        count: usize,
        /// The other connections that receive the same order.
        others: Vec<char>,
    },
    /// `S login`: expects a login, named or plain, and welcomes the client.
    Login,
    /// `S refuse`: refuses the client's name. The client must offer another or close.
    Refuse,
    /// `S<said hi`: expects a message with this text, in the form of the client's session (`MSG hi` or `hi`).
    ExpectMessage(String),
    /// `O<not "…"`: checks that the client has not printed these bytes.
    NotShown(Vec<u8>),
}
