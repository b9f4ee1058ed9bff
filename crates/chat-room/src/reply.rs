//! Requests that concern one member alone, and their replies: each has a position in the total order (clause 5.3).

use std::sync::Arc;

use chat_proto::{ServerMessage, Terminator, Text};

use crate::{batch::Position, listing::Listing, pieces::Pieces};

/// What a member asks for itself. [`Room::reply`](crate::Room::reply) answers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Request {
    /// `PING`, answered `PONG` (clause 3.7).
    Ping,
    /// `REQ CLIENTS`, answered with the roster (clause 3.6).
    Clients,
    /// A line that is refused: `BAD REQ` (clause 3.9).
    Refuse,
    /// A message that no member gets: `OK`, as if it were delivered.
    Swallow,
}

impl Request {
    /// How much of a reply queue the reply takes. A roster keeps memory alive that later rosters do not share, so it
    /// costs as much as [`Request::MAX_PENDING_COST`]: one waits at a time.
    pub const fn cost(self) -> u32 {
        match self {
            Self::Ping | Self::Refuse | Self::Swallow => 1,
            Self::Clients => Self::MAX_PENDING_COST,
        }
    }

    /// The total cost of replies that may wait for one member.
    pub const MAX_PENDING_COST: u32 = 64;
}

/// Lines for one member, and where they stand in the total order.
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
    /// A reply to a request. `roster` is called only if the request asks for it.
    pub(crate) fn to(request: Request, position: Position, roster: impl FnOnce() -> Arc<Listing>) -> Self {
        let lines = match request {
            Request::Ping => Lines::One(ServerMessage::Pong),
            Request::Clients => Lines::Roster(roster()),
            Request::Refuse => Lines::One(ServerMessage::BadReq),
            Request::Swallow => Lines::One(ServerMessage::Ok),
        };
        Self { position, cost: request.cost(), lines }
    }

    /// The server's own question whether the peer is there (clause 6.1). It costs nothing: nobody asked for it.
    pub fn ping(position: Position) -> Self {
        Self { position, cost: 0, lines: Lines::One(ServerMessage::Ping) }
    }

    /// A word of the operator to this member alone (clause 7.8). It costs [`Reply::NOTICE_COST`].
    pub fn notice(position: Position, text: Text) -> Self {
        Self { position, cost: Self::NOTICE_COST, lines: Lines::One(ServerMessage::Notice(text)) }
    }

    /// How much of a reply queue a notice takes.
    pub const NOTICE_COST: u32 = 1;

    /// Where it stands: after everything before this position.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The cost of its request.
    pub fn cost(&self) -> u32 {
        self.cost
    }

    /// Adds its lines. [`Pieces::close`] makes them readable.
    pub fn write(&self, terminator: Terminator, out: &mut Pieces) {
        match &self.lines {
            Lines::One(message) => out.push(message, terminator),
            Lines::Roster(listing) => out.push_listing(listing.ended_by(terminator)),
        }
    }
}
