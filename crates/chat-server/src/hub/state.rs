//! The hub's state: who is here, what was said, in which order. No runtime, no clock, no socket.

use std::sync::Arc;

use chat_proto::{Name, ServerMessage, Session, Text};

use super::{
    batch::{Batch, Draft, Instead, Place},
    listing::Listing,
    roster::Roster,
};
use crate::peer::ConnId;

/// As what somebody wants to enter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    /// Under this name, in a named session.
    Name(Name),
    /// As the next guest, in a plain session.
    Guest,
}

/// Somebody else has the name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NameTaken;

#[derive(Debug, Default)]
pub(super) struct State {
    roster: Roster,
    draft: Draft,
    /// Messages, joins and leaves so far: the number of the last one.
    seq: u64,
    guests: u64,
}

impl State {
    /// Takes a connection in. From here on it gets all that is said (clause 5.4).
    pub(super) fn join(&mut self, conn: ConnId, wanted: Wanted) -> Result<(Name, u64), NameTaken> {
        let (name, session) = match wanted {
            Wanted::Name(name) => (name, Session::Named),
            Wanted::Guest => (self.next_guest(), Session::Plain),
        };
        if !self.roster.insert(conn, name) {
            return Err(NameTaken);
        }
        Ok((name, self.put(&ServerMessage::Join(name), conn, Instead::Entered(session))))
    }

    /// Places a message in the order. `None` if the connection is not here.
    pub(super) fn say(&mut self, conn: ConnId, text: Text) -> Option<(ServerMessage, u64)> {
        let name = self.roster.name(conn)?;
        let message = ServerMessage::From { name, text };
        let seq = self.put(&message, conn, Instead::Ok);
        Some((message, seq))
    }

    /// Lets a connection go; its name is free. With `farewell` it is answered `BYE`. `None` if it is not here.
    pub(super) fn leave(&mut self, conn: ConnId, farewell: Instead) -> Option<(Name, u64)> {
        let name = self.roster.remove(conn)?;
        Some((name, self.put(&ServerMessage::Logout(name), conn, farewell)))
    }

    /// Lets somebody go of whom nobody is told on the wire: the server ends, which `BYE` tells (clause 6.3). The leave has its
    /// number all the same. `None` if nobody is left.
    pub(super) fn leave_at_the_end(&mut self) -> Option<(Name, u64)> {
        let (conn, _) = self.roster.members().next()?;
        let name = self.roster.remove(conn)?;
        self.seq += 1;
        Some((name, self.seq))
    }

    /// `LIST CLIENTS` at this place in the order.
    pub(super) fn listing(&mut self) -> Arc<Listing> {
        self.roster.listing()
    }

    /// How many are here.
    pub(super) fn clients(&self) -> usize {
        self.roster.len()
    }

    /// How many bytes `LIST CLIENTS` has, about.
    pub(super) fn roster_bytes(&self) -> usize {
        self.roster.bytes()
    }

    /// The place that the order has come to.
    pub(super) fn place(&self) -> Place {
        self.draft.place()
    }

    /// Whether so much waits to be taken that it should be.
    pub(super) fn is_full(&self) -> bool {
        self.draft.is_full()
    }

    /// Takes what has been placed since the last call.
    pub(super) fn take_batch(&mut self) -> Option<Batch> {
        self.draft.take()
    }

    fn put(&mut self, message: &ServerMessage, conn: ConnId, instead: Instead) -> u64 {
        self.draft.push(message, conn, instead);
        self.seq += 1;
        self.seq
    }

    fn next_guest(&mut self) -> Name {
        self.guests += 1;
        Name::guest(self.guests)
    }
}

#[cfg(test)]
mod tests;
