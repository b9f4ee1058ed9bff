//! The room: its members, and the order of their messages, joins and leaves.

use chat_proto::{Name, ServerMessage, Session, Text};

use crate::{
    batch::{Batch, Draft, Position, SenderView},
    conn_id::ConnId,
    reply::{Reply, Request},
    roster::Roster,
};

/// How a client joins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JoinAs {
    /// With this name, in a named session (clause 3.2).
    Name(Name),
    /// With the name of the next guest, in a plain session (clause 2.3).
    Guest,
}

/// What a leaving member receives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Farewell {
    /// `BYE`, in reply to its own `BYE` (clauses 3.8 and 4.3).
    Bye,
    /// Nothing (clause 6.4).
    Silent,
}

/// Another member has this name. Names that differ only in case are the same (clause 1.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the name is taken")]
pub struct NameTaken;

/// The members of a room, and the total order of its messages, joins, leaves and notices. They are numbered from 1.
#[derive(Debug, Default)]
pub struct Room {
    roster: Roster,
    draft: Draft,
    /// The number of the last message, join, leave or notice.
    seq: u64,
    /// The number of the last guest.
    guests: u64,
}

impl Room {
    /// Places a join, and returns the name and the number of the join. The member receives everything that is placed from
    /// now on (clause 5.4).
    ///
    /// The connection must not be a member.
    ///
    /// # Errors
    ///
    /// Another member has the name.
    pub fn join(&mut self, conn: ConnId, join_as: JoinAs) -> Result<(Name, u64), NameTaken> {
        let (name, session) = match join_as {
            JoinAs::Name(name) => (name, Session::Named),
            JoinAs::Guest => (self.next_guest_name(), Session::Plain),
        };
        if !self.roster.insert(conn, name) {
            return Err(NameTaken);
        }
        Ok((name, self.place(&ServerMessage::Join(name), conn, SenderView::Entered(session))))
    }

    /// Places a message, and returns it with its number. `None` if the connection is not a member.
    pub fn say(&mut self, conn: ConnId, text: Text) -> Option<(ServerMessage, u64)> {
        let name = self.roster.name(conn)?;
        let message = ServerMessage::From { name, text };
        let seq = self.place(&message, conn, SenderView::Ok);
        Some((message, seq))
    }

    /// Places a notice of the operator to all members, and returns its number.
    pub fn notice(&mut self, text: Text) -> u64 {
        self.draft.push_for_all(&ServerMessage::Notice(text));
        self.seq += 1;
        self.seq
    }

    /// Places a leave, and returns its number. The name of the member becomes free. `None` if the connection is not a
    /// member.
    pub fn leave(&mut self, conn: ConnId, farewell: Farewell) -> Option<u64> {
        let name = self.roster.remove(conn)?;
        let view = match farewell {
            Farewell::Bye => SenderView::Bye,
            Farewell::Silent => SenderView::Ended,
        };
        Some(self.place(&ServerMessage::Logout(name), conn, view))
    }

    /// Removes one member when the room closes. The leave has a number but no line, because each member receives `BYE`
    /// instead (clause 6.3). `None` if there are no members.
    pub fn leave_at_the_end(&mut self) -> Option<(ConnId, u64)> {
        let (conn, _) = self.roster.members().next()?;
        self.roster.remove(conn)?;
        self.seq += 1;
        Some((conn, self.seq))
    }

    /// Answers a request of one member at the current position (clause 5.3).
    pub fn reply(&mut self, request: Request) -> Reply {
        Reply::new(request, self.draft.position(), || self.roster.listing())
    }

    /// The number of members.
    pub fn clients(&self) -> usize {
        self.roster.len()
    }

    /// The number of the last message, join, leave or notice. 0 before the first.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Length of `LIST CLIENTS` in bytes, without the beginnings and terminators of its lines.
    pub fn roster_bytes(&self) -> usize {
        self.roster.bytes()
    }

    /// The position after everything placed so far.
    pub fn position(&self) -> Position {
        self.draft.position()
    }

    /// Whether the batch should be taken before more is placed. It is full with 24 KiB of lines, or with 32 KiB of lines
    /// and spans together.
    pub fn is_full(&self) -> bool {
        self.draft.is_full()
    }

    /// Takes everything placed since the last call, as a batch. `None` if nothing was placed.
    pub fn take_batch(&mut self) -> Option<Batch> {
        self.draft.take()
    }

    fn place(&mut self, message: &ServerMessage, conn: ConnId, view: SenderView) -> u64 {
        self.draft.push(message, conn, view);
        self.seq += 1;
        self.seq
    }

    fn next_guest_name(&mut self) -> Name {
        self.guests += 1;
        Name::guest(self.guests)
    }
}

#[cfg(test)]
mod tests;
