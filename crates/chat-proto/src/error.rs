//! What is wrong with one line, which clause it breaks, and what a server answers.
//!
//! [`Fault::refusal`] is the one place that says what a server answers to a bad line.

use crate::{NameError, ServerMessage, TextError};

/// A line that cannot be parsed: what is wrong with it, and the line itself if it is text.
///
/// ```
/// use chat_proto::{ClientMessage, Fault, Refusal, Session, Stage, TextError};
///
/// let line = "MSG \u{1b}[2J".to_owned();
/// let error = ClientMessage::parse(Stage::Later(Session::Named), line).unwrap_err();
/// assert_eq!(error.fault(), Fault::Text(TextError::Control));
/// assert_eq!(error.clause(), "1.5");
/// assert_eq!(error.refusal(), Refusal::BadReq);
/// assert_eq!(error.line(), Some("MSG \u{1b}[2J"));
/// assert_eq!(error.to_string(), "a text has no control character but TAB (clause 1.5)");
/// ```
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{fault} (clause {})", fault.clause())]
pub struct ParseError {
    fault: Fault,
    line: Option<String>,
}

impl ParseError {
    pub(crate) fn new(fault: Fault, line: Option<String>) -> Self {
        Self { fault, line }
    }

    pub(crate) fn because(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    /// What is wrong with the line.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The clause of `protocole.md` that the line breaks, such as `"1.5"`.
    pub fn clause(&self) -> &'static str {
        self.fault.clause()
    }

    /// What a server answers to the line. It has no meaning for a line that a server sent.
    pub fn refusal(&self) -> Refusal {
        self.fault.refusal()
    }

    /// The line without its terminator, as the peer sent it: escape it before you show it. `None` if it was too long to be
    /// kept, or is not UTF-8.
    pub fn line(&self) -> Option<&str> {
        self.line.as_deref()
    }
}

/// What is wrong with a line.
///
/// The value is a rule of the protocol, so it is `Copy`. The line itself is in [`ParseError::line`].
///
/// ```
/// use chat_proto::{Fault, NameError, Refusal};
///
/// assert_eq!(Fault::TooLong.clause(), "1.3");
/// assert_eq!(Fault::Name(NameError::Empty).refusal(), Refusal::NameFailure);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A CR that does not stand right before the LF.
    #[error("a CR stands only before the LF")]
    CarriageReturn,
    /// Bytes that are not UTF-8.
    #[error("the line is not UTF-8")]
    NotUtf8,
    /// More than [`MAX_LINE`](crate::MAX_LINE) bytes.
    #[error("the line has more than {} bytes", crate::MAX_LINE)]
    TooLong,
    /// A byte that no line may contain, seen before the first line was whole.
    #[error("this is no chat: the first line has a byte that no line may contain")]
    NotChat,
    /// The first line is an HTTP request.
    #[error("this is no chat: the first line is an HTTP request")]
    Http,
    /// The text of a message breaks its rules.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A name breaks its rules.
    #[error(transparent)]
    Name(#[from] NameError),
    /// `PROT` with an unknown version.
    #[error("unknown protocol version")]
    Version,
    /// `PROT` and something that does not follow the grammar.
    #[error("PROT is followed by a version, CONNECT, and NEW or USER and a name")]
    Connect,
    /// Tags. They are reserved for version 1.0.
    #[error("tags (`@`) are reserved for a later version")]
    Tags,
    /// An unknown verb, or a known one with something missing or left over.
    #[error("no such request")]
    Request,
    /// A server's `FROM` without its name or `MSG`.
    #[error("FROM is followed by a name, MSG and a text")]
    From,
    /// A server's `LIST CLIENTS` whose number is missing or smaller than its list.
    #[error("LIST CLIENTS is followed by a number and at most so many names")]
    Roster,
}

impl Fault {
    /// The clause of `protocole.md` that the line breaks, such as `"1.5"`.
    pub fn clause(self) -> &'static str {
        match self {
            Self::CarriageReturn => "1.1",
            Self::NotUtf8 | Self::TooLong => "1.3",
            Self::Text(_) => "1.5",
            Self::Name(NameError::Reserved) => "2.7",
            Self::Name(_) => "1.6",
            Self::NotChat | Self::Http => "2.4",
            Self::Version | Self::Connect => "3.1",
            Self::From => "3.5",
            Self::Roster => "3.6",
            Self::Request => "3.9",
            Self::Tags => "9.2",
        }
    }

    /// What a server answers.
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Version => Refusal::BadProt,
            Self::Name(_) => Refusal::NameFailure,
            _ => Refusal::BadReq,
        }
    }
}

/// The answer of a server to a bad line.
///
/// ```
/// use chat_proto::{Refusal, ServerMessage};
///
/// assert_eq!(ServerMessage::from(Refusal::BadReq).to_string(), "BAD REQ");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// `BAD REQ`: the line is refused.
    BadReq,
    /// `BAD PROT`: the server does not support this version, or refuses plain sessions (clauses 3.1 and 2.8).
    BadProt,
    /// `NAME FAILURE`: the name is not valid, or reserved (clause 3.3).
    NameFailure,
}

impl From<Refusal> for ServerMessage {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::BadReq => Self::BadReq,
            Refusal::BadProt => Self::BadProt,
            Refusal::NameFailure => Self::NameFailure,
        }
    }
}
