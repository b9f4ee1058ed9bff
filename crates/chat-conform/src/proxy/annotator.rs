//! Annotates the lines of one connection: what each line is, its clause, and whether it breaks the clause. Pure state,
//! no I/O.

use std::collections::VecDeque;

use bytes::BytesMut;
use chat_proto::{ClientMessage, MAX_LINE, Name, ParseError, ServerCodec, ServerMessage, Session};
use tokio_util::codec::Decoder;

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

/// A reply that the server still has to send.
#[derive(Debug)]
enum PendingReply {
    /// To a message.
    Ok,
    /// To `PING`.
    Pong,
    /// To `REQ CLIENTS`.
    Roster {
        /// How many names have arrived.
        received: usize,
    },
    /// To a request for a name. `None`: the name is invalid, or the client has not sent it yet.
    Login(Option<Name>),
    /// To `BYE`.
    Bye,
    /// To a line that broke this clause.
    Refusal(&'static str),
}

/// The most requests that wait for their replies. If there are more, replies are no longer matched with requests. This
/// bounds the memory if a server never replies.
const MAX_PENDING_REPLIES: usize = 65_536;

/// The state of one connection, as far as the lines show it.
#[derive(Debug, Default)]
pub struct Annotator {
    /// Decodes the client's lines as a server does.
    codec: ServerCodec,
    /// Whether the client's first line ended in CRLF. `None`: it has sent no line.
    crlf: Option<bool>,
    /// The oldest reply first.
    pending: VecDeque<PendingReply>,
    /// Whether more than [`MAX_PENDING_REPLIES`] were pending at some time.
    has_overflowed: bool,
    name: Option<Name>,
    /// Whether the client has sent `BYE`.
    has_left: bool,
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

    /// Annotates a line of the client.
    pub fn client_line(&mut self, bytes: &[u8]) -> Note {
        if self.has_left {
            return fine("3.8", "dropped, because it comes after BYE");
        }
        if !bytes.ends_with(b"\n") {
            return fine("1.7", "dropped, because it has no LF");
        }
        self.crlf.get_or_insert(bytes.ends_with(b"\r\n"));
        match self.codec.decode(&mut BytesMut::from(bytes)) {
            Ok(Some(Ok(message))) => self.request(&message),
            Ok(Some(Err(error))) => {
                // The reply to an invalid name is `NAME FAILURE`, not `BAD REQ`.
                let is_name_error = error.clause() == "1.6" || error.clause() == "2.7";
                self.expect_reply(if is_name_error {
                    PendingReply::Login(None)
                } else {
                    PendingReply::Refusal(error.clause())
                });
                wrong(error.clause(), error.fault().to_string())
            }
            Ok(None) | Err(_) => wrong("1.4", "too many bytes without LF"),
        }
    }

    /// Annotates a valid message of the client.
    fn request(&mut self, message: &ClientMessage) -> Note {
        let plain = self.codec.session() == Some(Session::Plain);
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
                self.has_left = true;
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

    /// Annotates a line of the server.
    pub fn server_line(&mut self, bytes: &[u8]) -> Note {
        if bytes.len() > MAX_LINE {
            return wrong("1.3", "more bytes than a line may have");
        }
        let (text, crlf) = match bytes.strip_suffix(b"\r\n") {
            Some(text) => (text, true),
            None => (bytes.strip_suffix(b"\n").unwrap_or(bytes), false),
        };
        if !bytes.ends_with(b"\n") {
            return wrong("6.5", "an incomplete line, without LF");
        }
        let Ok(text) = str::from_utf8(text) else { return wrong("1.3", "not UTF-8") };
        let note = match ServerMessage::parse(text.to_owned()) {
            Ok(message) => self.server_message(&message),
            Err(error) => malformed(&error),
        };
        match self.crlf {
            None if text != "BYE" => wrong("2.1", "the server speaks first"),
            Some(wanted) if wanted != crlf && !note.wrong => {
                wrong("1.2", "not the terminator of the client's first line")
            }
            _ => note,
        }
    }

    /// Whether the client has joined, as far as the lines of both sides show.
    fn has_joined(&self) -> bool {
        self.name.is_some() || self.codec.session() == Some(Session::Plain)
    }

    /// Annotates a message of the server: events here, replies in [`Self::reply`].
    fn server_message(&mut self, message: &ServerMessage) -> Note {
        let is_own = |name: &Name| self.name.as_ref().is_some_and(|own| own.key() == name.key());
        match message {
            ServerMessage::From { name, .. } if is_own(name) => wrong("5.1", "the sender receives its own message"),
            ServerMessage::Join(name) if is_own(name) => wrong("3.2", "the client receives its own JOIN"),
            ServerMessage::From { .. } => fine("5.1", "a message from another client"),
            ServerMessage::Join(_) => fine("3.2", "another client has joined"),
            ServerMessage::Logout(_) => fine("3.8", "another client has left"),
            ServerMessage::Notice(_) if !self.has_joined() => wrong("7.8", "a notice before login"),
            ServerMessage::Notice(_) => fine("7.8", "a notice of the operator"),
            ServerMessage::Ping if self.codec.session() == Some(Session::Plain) => {
                wrong("4.5", "a PING in a plain session")
            }
            ServerMessage::Ping => fine("6.1", "asks for PONG"),
            ServerMessage::Other(_) => wrong("7.1", "not a line of version 0.1"),
            ServerMessage::NameOk => fine("3.2", "the name is accepted"),
            ServerMessage::Bye if !matches!(self.pending.front(), Some(PendingReply::Bye)) => {
                fine("6.3", "the server ends the session")
            }
            reply => self.reply(reply),
        }
    }

    /// Annotates a reply. It must answer the oldest request (clause 5.3).
    fn reply(&mut self, reply: &ServerMessage) -> Note {
        if self.has_overflowed {
            return fine("5.3", "a reply, not checked, because too many requests were pending");
        }
        let Some(pending) = self.pending.pop_front() else {
            return wrong(crate::clauses::of_server_line(&reply.to_string()), "a reply without a request");
        };
        match (reply, pending) {
            (ServerMessage::Ok, PendingReply::Ok) => fine("5.1", "accepted"),
            (ServerMessage::BadReq, PendingReply::Ok) => fine("3.10", "refused"),
            (ServerMessage::BadReq, PendingReply::Refusal(clause)) => fine(clause, "refused"),
            (ServerMessage::BadProt, _) => fine("3.1", "the version or a plain session is refused"),
            (ServerMessage::Pong, PendingReply::Pong) => fine("3.7", "the reply to PING"),
            (ServerMessage::Bye, PendingReply::Bye) => fine("3.8", "the reply to BYE"),
            (ServerMessage::Welcome, PendingReply::Login(name)) => {
                self.name = name;
                fine("5.4", "the client has joined")
            }
            (ServerMessage::NameReq, PendingReply::Login(_)) => fine("3.1", "asks for a name"),
            (ServerMessage::NameFailure, PendingReply::Login(_)) => {
                self.pending.push_front(PendingReply::Login(None));
                fine("3.3", "the name is refused")
            }
            (ServerMessage::Clients { total, names }, PendingReply::Roster { received: before }) => {
                let so_far = before + names.len();
                if u64::try_from(so_far).is_ok_and(|so_far| so_far < u64::try_from(*total).unwrap_or(0)) {
                    self.pending.push_front(PendingReply::Roster { received: so_far });
                }
                fine("3.6", "the roster")
            }
            (_, PendingReply::Refusal(clause)) => wrong(clause, "the server must refuse the request"),
            (_, _) => wrong("5.3", "not the reply to the oldest request"),
        }
    }
}

fn malformed(error: &ParseError) -> Note {
    wrong(error.clause(), error.fault().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Annotates lines of the client (`>`) and of the server (`<`), and checks which clauses they break.
    #[track_caller]
    fn breaks(lines: &[&str], clauses: &[&str]) {
        let mut annotator = Annotator::default();
        let notes = lines.iter().map(|line| match line.strip_prefix("> ") {
            Some(line) => annotator.client_line(line.as_bytes()),
            None => annotator.server_line(&line.as_bytes()[2..]),
        });
        let broken: Vec<_> = notes.filter(|note| note.wrong).map(|note| note.clause).collect();
        assert_eq!(broken, clauses, "{lines:?}");
    }

    const LOGIN: [&str; 3] = ["> PROT 0.1 CONNECT USER bob\r\n", "< NAME OK\r\n", "< WELCOME\r\n"];

    #[track_caller]
    fn breaks_after_login(lines: &[&str], clauses: &[&str]) {
        breaks(&[&LOGIN, lines].concat(), clauses);
    }

    #[test]
    fn correct_sessions_break_no_clause() {
        let talk = [
            "> MSG a\r\n",
            "> PING\r\n",
            "< JOIN eve\r\n",
            "< OK\r\n",
            "< PONG\r\n",
            "< NOTICE hi\r\n",
            "< PING\r\n",
            "> PONG\r\n",
        ];
        breaks_after_login(&talk, &[]);
        let roster =
            ["> REQ CLIENTS\r\n", "< LIST CLIENTS 2 bob\r\n", "< LIST CLIENTS 2 eve\r\n", "> BYE\r\n", "< BYE\r\n"];
        breaks_after_login(&roster, &[]);
        breaks(&["> \n", "< NOTICE hi\n", "> hi\n", "< OK\n", "> BYE\n", "< BYE\n"], &[]);
        let refused =
            ["> PROT 0.1 CONNECT NEW\r\n", "< NAME REQ\r\n", "> NAME bob\r\n", "< NAME FAILURE\r\n", "< NAME REQ\r\n"];
        breaks(&[&refused[..], &["> NAME rob\r\n", "< NAME OK\r\n", "< WELCOME\r\n"]].concat(), &[]);
    }

    #[test]
    fn wrong_lines_break_their_clause() {
        breaks(&["< HELLO\r\n"], &["2.1"]);
        breaks(&["> hi\n", "< OK\r\n"], &["1.2"]);
        breaks(&["> hi\r\n", "< OK\r\n", "< PING\r\n", "< OK\r\n"], &["4.5", "5.1"]);
        breaks_after_login(&["> MSG a\r\n", "> PING\r\n", "< PONG\r\n"], &["5.3"]);
        breaks_after_login(&["> MSG a\r\n", "< OK\r\n", "< FROM BOB MSG a\r\n"], &["5.1"]);
        breaks(&["> PROT 0.1 CONNECT NEW\r\n", "< NOTICE hi\r\n", "< NAME REQ\r\n"], &["7.8"]);
        breaks_after_login(&["< NOTICE\r\n"], &["1.5"]);
        breaks_after_login(&["> say a\r\n", "< OK\r\n"], &["3.9", "3.9"]);
        breaks_after_login(&["< FROM eve MSG \u{1b}\r\n", "< GREETINGS\r\n"], &["1.5", "7.1"]);
    }

    #[test]
    fn pending_replies_are_bounded_and_later_replies_not_checked() {
        let mut annotator = Annotator::default();
        for _ in 0..2 * MAX_PENDING_REPLIES {
            annotator.client_line(b"hi\n");
            assert!(annotator.pending.len() <= MAX_PENDING_REPLIES);
        }
        assert!(!annotator.server_line(b"BAD REQ\n").wrong && annotator.pending.capacity() == 0);
    }
}
