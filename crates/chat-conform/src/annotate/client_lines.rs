//! Lines of the client: each is a request, and most of them expect a reply.

use std::collections::VecDeque;

use chat_proto::{ClientMessage, ParseError, Session};
use tokio_util::codec::Decoder;

use super::{Annotator, Note, fine, pending_reply::PendingReply, wrong};

/// The most requests that wait for their replies. If there are more, replies are no longer matched with requests. This
/// bounds the memory if a server never replies.
pub(super) const MAX_PENDING_REPLIES: usize = 65_536;
/// The most notes about lines of the client that were not taken.
const MAX_NOTES: usize = 65_536;
impl Annotator {
    /// Takes bytes of the client, in any pieces. Each complete line gets a note, which [`Self::note_of`] returns. A
    /// line that is refused before its LF has arrived (clauses 1.3 and 2.4) gets its note at once.
    pub fn client_bytes(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
        while self.ended.is_none() {
            let first_line_end = self.received.iter().position(|&byte| byte == b'\n');
            let ends_in_crlf = first_line_end.map(|at| self.received[..at].ends_with(b"\r"));
            let note = match self.codec.decode(&mut self.received) {
                Ok(None) => break,
                Ok(Some(Ok(message))) => {
                    self.crlf = self.crlf.or(ends_in_crlf);
                    self.request(&message)
                }
                Ok(Some(Err(error))) => {
                    // A line that was refused before its end, or that is not text, is answered with CRLF (clause 1.2).
                    self.crlf = self.crlf.or(Some(error.line().is_none() || ends_in_crlf.unwrap_or(true)));
                    self.bad_line(&error)
                }
                Err(_) => {
                    self.ended = Some(("1.4", "dropped, because the connection is closed"));
                    wrong("1.4", "too many bytes without LF")
                }
            };
            self.push(note);
        }
        if self.ended.is_some() {
            self.received.clear();
        }
    }

    /// The note of the client's next line. `None`: no line is complete.
    fn next_note(&mut self) -> Option<Note> {
        self.notes.pop_front()
    }

    /// Annotates a line of the client, or a part of a line that is too long.
    pub fn client_line(&mut self, bytes: &[u8]) -> Note {
        self.client_bytes(bytes);
        self.note_of(bytes)
    }

    /// The note of these bytes, which [`Self::client_bytes`] has taken.
    pub fn note_of(&mut self, bytes: &[u8]) -> Note {
        let is_end = bytes.ends_with(b"\n");
        let note = if self.in_refused_line { None } else { self.next_note() };
        let in_refused_line = self.in_refused_line;
        self.in_refused_line = !is_end && (in_refused_line || note.is_some());
        match (note, self.ended) {
            (Some(note), _) => note,
            (None, Some((clause, what))) => fine(clause, what),
            (None, None) if in_refused_line => fine("1.3", "the rest of a line that is too long"),
            (None, None) => fine("1.7", "dropped, because it has no LF"),
        }
    }

    /// Whether the line that the client has begun is refused already, so that the reply may come before its LF.
    pub(crate) fn is_refused_early(&self) -> bool {
        self.in_refused_line || !self.notes.is_empty()
    }

    /// Forgets the notes. For a caller that needs none of the client's lines.
    pub(crate) fn forget_notes(&mut self) {
        self.notes.clear();
    }

    fn push(&mut self, note: Note) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push_back(note);
        }
    }

    /// Annotates a line of the client that cannot be parsed.
    fn bad_line(&mut self, error: &ParseError) -> Note {
        let clause = error.clause();
        // The reply to an invalid name is `NAME FAILURE`, not `BAD REQ`.
        let is_name_error = clause == "1.6" || clause == "2.7";
        let is_plain = self.codec.session() == Some(Session::Plain);
        let before_login = self.is_before_login();
        self.expect_reply(if is_name_error && !self.has_joined() {
            PendingReply::Login(None)
        } else if is_name_error {
            PendingReply::Refusal("3.9")
        } else if before_login {
            PendingReply::Refusal("3.4")
        } else {
            PendingReply::Refusal(if is_plain && clause == "3.9" { "4.4" } else { clause })
        });
        if before_login && !is_name_error {
            self.ended = Some(("3.4", "dropped, because a line before login is refused"));
        }
        if self.codec.session().is_none() {
            self.ended =
                Some((if clause == "3.1" { "3.1" } else { "2.4" }, "dropped, because the first line is refused"));
        }
        wrong(clause, error.fault().to_string())
    }

    /// Annotates a valid message of the client.
    fn request(&mut self, message: &ClientMessage) -> Note {
        let plain = self.codec.session() == Some(Session::Plain);
        match message {
            ClientMessage::Blank => self.unanswered = Some("4.2"),
            ClientMessage::Pong => self.unanswered = Some("3.7"),
            _ => {}
        }
        let is_name =
            matches!(message, ClientMessage::ConnectNew | ClientMessage::ConnectUser(_) | ClientMessage::Name(_));
        if self.is_before_login() && !is_name {
            self.expect_reply(PendingReply::Refusal("3.4"));
            self.ended = Some(("3.4", "dropped, because a line before login is refused"));
            return wrong("3.4", "not allowed before login");
        }
        let (reply, note) = match message {
            ClientMessage::ConnectNew => (PendingReply::Login(None), fine("3.1", "starts a named session")),
            ClientMessage::Name(_) if self.name.is_some() => {
                (PendingReply::Refusal("3.9"), wrong("3.9", "already has a name"))
            }
            ClientMessage::ConnectUser(name) | ClientMessage::Name(name) => {
                (PendingReply::Login(Some(*name)), fine("3.2", "asks for this name"))
            }
            ClientMessage::Msg(_) => (PendingReply::Ok, fine(if plain { "4.1" } else { "3.5" }, "a message")),
            ClientMessage::ReqClients => (PendingReply::Roster { received: 0 }, fine("3.6", "asks for the roster")),
            ClientMessage::Ping => (PendingReply::Pong, fine("3.7", "asks for PONG")),
            ClientMessage::Bye => {
                self.ended = Some((if plain { "4.3" } else { "3.8" }, "dropped, because it comes after BYE"));
                (PendingReply::Bye, fine(if plain { "4.3" } else { "3.8" }, "leaves"))
            }
            ClientMessage::Pong => return fine("7.4", "the reply to PING"),
            ClientMessage::Blank => return fine("4.2", "an empty line, ignored"),
            _ => return fine("3.9", "a request"),
        };
        self.expect_reply(reply);
        note
    }

    /// Adds a pending reply. Stops matching replies with requests if there are too many.
    fn expect_reply(&mut self, reply: PendingReply) {
        self.has_overflowed |= self.pending.len() >= MAX_PENDING_REPLIES;
        if self.has_overflowed {
            self.pending = VecDeque::new();
        } else {
            self.pending.push_back(reply);
        }
    }
}
