//! Annotates the lines of one connection: what each line is, its clause, and whether it breaks the clause. Pure state,
//! no I/O. The proxy prints the notes, and the judge of servers finds in them which clause a wrong line breaks.

mod client_lines;
mod pending_reply;
mod presence;
mod server_lines;

use std::collections::VecDeque;

use bytes::BytesMut;
use chat_proto::{Name, ServerCodec, ServerMessage, Session};

use self::{pending_reply::PendingReply, presence::Presence};

/// The annotation of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Note {
    /// The clause that defines the line, or that the line breaks.
    pub clause: &'static str,
    /// What the line is, or how it breaks the clause.
    pub what: String,
    /// Whether the line breaks the clause.
    pub wrong: bool,
}

fn fine(clause: &'static str, what: &str) -> Note {
    Note { clause, what: what.to_owned(), wrong: false }
}

fn wrong(clause: &'static str, what: impl Into<String>) -> Note {
    Note { clause, what: what.into(), wrong: true }
}
/// The state of one connection, as far as the lines show it.
#[derive(Debug, Default)]
pub struct Annotator {
    /// Decodes the client's lines as a server does.
    codec: ServerCodec,
    /// The client's bytes after its last complete line.
    received: BytesMut,
    /// One note for each line of the client that is complete, or too long already.
    notes: VecDeque<Note>,
    /// Whether [`Self::note_of`] has seen the beginning of a line that was refused early, and not its end.
    in_refused_line: bool,
    /// Whether the client's first line ended in CRLF. `None`: it has sent no line.
    crlf: Option<bool>,
    /// Why the server reads no further lines of the client: the clause, and what happened.
    ended: Option<(&'static str, &'static str)>,
    /// Whether the client has closed its sending side.
    is_half_closed: bool,
    /// The oldest reply first.
    pending: VecDeque<PendingReply>,
    /// Whether more than [`MAX_PENDING_REPLIES`] were pending at some time.
    has_overflowed: bool,
    name: Option<Name>,
    presence: Presence,
    /// The clause of the last refusal, if the last reply was one.
    refused: Option<&'static str>,
    /// The last reply.
    last_reply: Option<ServerMessage>,
    /// The clause that says that a line of the client gets no reply, if it gets none and no reply has come since.
    unanswered: Option<&'static str>,
}

impl Annotator {
    /// The client's name, after the server has accepted it.
    pub fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// Whether lines to this client must end in CRLF (clause 1.2).
    pub fn wants_crlf(&self) -> bool {
        self.crlf.unwrap_or(true)
    }

    /// The clause that requires the reply to the oldest request. `None`: no reply is pending.
    pub fn pending_clause(&self) -> Option<&'static str> {
        let plain = self.codec.session() == Some(Session::Plain);
        Some(match self.pending.front()? {
            PendingReply::Ok => "5.1",
            // Clause 4.4 requires the reply, whatever the line breaks.
            PendingReply::Refusal("1.1" | "1.3" | "1.5") if plain && self.ended.is_none() => "4.4",
            pending => pending.clause(plain),
        })
    }

    /// Whether the client has opened a named session, and has not asked for a name that the server may have given it.
    fn is_before_login(&self) -> bool {
        let asks = |reply: &PendingReply| matches!(reply, PendingReply::Login(Some(_)));
        self.codec.session() == Some(Session::Named) && !self.has_joined() && !self.pending.iter().any(asks)
    }

    /// The clause that the server breaks by closing now. `None`: it may close, or the lines do not show why it closes.
    pub fn clause_of_close(&self) -> Option<&'static str> {
        let plain = self.codec.session() == Some(Session::Plain);
        match self.refused {
            Some(_) if plain => Some("4.4"),
            Some("1.3") if self.has_joined() => Some("1.3"),
            Some(_) if self.has_joined() => Some("3.9"),
            _ => None,
        }
    }

    /// Records that the client has closed its sending side.
    pub(crate) fn client_closed(&mut self) {
        self.is_half_closed = true;
    }

    /// Whether the client has sent `BYE`.
    pub(crate) fn has_left(&self) -> bool {
        self.has_joined() && matches!(self.ended, Some(("3.8" | "4.3", _)))
    }

    /// Whether the client has joined, as far as the lines of both sides show.
    fn has_joined(&self) -> bool {
        self.name.is_some() || self.codec.session() == Some(Session::Plain)
    }
}

#[cfg(test)]
mod tests;
