//! What a line is, and whether it is in its place: both sides of one connection, as pure state.

use std::collections::VecDeque;

use bytes::BytesMut;
use chat_proto::{ClientMessage, MAX_LINE, Name, ParseError, ServerCodec, ServerMessage, Session};
use tokio_util::codec::Decoder;

/// What is to be said of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Note {
    /// The clause that it follows, or breaks.
    pub clause: &'static str,
    /// What it is, or what is wrong with it.
    pub what: String,
    /// Whether it breaks the clause.
    pub wrong: bool,
}

fn fine(clause: &'static str, what: &str) -> Note {
    Note { clause, what: what.to_owned(), wrong: false }
}

fn wrong(clause: &'static str, what: impl Into<String>) -> Note {
    Note { clause, what: what.into(), wrong: true }
}

/// What the server owes an answer to.
#[derive(Debug)]
enum Owed {
    Ok,
    Pong,
    Roster {
        names: usize,
    },
    Login(Option<Name>),
    Bye,
    /// The line broke this clause.
    Refusal(&'static str),
}

/// So many requests may wait for their answer. Behind them, answers are no longer matched with requests: a server that never
/// answers must not fill the memory.
const MOST_OWED: usize = 65_536;

/// What is known of one connection.
#[derive(Debug, Default)]
pub struct Notes {
    codec: ServerCodec,
    crlf: Option<bool>,
    owed: VecDeque<Owed>,
    /// Whether there were more than [`MOST_OWED`].
    lost_count: bool,
    name: Option<Name>,
    left: bool,
}

impl Notes {
    /// The client's name, once the server has agreed to it.
    pub fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// Whether lines to this client are to end in CRLF (clause 1.2).
    pub fn wants_crlf(&self) -> bool {
        self.crlf.unwrap_or(true)
    }

    /// A line of the client.
    pub fn client(&mut self, bytes: &[u8]) -> Note {
        if self.left {
            return fine("3.8", "dropped: it comes after BYE");
        }
        if !bytes.ends_with(b"\n") {
            return fine("1.7", "without LF: nobody's");
        }
        self.crlf.get_or_insert(bytes.ends_with(b"\r\n"));
        match self.codec.decode(&mut BytesMut::from(bytes)) {
            Ok(Some(Ok(message))) => self.request(&message),
            Ok(Some(Err(error))) => {
                // A name that cannot be had is answered otherwise.
                let is_name = error.clause() == "1.6" || error.clause() == "2.7";
                self.owes(if is_name { Owed::Login(None) } else { Owed::Refusal(error.clause()) });
                wrong(error.clause(), error.fault().to_string())
            }
            Ok(None) | Err(_) => wrong("1.4", "bytes without end"),
        }
    }

    fn request(&mut self, message: &ClientMessage) -> Note {
        let plain = self.codec.session() == Some(Session::Plain);
        let (owed, note) = match message {
            ClientMessage::ConnectNew => (Owed::Login(None), fine("3.1", "asks to be asked for a name")),
            ClientMessage::Name(_) if self.name.is_some() => (Owed::Refusal("3.9"), wrong("3.9", "has a name already")),
            ClientMessage::ConnectUser(name) | ClientMessage::Name(name) => {
                (Owed::Login(Some(*name)), fine("3.2", "asks for a name"))
            }
            ClientMessage::Msg(_) => (Owed::Ok, fine(if plain { "4.1" } else { "3.5" }, "a message")),
            ClientMessage::ReqClients => (Owed::Roster { names: 0 }, fine("3.6", "asks who is here")),
            ClientMessage::Ping => (Owed::Pong, fine("3.7", "asks whether the server is there")),
            ClientMessage::Bye => {
                self.left = true;
                (Owed::Bye, fine(if plain { "4.3" } else { "3.8" }, "leaves"))
            }
            ClientMessage::Pong => return fine("7.4", "is there"),
            ClientMessage::Blank => return fine("4.2", "nothing"),
            _ => return fine("3.9", "a request"),
        };
        self.owes(owed);
        note
    }

    fn owes(&mut self, owed: Owed) {
        self.lost_count |= self.owed.len() >= MOST_OWED;
        if self.lost_count {
            self.owed = VecDeque::new();
        } else {
            self.owed.push_back(owed);
        }
    }

    /// A line of the server.
    pub fn server(&mut self, bytes: &[u8]) -> Note {
        if bytes.len() > MAX_LINE {
            return wrong("1.3", "more bytes than a line may have");
        }
        let (text, crlf) = match bytes.strip_suffix(b"\r\n") {
            Some(text) => (text, true),
            None => (bytes.strip_suffix(b"\n").unwrap_or(bytes), false),
        };
        if !bytes.ends_with(b"\n") {
            return wrong("6.5", "cut short: a line without LF");
        }
        let Ok(text) = str::from_utf8(text) else { return wrong("1.3", "not UTF-8") };
        let note = match ServerMessage::parse(text.to_owned()) {
            Ok(message) => self.reply(&message),
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

    /// As far as the lines of both sides tell.
    fn has_joined(&self) -> bool {
        self.name.is_some() || self.codec.session() == Some(Session::Plain)
    }

    fn reply(&mut self, message: &ServerMessage) -> Note {
        let own = |name: &Name| self.name.as_ref().is_some_and(|own| own.key() == name.key());
        match message {
            ServerMessage::From { name, .. } if own(name) => wrong("5.1", "the sender gets its own message"),
            ServerMessage::Join(name) if own(name) => wrong("3.2", "the newcomer gets its own JOIN"),
            ServerMessage::From { .. } => fine("5.1", "another's message"),
            ServerMessage::Join(_) => fine("3.2", "another has joined"),
            ServerMessage::Logout(_) => fine("3.8", "another has left"),
            ServerMessage::Notice(_) if !self.has_joined() => wrong("7.8", "a notice before login"),
            ServerMessage::Notice(_) => fine("7.8", "a word to everybody"),
            ServerMessage::Ping if self.codec.session() == Some(Session::Plain) => {
                wrong("4.5", "a plain client is not pinged")
            }
            ServerMessage::Ping => fine("6.1", "asks whether the client is there"),
            ServerMessage::Other(_) => wrong("7.1", "no line of version 0.1"),
            ServerMessage::NameOk => fine("3.2", "the name is given"),
            ServerMessage::Bye if !matches!(self.owed.front(), Some(Owed::Bye)) => fine("6.3", "the server ends it"),
            reply => self.answer(reply),
        }
    }

    /// An answer belongs to the oldest request (clause 5.3).
    fn answer(&mut self, reply: &ServerMessage) -> Note {
        if self.lost_count {
            return fine("5.3", "an answer, after too many requests without one to say to which");
        }
        let Some(owed) = self.owed.pop_front() else {
            return wrong(crate::clauses::of_server_line(&reply.to_string()), "nobody waits for it");
        };
        match (reply, owed) {
            (ServerMessage::Ok, Owed::Ok) => fine("5.1", "accepted"),
            (ServerMessage::BadReq, Owed::Ok) => fine("3.10", "refused"),
            (ServerMessage::BadReq, Owed::Refusal(clause)) => fine(clause, "refused"),
            (ServerMessage::BadProt, _) => fine("3.1", "the version or a plain session is refused"),
            (ServerMessage::Pong, Owed::Pong) => fine("3.7", "is there"),
            (ServerMessage::Bye, Owed::Bye) => fine("3.8", "goodbye"),
            (ServerMessage::Welcome, Owed::Login(name)) => {
                self.name = name;
                fine("5.4", "has joined")
            }
            (ServerMessage::NameReq, Owed::Login(_)) => fine("3.1", "asks for a name"),
            (ServerMessage::NameFailure, Owed::Login(_)) => {
                self.owed.push_front(Owed::Login(None));
                fine("3.3", "the name cannot be had")
            }
            (ServerMessage::Clients { total, names }, Owed::Roster { names: before }) => {
                let so_far = before + names.len();
                if u64::try_from(so_far).is_ok_and(|so_far| so_far < u64::try_from(*total).unwrap_or(0)) {
                    self.owed.push_front(Owed::Roster { names: so_far });
                }
                fine("3.6", "who is here")
            }
            (_, Owed::Refusal(clause)) => wrong(clause, "the request was to be refused"),
            (_, _) => wrong("5.3", "not the answer to the oldest request"),
        }
    }
}

fn malformed(error: &ParseError) -> Note {
    wrong(error.clause(), error.fault().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines with `>` and `<`, and the clauses that are broken by them.
    #[track_caller]
    fn broken(lines: &[&str], clauses: &[&str]) {
        let mut notes = Notes::default();
        let told = lines.iter().map(|line| match line.strip_prefix("> ") {
            Some(line) => notes.client(line.as_bytes()),
            None => notes.server(&line.as_bytes()[2..]),
        });
        let told: Vec<_> = told.filter(|note| note.wrong).map(|note| note.clause).collect();
        assert_eq!(told, clauses, "{lines:?}");
    }

    const LOGIN: [&str; 3] = ["> PROT 0.1 CONNECT USER bob\r\n", "< NAME OK\r\n", "< WELCOME\r\n"];

    #[track_caller]
    fn broken_after_login(lines: &[&str], clauses: &[&str]) {
        broken(&[&LOGIN, lines].concat(), clauses);
    }

    #[test]
    fn what_is_as_it_should_be() {
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
        broken_after_login(&talk, &[]);
        let roster =
            ["> REQ CLIENTS\r\n", "< LIST CLIENTS 2 bob\r\n", "< LIST CLIENTS 2 eve\r\n", "> BYE\r\n", "< BYE\r\n"];
        broken_after_login(&roster, &[]);
        broken(&["> \n", "< NOTICE hi\n", "> hi\n", "< OK\n", "> BYE\n", "< BYE\n"], &[]);
        let refused =
            ["> PROT 0.1 CONNECT NEW\r\n", "< NAME REQ\r\n", "> NAME bob\r\n", "< NAME FAILURE\r\n", "< NAME REQ\r\n"];
        broken(&[&refused[..], &["> NAME rob\r\n", "< NAME OK\r\n", "< WELCOME\r\n"]].concat(), &[]);
    }

    #[test]
    fn what_is_not() {
        broken(&["< HELLO\r\n"], &["2.1"]);
        broken(&["> hi\n", "< OK\r\n"], &["1.2"]);
        broken(&["> hi\r\n", "< OK\r\n", "< PING\r\n", "< OK\r\n"], &["4.5", "5.1"]);
        broken_after_login(&["> MSG a\r\n", "> PING\r\n", "< PONG\r\n"], &["5.3"]);
        broken_after_login(&["> MSG a\r\n", "< OK\r\n", "< FROM BOB MSG a\r\n"], &["5.1"]);
        broken(&["> PROT 0.1 CONNECT NEW\r\n", "< NOTICE hi\r\n", "< NAME REQ\r\n"], &["7.8"]);
        broken_after_login(&["< NOTICE\r\n"], &["1.5"]);
        broken_after_login(&["> say a\r\n", "< OK\r\n"], &["3.9", "3.9"]);
        broken_after_login(&["< FROM eve MSG \u{1b}\r\n", "< GREETINGS\r\n"], &["1.5", "7.1"]);
    }

    #[test]
    fn a_server_that_never_answers_fills_no_memory_and_is_not_accused_later() {
        let mut notes = Notes::default();
        for _ in 0..2 * MOST_OWED {
            notes.client(b"hi\n");
            assert!(notes.owed.len() <= MOST_OWED);
        }
        assert!(!notes.server(b"BAD REQ\n").wrong && notes.owed.capacity() == 0);
    }
}
