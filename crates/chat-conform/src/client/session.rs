//! The server side of a client's session: the login, and the lines that the judge answers without a step of the case.

use chat_proto::{ClientMessage, Name, Session as Kind, Stage};

use crate::{
    play::{LineRead, Peer, Violation},
    transcript::shortened,
};

/// The state of the client's session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Session {
    /// The client has sent nothing.
    Fresh,
    /// The client was sent `NAME REQ`.
    Asked,
    /// A named session with this name.
    Named(String),
    /// A plain session.
    Plain,
}

/// How the judge reacts to a line that is not the expected one.
pub(super) enum Reaction {
    /// Sends these lines, and continues to wait for the expected line.
    Answer(Vec<String>),
    /// The client must not send this line here: the case fails.
    Unexpected,
}

impl Session {
    /// Takes a line of the login. Returns the answer, or the clause that the line breaks.
    pub(super) fn login(&mut self, line: &str) -> Result<Vec<String>, Violation> {
        let (next, answer) = match (&*self, line.strip_prefix("PROT ")) {
            (Self::Fresh, Some("0.1 CONNECT NEW")) => (Self::Asked, vec!["NAME REQ".to_owned()]),
            (Self::Fresh, Some(rest)) => match rest.strip_prefix("0.1 CONNECT USER ") {
                Some(name) => named(name)?,
                None => {
                    return Err(Violation::of("3.1", format!("not a request of version 0.1: \"{}\"", quotable(line))));
                }
            },
            (Self::Asked, _) => match line.strip_prefix("NAME ") {
                Some(name) => named(name)?,
                None => {
                    return Err(Violation::of(
                        "3.4",
                        format!("expected NAME after NAME REQ, got \"{}\"", quotable(line)),
                    ));
                }
            },
            (_, _) if line.is_empty() => (Self::Plain, Vec::new()),
            (_, _) => (Self::Plain, vec!["OK".to_owned()]),
        };
        *self = next;
        Ok(answer)
    }

    /// Whether the login is complete.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Named(_) | Self::Plain)
    }

    /// Answers the lines that a client may send at any time.
    pub(super) fn react(&self, line: &str) -> Reaction {
        match (self, line) {
            (Self::Named(name), "REQ CLIENTS") => Reaction::Answer(vec![format!("LIST CLIENTS 1 {name}")]),
            (Self::Named(_), "PING") => Reaction::Answer(vec!["PONG".to_owned()]),
            (Self::Plain, "") => Reaction::Answer(Vec::new()),
            _ => Reaction::Unexpected,
        }
    }

    /// The clause that the line of the client breaks, whatever the case expects. `None`: it is a request.
    pub(super) fn broken_clause(&self, line: &str) -> Option<&'static str> {
        let stage = match self {
            Self::Fresh => Stage::First,
            Self::Asked | Self::Named(_) => Stage::Later(Kind::Named),
            Self::Plain => Stage::Later(Kind::Plain),
        };
        // `NAME` is a request, but not here. The case says why it must not come.
        let is_name = line.starts_with("NAME ");
        ClientMessage::parse(stage, line.to_owned()).err().filter(|_| !is_name).map(|error| error.clause())
    }

    /// The line for a message with this text: with `MSG` in a named session, without it in a plain one.
    pub(super) fn message(&self, text: &str) -> String {
        if *self == Self::Plain { text.to_owned() } else { format!("MSG {text}") }
    }
}

/// Opens a named session, if the name is valid.
fn named(name: &str) -> Result<(Session, Vec<String>), Violation> {
    match Name::chosen(name) {
        Ok(_) => Ok((Session::Named(name.to_owned()), vec!["NAME OK".to_owned(), "WELCOME".to_owned()])),
        Err(_) => Err(Violation::of("1.6", format!("\"{}\" is not a valid name", quotable(name)))),
    }
}

/// The line for a message: escaped and shortened.
fn quotable(line: &str) -> String {
    shortened(line.as_bytes())
}

/// Reads the next line of the client: its bytes and its text. `Err`: why there is none.
pub(super) async fn read_line(peer: &mut Peer, deadline: tokio::time::Instant) -> Result<(Vec<u8>, String), LineRead> {
    match peer.line(deadline).await {
        LineRead::Line(bytes) => {
            // A client may end its lines with CRLF or LF, and mix the two (clause 1.2).
            let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            let text = String::from_utf8_lossy(text.strip_suffix(b"\r").unwrap_or(text)).into_owned();
            Ok((bytes, text))
        }
        other => Err(other),
    }
}
