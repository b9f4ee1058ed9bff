//! What can be asked of the hub. The enum is closed: whatever changes the order goes through here.

use std::sync::Arc;

use chat_proto::{Name, Text};
use tokio::sync::{broadcast, oneshot};

use super::{batch::Batch, outbox::Outbox, state::Wanted};
use crate::{peer::ConnId, reason::EndReason};

#[derive(Debug)]
pub(super) enum Command {
    /// Somebody wants to come in. Gone before the answer, it leaves again.
    Join { conn: ConnId, wanted: Wanted, reply: oneshot::Sender<Result<Joined, JoinError>> },
    /// A member says something, line by line.
    Say { conn: ConnId, texts: Vec<Text> },
    /// A member says something, and wants to know its place in the order.
    SayAndTell { conn: ConnId, text: Text, receipt: oneshot::Sender<u64> },
    /// A member asks something that concerns nobody else.
    Ask { request: Request, outbox: Arc<Outbox> },
    /// A member leaves.
    Leave { conn: ConnId, reason: EndReason },
    /// Nothing that is not waiting already is taken any more.
    Stop,
    /// The hub's own fault.
    #[cfg(test)]
    Panic,
}

/// What a member asks for itself; the answer stands where it was asked in the order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Request {
    /// `PING`.
    Ping,
    /// `REQ CLIENTS`.
    Clients,
    /// Nothing that can be granted: `BAD REQ`.
    Refuse,
}

/// What a new member needs to follow the order without a gap: all of it is made while the `JOIN` is placed.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) name: Name,
    /// The number of the `JOIN`.
    pub(crate) seq: u64,
    /// The number of the batch with the `JOIN`.
    pub(crate) batch: u64,
    /// Gets that batch, and all after it.
    pub(crate) ring: broadcast::Receiver<Arc<Batch>>,
    pub(crate) outbox: Arc<Outbox>,
}

/// Why somebody cannot come in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum JoinError {
    /// Somebody else has the name.
    Taken,
    /// The server stops.
    Stopped,
}
