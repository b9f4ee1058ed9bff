//! Cases as data: the steps to take and the lines to expect. Also reads and makes them.

mod lines;
mod names;
mod read;
mod step;
mod suite;
mod wait;

pub use self::{
    names::Names,
    read::{CaseError, read},
    suite::{Select, Suite},
    wait::{Settings, Wait},
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
    /// Whether the case takes long, because it waits for a deadline of the server.
    pub slow: bool,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The file and line of the heading, as `FILE:LINE`.
    pub place: String,
}

impl Case {
    /// Whether the case is for a server that refuses plain sessions.
    pub(crate) fn refuses_plain(&self) -> bool {
        self.side == Side::Server && self.clauses[0] == "2.8"
    }

    /// Whether a connection of the case may open a plain session: its first line is not `PROT`.
    pub(crate) fn opens_plain(&self) -> bool {
        let mut first = std::collections::BTreeMap::new();
        for step in &self.steps {
            if let Act::Send(bytes) | Act::SendEach(bytes) = &step.act {
                first.entry(step.who).or_insert(bytes);
            }
        }
        self.side == Side::Server && !self.refuses_plain() && first.values().any(|bytes| !bytes.starts_with(b"PROT"))
    }

    /// Whether a step expects a line about a plain client.
    pub(crate) fn has_guests(&self) -> bool {
        self.steps.iter().any(|step| match &step.act {
            Act::Expect(line) => line.contains("guest{"),
            Act::ExpectAlone(_) => true,
            Act::ExpectRaw(bytes) => bytes.windows(6).any(|window| window == b"guest{"),
            _ => false,
        })
    }
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
    pub within: Option<Wait>,
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
    /// `A<FIN`: as `A<EOF`, and the connection must not be reset.
    ExpectCleanEof,
    /// `A>trickle 10s`: sends a byte now and then, and expects that the server closes before the time is over.
    Trickle(Wait),
    /// `A<nothing 200ms`: expects to receive nothing for this long.
    ExpectNothing(Wait),
    /// `A<alone 50ms`: expects that no guest outside of the case has joined up to now, nor for this long. Passes if guests
    /// come and go all the time.
    ExpectAlone(Wait),
    /// `A narrow`: A connects with small buffers, so that the server soon notices that A does not read.
    Narrow,
    /// `A>numbered 100 1990`: sends this many messages of this many characters. Each starts with its number.
    SendNumbered {
        /// How many messages.
        count: usize,
        /// The characters of each text.
        length: usize,
    },
    /// `B<numbered 100 1990 ann`: expects these messages of `ann` without a hole, or the close of the connection.
    ExpectNumbered {
        /// How many messages.
        count: usize,
        /// The characters of each text.
        length: usize,
        /// The name of the sender.
        from: String,
    },
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
    /// `O<times 2 "…"`: checks how often the client has printed these bytes.
    ShownTimes {
        /// How often.
        count: usize,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// `S<open 200ms`: expects that the client neither sends a line nor closes for this long.
    ExpectOpen(Wait),
    /// `S again 1s`: waits this long for another connection of the client, and logs it in.
    Again(Wait),
    /// `S>many 64`: sends this many MiB without LF.
    SendMany(usize),
    /// `O<memory 64`: checks that the client has taken less than this many MiB of memory since its login.
    Memory(u64),
}
