//! Requests that only the asking member sees answered. Each reply has a position in the total order (clause 5.3).

use std::sync::Arc;

use chat_proto::{ServerMessage, Terminator, Text};

use crate::{batch::Position, listing::Listing, pieces::Pieces};

/// A request whose reply goes to one member. [`Room::reply`](crate::Room::reply) answers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Request {
    /// `PING`. The reply is `PONG` (clause 3.7).
    Ping,
    /// `REQ CLIENTS`. The reply is the roster (clause 3.6).
    Clients,
    /// An invalid line. The reply is `BAD REQ` (clause 3.9).
    Refuse,
    /// A message that is discarded. The reply is `OK`, as if the message had been delivered.
    Swallow,
}

impl Request {
    /// The share of a reply queue that the reply takes. A roster takes the whole queue: it holds memory that later rosters
    /// may not share, so at most one may wait per member.
    pub const fn cost(self) -> u32 {
        match self {
            Self::Ping | Self::Refuse | Self::Swallow => 1,
            Self::Clients => Self::MAX_PENDING_COST,
        }
    }

    /// Maximum total cost of the replies that wait for one member.
    pub const MAX_PENDING_COST: u32 = 64;
}

/// Lines for one member, and their position in the total order.
#[derive(Clone, Debug)]
pub struct Reply {
    position: Position,
    cost: u32,
    lines: Lines,
}

#[derive(Clone, Debug)]
enum Lines {
    One(ServerMessage),
    Roster(Arc<Listing>),
}

impl Reply {
    /// The reply to a request. Calls `roster` only for [`Request::Clients`].
    pub(crate) fn new(request: Request, position: Position, roster: impl FnOnce() -> Arc<Listing>) -> Self {
        let lines = match request {
            Request::Ping => Lines::One(ServerMessage::Pong),
            Request::Clients => Lines::Roster(roster()),
            Request::Refuse => Lines::One(ServerMessage::BadReq),
            Request::Swallow => Lines::One(ServerMessage::Ok),
        };
        Self { position, cost: request.cost(), lines }
    }

    /// A `PING` from the server (clause 6.1). It has no cost, because no client requested it.
    pub fn ping(position: Position) -> Self {
        Self { position, cost: 0, lines: Lines::One(ServerMessage::Ping) }
    }

    /// A notice to this member alone (clause 7.8). Its cost is [`Reply::NOTICE_COST`].
    pub fn notice(position: Position, text: Text) -> Self {
        Self { position, cost: Self::NOTICE_COST, lines: Lines::One(ServerMessage::Notice(text)) }
    }

    /// The share of a reply queue that a notice takes.
    pub const NOTICE_COST: u32 = 1;

    /// The position of the reply: it follows everything before this position.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The share of a reply queue that the reply takes: see [`Request::cost`].
    pub fn cost(&self) -> u32 {
        self.cost
    }

    /// Appends the lines. [`Pieces::close`] makes them readable.
    pub fn write(&self, terminator: Terminator, out: &mut Pieces) {
        match &self.lines {
            Lines::One(message) => out.push(message, terminator),
            Lines::Roster(listing) => out.push_listing(listing.with_terminator(terminator)),
        }
    }
}
