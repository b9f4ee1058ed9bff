//! What a server says, parsed and formatted side by side.

use std::fmt::{self, Write};

use crate::{Fault, Name, ParseError, Text};

/// A line from a server to a client.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ServerMessage {
    /// `NAME REQ`: tell me your name (clause 3.1).
    NameReq,
    /// `NAME OK`: the name is yours; `WELCOME` follows (clause 3.2).
    NameOk,
    /// `NAME FAILURE`: taken, not valid or not wanted (clause 3.3).
    NameFailure,
    /// `WELCOME`: the client's place in the order begins here (clause 5.4).
    Welcome,
    /// `OK`: your message is accepted, and stands here in the order (section 5).
    Ok,
    /// `BAD REQ`: your line is refused, and reached nobody.
    BadReq,
    /// `BAD PROT`: this version is not spoken here (clause 3.1), or plain sessions are refused (clause 2.8).
    BadProt,
    /// `PING`: are you there? (clause 6.1)
    Ping,
    /// `PONG`: the answer to a client's `PING` (clause 3.7).
    Pong,
    /// `BYE`: the session is over (clauses 3.8, 4.3, 6.3 and 2.6).
    Bye,
    /// `JOIN <name>`: somebody came (clause 3.2).
    Join(Name),
    /// `LOGOUT <name>`: somebody left (clause 3.8).
    Logout(Name),
    /// `FROM <name> MSG <text>`: somebody said something (clause 3.5).
    From {
        /// Who.
        name: Name,
        /// What.
        text: Text,
    },
    /// `NOTICE <text>`: a word of the server's operator to everybody (clause 7.8).
    Notice(Text),
    /// `LIST CLIENTS <n> <name>…`: one line of the roster (clause 3.6); see [`RosterReader`](crate::RosterReader).
    Clients {
        /// How many clients there are, on all lines of this roster together.
        total: usize,
        /// Those that this line names.
        names: Vec<Name>,
    },
    /// A line with a verb that this version does not know, which a client shows or ignores (clause 7.1).
    Other(String),
}

impl ServerMessage {
    /// Reads a line, given without its terminator. The error says which clause it breaks.
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
