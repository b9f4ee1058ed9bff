//! Lines of the server: events, and replies that must fit the oldest request.

use chat_proto::{MAX_LINE, Name, ParseError, ServerMessage, Session};

use super::{
    Annotator, Note, fine,
    pending_reply::{PendingReply, fits},
    presence::joins,
    wrong,
};

impl Annotator {
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

    /// The clause that says that a line without LF gets no reply.
    fn clause_of_unfinished(&self) -> &'static str {
        if self.is_half_closed { "1.7" } else { "7.5" }
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
