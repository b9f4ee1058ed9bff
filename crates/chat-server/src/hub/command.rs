//! What can be asked of the hub. Whatever changes the order is one of these commands.

use std::sync::Arc;

use chat_proto::Text;
use chat_room::{ConnId, JoinAs, Request};
use tokio::sync::oneshot;

use super::{reply_queue::ReplyQueue, ring::Subscription, task::Task};
use crate::{
    member::{Identity, Member},
    reason::EndReason,
};

pub(super) enum Command {
    /// A connection joins.
    Join { identity: Arc<Identity>, join_as: JoinAs, reply: oneshot::Sender<Result<Joined, JoinError>> },
    /// A member says something: one message for each text.
    Say { conn: ConnId, texts: Vec<Text> },
    /// A member says something, and wants to know its number in the order.
    SayAndTell { conn: ConnId, text: Text, receipt: oneshot::Sender<Option<u64>> },
    /// A member asks something that concerns no other member.
    Ask { request: Request, replies: Arc<ReplyQueue> },
    /// A member leaves.
    Leave { conn: ConnId, reason: EndReason },
    /// Process the queued commands, accept no new ones, and end.
    Stop,
    /// The embedding program looks at the room or changes it.
    Visit(Visit),
}

/// A visit of the embedding program: what it does in the hub's task.
pub(super) type Visit = Box<dyn FnOnce(&mut Task) + Send>;

/// What a new member needs to follow the order without a gap. All of it is made when the `JOIN` is placed.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) member: Member,
    /// The number of the `JOIN` in the order.
    pub(crate) seq: u64,
    /// The number of the batch with the `JOIN`.
    pub(crate) batch: u64,
    /// Gets that batch and all later ones.
    pub(crate) ring: Subscription,
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
