//! The embedder's rules: who may come in, and what may be said.

use chat_proto::{Name, Text};

use crate::PeerInfo;

/// Rules of the embedding program. Every method has a default that allows everything.
///
/// The methods are called in the task of the connection that they decide about; no lock of the server is held, so that
/// a slow decision slows that one client only. They must not block: for what takes longer than a moment, decide from
/// what is known and look the rest up elsewhere. A panic ends that one connection.
pub trait Policy: Send + Sync + 'static {
    /// Whether somebody may connect at all. Refused, it is sent `BYE` and closed (clause 2.6).
    fn connect(&self, peer: &PeerInfo) -> Connect {
        let _ = peer;
        Connect::Accept
    }

    /// Whether somebody may come in under this name; `None` is a plain session, which the server will name.
    fn admit(&self, peer: &PeerInfo, name: Option<Name>) -> Admission {
        let _ = (peer, name);
        Admission::Admit
    }

    /// Whether, and as what, a message is delivered.
    fn message(&self, peer: &PeerInfo, from: Name, text: Text) -> Verdict {
        let _ = (peer, from);
        Verdict::Deliver(text)
    }
}

/// What [`Policy::connect`] decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Connect {
    /// It may log in.
    Accept,
    /// It gets `BYE` and is closed.
    Refuse,
}

/// What [`Policy::admit`] decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// It may come in.
    Admit,
    /// Not under this name: `NAME FAILURE`, and it may try another (clause 3.3). A plain session has no other, and is
    /// closed.
    RefuseName,
    /// Not at all: it gets `BYE` and is closed.
    Close,
}

/// What [`Policy::message`] decides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Everybody else gets this text; the sender gets `OK`.
    Deliver(Text),
    /// It reaches nobody; the sender gets `BAD REQ` (clause 3.10).
    Refuse,
}

/// The rules of a server that has none of its own.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct AllowAll;

impl Policy for AllowAll {}
