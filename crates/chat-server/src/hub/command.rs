//! What can be asked of the hub. Whatever changes the order is one of these commands.

use std::sync::Arc;

use chat_proto::{Name, Text};
use chat_room::{Batch, ConnId, JoinAs, Request};
use tokio::sync::{broadcast, oneshot};

use super::reply_queue::ReplyQueue;
use crate::reason::EndReason;

#[derive(Debug)]
pub(super) enum Command {
    /// A connection joins.
    Join { conn: ConnId, join_as: JoinAs, reply: oneshot::Sender<Result<Joined, JoinError>> },
    /// A member says something: one message for each text.
    Say { conn: ConnId, texts: Vec<Text> },
    /// A member says something, and wants to know its number in the order.
    SayAndTell { conn: ConnId, text: Text, receipt: oneshot::Sender<u64> },
    /// A member asks something that concerns no other member.
    Ask { request: Request, replies: Arc<ReplyQueue> },
    /// A member leaves.
    Leave { conn: ConnId, reason: EndReason },
    /// Process the queued commands, accept no new ones, and end.
    Stop,
    /// Panic, for a test.
    #[cfg(test)]
    Panic,
}

/// What a new member needs to follow the order without a gap. All of it is made when the `JOIN` is placed.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) name: Name,
    /// The number of the `JOIN` in the order.
    pub(crate) seq: u64,
    /// The number of the batch with the `JOIN`.
    pub(crate) batch: u64,
    /// Gets that batch and all later ones.
    pub(crate) ring: broadcast::Receiver<Arc<Batch>>,
    pub(crate) replies: Arc<ReplyQueue>,
}

/// Why a connection cannot join.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum JoinError {
    /// Another member has the name.
    NameTaken,
    /// The server stops.
    Stopped,
}
