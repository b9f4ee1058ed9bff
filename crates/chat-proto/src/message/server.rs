//! What a server says, parsed and formatted side by side.

use std::fmt::{self, Write};

use crate::{Fault, Name, ParseError, Text};

/// A line from a server to a client. Its `Display` is the line without its terminator.
///
/// Variants are forms of a line. They may become more, but a variant gets no further fields.
///
/// ```
/// use chat_proto::ServerMessage;
///
/// let message = ServerMessage::From { name: "bob".parse()?, text: "hello".parse()? };
/// assert_eq!(message.to_string(), "FROM bob MSG hello");
/// assert_eq!(ServerMessage::parse(message.to_string())?, message);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ServerMessage {
    /// `NAME REQ`: the client must send a name (clause 3.1).
    NameReq,
    /// `NAME OK`: the client has the name. `WELCOME` follows (clause 3.2).
    NameOk,
    /// `NAME FAILURE`: the name is taken, not valid, or refused by the server (clause 3.3).
    NameFailure,
    /// `WELCOME`: the client has joined, at this place in the order (clause 5.4).
    Welcome,
    /// `OK`: the client's message is accepted. This is its place in the order (section 5).
    Ok,
    /// `BAD REQ`: the client's line is refused. It has no effect.
    BadReq,
    /// `BAD PROT`: the server does not support this version (clause 3.1), or refuses plain sessions (clause 2.8).
    BadProt,
    /// `PING`: the client must answer with `PONG` (clauses 6.1 and 7.4).
    Ping,
    /// `PONG`: the answer to a client's `PING` (clause 3.7).
    Pong,
    /// `BYE`: the session is over (clauses 3.8, 4.3, 6.3 and 2.6).
    Bye,
    /// `JOIN <name>`: another client has joined (clause 3.2).
    Join(Name),
    /// `LOGOUT <name>`: another client has left (clause 3.8).
    Logout(Name),
    /// `FROM <name> MSG <text>`: another client's message (clause 3.5).
    From {
        /// The sender.
        name: Name,
        /// The text.
        text: Text,
    },
    /// `NOTICE <text>`: a word of the server's operator to everybody, or to this client (clause 7.8).
    Notice(Text),
    /// `LIST CLIENTS <n> <name>…`: one line of the roster (clause 3.6); see [`RosterReader`](crate::RosterReader).
    Clients {
        /// Number of clients in the roster, on all its lines together.
        total: usize,
        /// The names on this line.
        names: Vec<Name>,
    },
    /// A line with an unknown verb. A client shows or ignores it (clause 7.1). Escape it before you show it.
    Other(String),
}

impl ServerMessage {
    /// Parses a line without its terminator. An unknown verb is no error: see [`ServerMessage::Other`].
    ///
    /// The limit of a line in bytes is the codec's to check: this function accepts a line of any length.
    ///
    /// # Errors
    /// [`ParseError`] has the clause that the line breaks.
    ///
    /// ```
    /// use chat_proto::ServerMessage;
    ///
    /// let parse = |line: &str| ServerMessage::parse(line.to_owned());
    /// assert_eq!(parse("JOIN ann")?, ServerMessage::Join("ann".parse()?));
    /// assert_eq!(parse("NOTICE back at noon")?, ServerMessage::Notice("back at noon".parse()?));
    /// assert_eq!(parse("NEWS of a kind")?, ServerMessage::Other("NEWS of a kind".to_owned()));
    /// assert_eq!(parse("FROM ann").unwrap_err().clause(), "3.5");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parse(line: String) -> Result<Self, ParseError> {
        let known = match line.as_str() {
            "NAME REQ" => Self::NameReq,
            "NAME OK" => Self::NameOk,
            "NAME FAILURE" => Self::NameFailure,
            "WELCOME" => Self::Welcome,
            "OK" => Self::Ok,
            "BAD REQ" => Self::BadReq,
            "BAD PROT" => Self::BadProt,
            "PING" => Self::Ping,
            "PONG" => Self::Pong,
            "BYE" => Self::Bye,
            _ => match with_arguments(&line) {
                Ok(Some(message)) => message,
                Ok(None) => return Ok(Self::Other(line)),
                Err(fault) => return Err(ParseError::new(fault, Some(line))),
            },
        };
        Ok(known)
    }

    /// Writes the line without its terminator.
    ///
    /// # Errors
    /// Only those of `out`.
    pub fn write(&self, out: &mut impl Write) -> fmt::Result {
        match self {
            Self::NameReq => out.write_str("NAME REQ"),
            Self::NameOk => out.write_str("NAME OK"),
            Self::NameFailure => out.write_str("NAME FAILURE"),
            Self::Welcome => out.write_str("WELCOME"),
            Self::Ok => out.write_str("OK"),
            Self::BadReq => out.write_str("BAD REQ"),
            Self::BadProt => out.write_str("BAD PROT"),
            Self::Ping => out.write_str("PING"),
            Self::Pong => out.write_str("PONG"),
            Self::Bye => out.write_str("BYE"),
            Self::Join(name) => pieces(out, &["JOIN ", name.as_str()]),
            Self::Logout(name) => pieces(out, &["LOGOUT ", name.as_str()]),
            Self::From { name, text } => pieces(out, &["FROM ", name.as_str(), " MSG ", text.as_str()]),
            Self::Notice(text) => pieces(out, &["NOTICE ", text.as_str()]),
            Self::Clients { total, names } => {
                write!(out, "LIST CLIENTS {total}")?;
                names.iter().try_for_each(|name| pieces(out, &[" ", name.as_str()]))
            }
            Self::Other(line) => out.write_str(line),
        }
    }
}

impl fmt::Display for ServerMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

/// Cheaper than `write!`, on the way of every message.
fn pieces(out: &mut impl Write, pieces: &[&str]) -> fmt::Result {
    pieces.iter().try_for_each(|piece| out.write_str(piece))
}

/// `None`: the verb is unknown. The first word alone decides, so that a known verb that is cut short is an error.
fn with_arguments(line: &str) -> Result<Option<ServerMessage>, Fault> {
    if line.contains('\r') {
        return Err(Fault::CarriageReturn);
    }
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let message = match verb {
        "FROM" => {
            let (name, text) = rest.split_once(" MSG ").ok_or(Fault::From)?;
            ServerMessage::From { name: Name::new(name)?, text: Text::new(text)? }
        }
        "JOIN" => ServerMessage::Join(Name::new(rest)?),
        "LOGOUT" => ServerMessage::Logout(Name::new(rest)?),
        "NOTICE" => ServerMessage::Notice(Text::new(rest)?),
        "LIST" => match rest.strip_prefix("CLIENTS") {
            Some(roster) if roster.is_empty() || roster.starts_with(' ') => clients(roster)?,
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(message))
}

/// Clause 3.6: ` <n>`, then ` <name>` as often as there are names.
fn clients(fields: &str) -> Result<ServerMessage, Fault> {
    let mut fields = fields.split(' ').skip(1);
    let total = fields.next().and_then(number).ok_or(Fault::Roster)?;
    let names = fields.map(Name::new).collect::<Result<Vec<_>, _>>()?;
    if names.len() > total {
        return Err(Fault::Roster);
    }
    Ok(ServerMessage::Clients { total, names })
}

/// Digits alone: `str::parse` would take a sign too.
fn number(digits: &str) -> Option<usize> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}
