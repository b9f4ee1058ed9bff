//! The embedding program's rules: who may join, and what may be said.

use chat_proto::{Name, Text};

use crate::PeerInfo;

/// Rules of the embedding program. By default, every method allows everything.
///
/// A method runs in the task of the connection that it decides about, without a lock of the server: a slow decision
/// delays that client only. It must not block: decide from what is in memory, and look up anything else in a task of
/// your own. A panic ends that connection only.
pub trait Policy: Send + Sync + 'static {
    /// Whether a peer may connect. A refused one gets `BYE` and is closed (clause 2.6).
    fn connect(&self, peer: &PeerInfo) -> Connect {
        let _ = peer;
        Connect::Accept
    }

    /// Whether a peer may join under this name. `None` means a plain session, which the server names.
    fn admit(&self, peer: &PeerInfo, name: Option<Name>) -> Admission {
        let _ = (peer, name);
        Admission::Admit
    }

    /// Whether a message is delivered, and with which text.
    fn message(&self, peer: &PeerInfo, from: Name, text: Text) -> Verdict {
        let _ = (peer, from);
        Verdict::Deliver(text)
    }
}

/// The decision of [`Policy::connect`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Connect {
    /// The peer may log in.
    Accept,
    /// The peer gets `BYE` and is closed.
    Refuse,
}

/// The decision of [`Policy::admit`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// The peer may join.
    Admit,
    /// The peer gets `NAME FAILURE` and may try another name (clause 3.3). A plain session cannot, and is closed.
    RefuseName,
    /// The peer gets `BYE` and is closed.
    Close,
}

/// The decision of [`Policy::message`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// All other members get this text; the sender gets `OK`.
    Deliver(Text),
    /// No member gets the message; the sender gets `BAD REQ` (clause 3.10).
    Refuse,
}

/// The default policy: everything is allowed.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct AllowAll;

impl Policy for AllowAll {}
