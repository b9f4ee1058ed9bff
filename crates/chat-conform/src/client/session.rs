//! The server that a client meets: hears its login, answers what it asks by itself, and gives the rest to the case.

use chat_proto::Name;

use crate::{
    play::{Got, Peer, Wrong},
    transcript::shortened,
};

/// How far the client's session is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Session {
    /// Nothing has come yet.
    Fresh,
    /// It wants to be asked for a name.
    Asked,
    /// It has this name.
    Named(String),
    /// It is a guest.
    Plain,
}

/// What a line of the client calls for.
pub(super) enum Reaction {
    /// These lines are the answer, and the script goes on.
    Answer(Vec<String>),
    /// The case is to judge it.
    Judge,
}

impl Session {
    /// A line during login: the answer, if the client may be let in or asked.
    pub(super) fn login(&mut self, line: &str) -> Result<Vec<String>, Wrong> {
        let (next, answer) = match (&*self, line.strip_prefix("PROT ")) {
            (Self::Fresh, Some("0.1 CONNECT NEW")) => (Self::Asked, vec!["NAME REQ".to_owned()]),
            (Self::Fresh, Some(rest)) => match rest.strip_prefix("0.1 CONNECT USER ") {
                Some(name) => named(name)?,
                None => return Err(Wrong::by("3.1", format!("no request of version 0.1: \"{}\"", shown(line)))),
            },
            (Self::Asked, _) => match line.strip_prefix("NAME ") {
                Some(name) => named(name)?,
                None => return Err(Wrong::by("3.4", format!("before login comes NAME, not \"{}\"", shown(line)))),
            },
            (_, _) if line.is_empty() => (Self::Plain, Vec::new()),
            (_, _) => (Self::Plain, vec!["OK".to_owned()]),
        };
        *self = next;
        Ok(answer)
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Named(_) | Self::Plain)
    }

    /// What a client may send at any time is answered; the rest is for the case.
    pub(super) fn hear(&self, line: &str) -> Reaction {
        match (self, line) {
            (Self::Named(name), "REQ CLIENTS") => Reaction::Answer(vec![format!("LIST CLIENTS 1 {name}")]),
            (Self::Named(_), "PING") => Reaction::Answer(vec!["PONG".to_owned()]),
            (Self::Named(_), "PONG") | (Self::Plain, "") => Reaction::Answer(Vec::new()),
            _ => Reaction::Judge,
        }
    }

    /// A message with this text, as this session writes it.
    pub(super) fn message(&self, text: &str) -> String {
        if *self == Self::Plain { text.to_owned() } else { format!("MSG {text}") }
    }
}

fn named(name: &str) -> Result<(Session, Vec<String>), Wrong> {
    match Name::chosen(name) {
        Ok(_) => Ok((Session::Named(name.to_owned()), vec!["NAME OK".to_owned(), "WELCOME".to_owned()])),
        Err(_) => Err(Wrong::by("1.6", format!("\"{}\" is no name", shown(name)))),
    }
}

/// A client's line in a sentence: however long it is, and whatever is in it.
fn shown(line: &str) -> String {
    shortened(line.as_bytes())
}

/// The next line of the client, or what came instead.
pub(super) async fn line(peer: &mut Peer, until: tokio::time::Instant) -> Result<(Vec<u8>, String), Got> {
    match peer.line(until).await {
        Got::Line(bytes) => {
            // Both terminators are a client's right, mixed too (clause 1.2).
            let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            let text = String::from_utf8_lossy(text.strip_suffix(b"\r").unwrap_or(text)).into_owned();
            Ok((bytes, text))
        }
        other => Err(other),
    }
}
