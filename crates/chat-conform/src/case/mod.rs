//! A case: what is done and what must come back, as data. Where cases come from, and how they are read.

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

/// What is played, and what it shows.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Case {
    /// Its name, unique among all cases; it never changes, so that it can be found again.
    pub name: String,
    /// Who is judged.
    pub side: Side,
    /// The level that it belongs to (section 10).
    pub level: Level,
    /// Whether failing it counts.
    pub requirement: Requirement,
    /// The clauses that it shows; the first is what it is about.
    pub clauses: Vec<String>,
    /// What it shows, in a sentence; may be empty.
    pub about: String,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// The file and line where it stands.
    pub place: String,
}

/// Who is judged by a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Side {
    /// A server: the kit plays its clients.
    Server,
    /// A client: the kit plays its server, its keyboard and its screen.
    Client,
}

/// How binding a case is, in the sense of RFC 2119.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum Requirement {
    /// Failing it is a failure.
    Must,
    /// Failing it is a warning.
    Should,
}

/// Something that is done or awaited.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Step {
    /// Who does or receives it: the letter of a connection; in cases of clients `S`, `T` or `O`.
    pub who: char,
    /// What.
    pub act: Act,
    /// The clause that this step is about, if it is not the first of the case.
    pub clause: Option<String>,
    /// How long it may take, if not as long as any.
    pub within: Option<Duration>,
    /// The line of its file.
    pub at: usize,
}

/// What is done or awaited.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Act {
    /// `A> …`, `A>raw "…"`: these bytes, in one write.
    Send(Vec<u8>),
    /// `A>each "…"`: these bytes, each in a write of its own.
    SendEach(Vec<u8>),
    /// `A>EOF`: the sending side is closed.
    HalfClose,
    /// `A>RESET`: the connection is torn down.
    Reset,
    /// `A< …`: this line, with the terminator that 1.2 asks for.
    Expect(String),
    /// `A<raw "…"`: these bytes.
    ExpectRaw(Vec<u8>),
    /// `A<EOF`: nothing more.
    ExpectEof,
    /// `A<nothing 200ms`: nothing for so long.
    Nothing(Duration),
    /// `C<order 90 A B`: so many messages come to C, A and B, in one order; an OK stands for one's own (clause 5.2).
    SameOrder {
        /// How many.
        count: usize,
        /// The others who see the same.
        others: Vec<char>,
    },
    /// `S login`: the client logs in, in whichever way it likes, and is welcomed.
    Login,
    /// `S refuse`: the client's name is refused; it offers another, waits, or leaves.
    Refuse,
    /// `S<said hi`: the client says this text, in the form of its session.
    Said(String),
    /// `O<not "…"`: these bytes have not been shown.
    Never(Vec<u8>),
}
