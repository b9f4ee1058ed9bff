//! The record of what one client sent and received.

use chat_proto::{Name, ServerMessage, Text};

/// A request of a member, which gets a reply. The first line of a plain client is already such a request.
///
/// ```
/// use chat_server::testkit::{Ask, Session, check};
///
/// let mut ann = Session::new("ann".parse()?);
/// ann.hears("NAME OK");
/// ann.hears("WELCOME");
/// for (request, reply) in [
///     (Ask::Ping, "PONG"),
///     (Ask::Clients, "LIST CLIENTS 1 ann"),
///     (Ask::Nonsense, "BAD REQ"),
///     (Ask::Bye, "BYE"),
/// ] {
///     ann.asks(request);
///     ann.hears(reply);
/// }
/// assert!(check(&[ann]).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Ask {
    /// A message: `OK`, or `BAD REQ` if the server's policy refuses it. No two messages of a run may have the same text.
    Say(Text),
    /// A line that the server must refuse: `BAD REQ`.
    Nonsense,
    /// `REQ CLIENTS`: the roster.
    Clients,
    /// `PING`: `PONG`.
    Ping,
    /// `BYE`: `BYE`, and the end.
    Bye,
}

/// The record of one session: the client's requests, and every line that it received.
///
/// Record a request *before* it is written: if it may have arrived, it counts as sent. The fate of a request without a
/// reply at the end of the session is unknown.
///
/// ```
/// use chat_server::testkit::{Ask, Session, check};
///
/// let mut ann = Session::new("ann".parse()?);
/// ann.asks(Ask::Say("hello".parse()?));
/// for line in ["NAME OK", "WELCOME", "JOIN bob", "OK", "BYE"] {
///     ann.hears(line);
/// }
/// let mut bob = Session::new("bob".parse()?);
/// for line in ["NAME OK", "WELCOME", "BYE"] {
///     bob.hears(line); // and never the message
/// }
/// let violations = check(&[ann, bob]).unwrap_err();
/// assert!(violations.to_string().contains("bob never got"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// `None`: the session is plain.
    pub(super) name: Option<Name>,
    pub(super) asked: Vec<Ask>,
    pub(super) heard: Vec<Heard>,
}

/// A message of the server, or a line that is none.
pub(super) type Heard = Result<ServerMessage, String>;

impl Session {
    /// An empty record of a named session.
    pub fn new(name: Name) -> Self {
        Self { name: Some(name), asked: Vec::new(), heard: Vec::new() }
    }

    /// An empty record of a plain session. The server does not tell a plain client its name. The witness receives the
    /// client's messages with the name.
    ///
    /// ```
    /// use chat_server::testkit::{Ask, Session, check};
    ///
    /// let mut ann = Session::new("ann".parse()?); // the witness
    /// for line in ["NAME OK", "WELCOME", "JOIN guest1", "FROM guest1 MSG hello", "LOGOUT guest1", "BYE"] {
    ///     ann.hears(line);
    /// }
    /// let mut guest = Session::plain();
    /// guest.asks(Ask::Say("hello".parse()?));
    /// guest.hears("OK");
    /// assert_eq!(check(&[ann, guest])?.accepted, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plain() -> Self {
        Self { name: None, asked: Vec::new(), heard: Vec::new() }
    }

    /// The name that the client asks for. `None`: the session is plain.
    pub fn name(&self) -> Option<Name> {
        self.name
    }

    /// Records a request.
    pub fn asks(&mut self, ask: Ask) {
        self.asked.push(ask);
    }

    /// Records a received line, without its terminator. An unterminated last line does not count as received (clause
    /// 1.7).
    pub fn hears(&mut self, line: &str) {
        self.heard.push(ServerMessage::parse(line.to_owned()).map_err(|_| line.to_owned()));
    }
}
