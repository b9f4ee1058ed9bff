//! What one client did and saw, recorded in its own order.

use chat_proto::{Name, ServerMessage, Text};

/// Something that a client sent once it was in (a plain one: from its first line on), and that is owed a reply.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Ask {
    /// A message: `OK`, or `BAD REQ` if the server's policy refuses it. No two messages of a run may have the same text.
    Say(Text),
    /// A line that nobody may accept: `BAD REQ`.
    Nonsense,
    /// `REQ CLIENTS`: the roster.
    Clients,
    /// `PING`: `PONG`.
    Ping,
    /// `BYE`: `BYE`, and the end.
    Bye,
}

/// The record of one session: what the client asked, and every line that it heard.
///
/// Record a request *before* it is written: what may have arrived counts as sent. Requests whose reply has not come when the
/// session ends are of unknown fate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// `None`: plain.
    pub(super) name: Option<Name>,
    pub(super) asked: Vec<Ask>,
    pub(super) heard: Vec<Heard>,
}

/// A line, or what stands in its place.
pub(super) type Heard = Result<ServerMessage, String>;

impl Session {
    /// A named session under this name, of which nothing is known yet.
    pub fn new(name: Name) -> Self {
        Self { name: Some(name), asked: Vec::new(), heard: Vec::new() }
    }

    /// A plain session, of which nothing is known yet. It is never told which guest it is: others are, by its messages.
    pub fn plain() -> Self {
        Self { name: None, asked: Vec::new(), heard: Vec::new() }
    }

    /// The name that it asks for; a plain session asks for none.
    pub fn name(&self) -> Option<Name> {
        self.name
    }

    /// It asks this.
    pub fn asks(&mut self, ask: Ask) {
        self.asked.push(ask);
    }

    /// It hears this line, given without its terminator. An unterminated last line was never heard (clause 1.7).
    pub fn hears(&mut self, line: &str) {
        self.heard.push(ServerMessage::parse(line.to_owned()).map_err(|_| line.to_owned()));
    }
}
