//! Annotates the lines of one connection: what each line is, its clause, and whether it breaks the clause. Pure state,
//! no I/O. The proxy prints the notes, and the judge of servers finds in them which clause a wrong line breaks.

mod presence;

use std::collections::VecDeque;

use bytes::BytesMut;
use chat_proto::{ClientMessage, MAX_LINE, Name, ParseError, ServerCodec, ServerMessage, Session};
use tokio_util::codec::Decoder;

use self::presence::{Presence, joins};

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
/// The most notes about lines of the client that were not taken.
const MAX_NOTES: usize = 65_536;

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
            Ok(message) => {
                let contradiction = self.presence.record(&message);
                let note = self.server_message(&message);
                contradiction.filter(|_| !note.wrong).unwrap_or(note)
            }
            Err(error) => malformed(text, &error),
        };
        match self.crlf {
            None if !self.received.is_empty() => wrong(self.clause_of_unfinished(), "a reply to a line without LF"),
            None if text != "BYE" => wrong("2.1", "the server speaks first"),
            Some(wanted) if wanted != crlf && !note.wrong => {
                wrong("1.2", "not the terminator of the client's first line")
            }
            _ => note,
        }
    }

    /// Records that the client has closed its sending side.
    pub(crate) fn client_closed(&mut self) {
        self.is_half_closed = true;
    }

    /// The clause that says that a line without LF gets no reply.
    fn clause_of_unfinished(&self) -> &'static str {
        if self.is_half_closed { "1.7" } else { "7.5" }
    }

    /// Whether the client has sent `BYE`.
    pub(crate) fn has_left(&self) -> bool {
        self.has_joined() && matches!(self.ended, Some(("3.8" | "4.3", _)))
    }

    /// Whether the client has joined, as far as the lines of both sides show.
    fn has_joined(&self) -> bool {
        self.name.is_some() || self.codec.session() == Some(Session::Plain)
    }

    /// Annotates a message of the server: events here, replies in [`Self::reply`].
    fn server_message(&mut self, message: &ServerMessage) -> Note {
        let is_own = |name: &Name| self.name.as_ref().is_some_and(|own| own.key() == name.key());
        match message {
            ServerMessage::From { .. } | ServerMessage::Join(_) | ServerMessage::Logout(_) if !self.has_joined() => {
                wrong("5.4", "the client has not joined yet")
            }
            ServerMessage::From { name, .. } if is_own(name) => wrong("5.1", "the sender receives its own message"),
            ServerMessage::Join(name) if is_own(name) => wrong("3.2", "the client receives its own JOIN"),
            ServerMessage::Logout(name) if is_own(name) => wrong("3.8", "the client receives its own LOGOUT"),
            ServerMessage::From { .. } => fine("5.1", "a message from another client"),
            ServerMessage::Join(name) => fine(joins(name), "another client has joined"),
            ServerMessage::Logout(_) => fine("3.8", "another client has left"),
            ServerMessage::Notice(_) if !self.has_joined() => wrong("7.8", "a notice before login"),
            ServerMessage::Notice(_) => fine("7.8", "a notice of the operator"),
            ServerMessage::Ping if self.codec.session() == Some(Session::Plain) => {
                wrong("4.5", "a PING in a plain session")
            }
            ServerMessage::Ping => fine("6.1", "asks for PONG"),
            ServerMessage::Other(line) if line.starts_with('@') => wrong("9.2", "tags are reserved for version 1.0"),
            ServerMessage::Other(_) => wrong(self.pending_clause().unwrap_or("7.1"), "not a line of version 0.1"),
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
        let plain = self.codec.session() == Some(Session::Plain);
        let joined = self.has_joined();
        let is_repeated =
            self.last_reply.as_ref() == Some(reply) && !self.pending.iter().any(|other| fits(reply, other));
        self.last_reply = Some(reply.clone());
        let is_asked = self.pending.iter().any(|pending| fits(reply, pending));
        let answers_pong = *reply == ServerMessage::Pong && self.unanswered == Some("3.7") && !is_asked;
        if is_repeated || self.pending.is_empty() || answers_pong {
            return wrong(self.unasked_clause(reply, plain), "a reply without a request");
        }
        let pending = self.pending.pop_front().expect("there is one");
        (self.refused, self.unanswered) = (None, None);
        match (reply, pending) {
            (ServerMessage::Ok, PendingReply::Ok) => fine("5.1", "accepted"),
            (ServerMessage::BadReq, PendingReply::Ok) if joined => fine("3.10", "refused"),
            (ServerMessage::BadReq, PendingReply::Refusal(clause)) => {
                self.refused = Some(clause);
                fine(clause, "refused")
            }
            // A name was refused, so that what the client sent behind it comes before login.
            (ServerMessage::BadReq, _) if !joined => fine("3.4", "refused before login"),
            (ServerMessage::BadProt, _) => fine("3.1", "the version or a plain session is refused"),
            (ServerMessage::Pong, PendingReply::Pong) => fine("3.7", "the reply to PING"),
            (ServerMessage::Bye, PendingReply::Bye) => fine(if plain { "4.3" } else { "3.8" }, "the reply to BYE"),
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
                if so_far < *total {
                    self.pending.push_front(PendingReply::Roster { received: so_far });
                }
                fine("3.6", "the roster")
            }
            (reply, _) if self.pending.iter().any(|other| fits(reply, other)) => {
                wrong("5.3", "not the reply to the oldest request")
            }
            (_, PendingReply::Refusal(clause)) => wrong(clause, "the server must refuse the request"),
            (_, pending) => wrong(pending.clause(plain), "not the reply to the request"),
        }
    }

    /// The clause that says that nobody gets this reply without a request.
    fn unasked_clause(&self, reply: &ServerMessage, plain: bool) -> &'static str {
        match (reply, self.ended, self.refused) {
            (_, Some((clause, _)), _) if self.pending.is_empty() => clause,
            _ if !self.received.is_empty() => self.clause_of_unfinished(),
            (ServerMessage::BadReq, _, Some(clause)) => clause,
            (ServerMessage::Welcome | ServerMessage::NameReq | ServerMessage::NameFailure, ..) if plain => "4.5",
            _ => self.unanswered.unwrap_or_else(|| crate::clauses::of_server_line(&reply.to_string())),
        }
    }
}

impl PendingReply {
    /// The clause that requires the reply.
    fn clause(&self, plain: bool) -> &'static str {
        match self {
            Self::Ok if plain => "4.1",
            Self::Ok => "5.1",
            Self::Pong => "3.7",
            Self::Roster { .. } => "3.6",
            Self::Login(None) => "3.1",
            Self::Login(Some(_)) => "3.2",
            Self::Bye if plain => "4.3",
            Self::Bye => "3.8",
            Self::Refusal(clause) => clause,
        }
    }
}

/// Whether the reply is one to this kind of request.
fn fits(reply: &ServerMessage, pending: &PendingReply) -> bool {
    match reply {
        ServerMessage::Ok => matches!(pending, PendingReply::Ok),
        ServerMessage::BadReq => matches!(pending, PendingReply::Refusal(_)),
        ServerMessage::Pong => matches!(pending, PendingReply::Pong),
        ServerMessage::Bye => matches!(pending, PendingReply::Bye),
        ServerMessage::Clients { .. } => matches!(pending, PendingReply::Roster { .. }),
        ServerMessage::Welcome | ServerMessage::NameReq | ServerMessage::NameFailure => {
            matches!(pending, PendingReply::Login(_))
        }
        _ => false,
    }
}

fn malformed(text: &str, error: &ParseError) -> Note {
    let mut words = text.split(' ');
    let (verb, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_guest = name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("guest"));
    let clause = match (verb, error.clause()) {
        ("LIST", _) => "3.6",
        (_, "1.6") if is_guest => "2.3",
        (_, clause) => clause,
    };
    wrong(clause, error.fault().to_string())
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
    fn the_line_after_a_refused_one_is_not_blamed() {
        let long = format!("> {}\r\n", "x".repeat(9_000));
        breaks_after_login(&[&long, "< BAD REQ\r\n", "> MSG a\r\n", "< OK\r\n"], &["1.3"]);
        let http = ["> GET / HTTP/1.1\r\n", "> Host: example.org\r\n", "< BAD REQ\r\n"];
        breaks(&http, &["2.4"]);
        breaks(&["> \x16\x03\x01", "< BAD REQ\r\n"], &["2.4"]);
        breaks(&["> PROT 0.1 CONNECT NEW\r\n", "< NAME REQ\r\n", "> PING\r\n", "< BAD REQ\r\n"], &["3.4"]);
    }

    #[test]
    fn a_reply_may_come_before_the_end_of_its_line() {
        let mut annotator = Annotator::default();
        annotator.client_line(b"hi\r\n");
        annotator.server_line(b"OK\r\n");
        annotator.client_bytes(&[b'x'; 8_192]);
        assert!(annotator.is_refused_early() && annotator.note_of(&[b'x'; 8_192]).wrong);
        assert!(!annotator.server_line(b"BAD REQ\r\n").wrong);
        annotator.client_bytes(b"xx\r\nhi\r\n");
        assert!(!annotator.note_of(b"xx\r\n").wrong);
        assert_eq!(annotator.note_of(b"hi\r\n").what, "a message");
        assert!(!annotator.server_line(b"OK\r\n").wrong);
    }

    #[test]
    fn a_second_logout_is_found() {
        breaks_after_login(&["< JOIN eve\r\n", "< LOGOUT eve\r\n", "< LOGOUT eve\r\n"], &["6.4"]);
        breaks_after_login(&["< LOGOUT eve\r\n", "< JOIN eve\r\n", "< JOIN EVE\r\n"], &["3.2"]);
        breaks_after_login(&["< LOGOUT eve\r\n", "< FROM eve MSG a\r\n"], &["5.2"]);
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
