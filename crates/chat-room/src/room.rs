//! The room: who is a member, what they said, and in which order.

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
    /// Under this name, in a named session (clause 3.2).
    Name(Name),
    /// As the next guest, in a plain session (clause 2.3).
    Guest,
}

/// How a member leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Farewell {
    /// It said `BYE`, and is answered `BYE` (clauses 3.8 and 4.3).
    Bye,
    /// It is told nothing (clause 6.4).
    Silent,
}

/// Another member has the name, in whatever case (clause 1.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the name is taken")]
pub struct NameTaken;

/// The members of a room and the order of what they do. Every message, join, leave and notice has a number: 1 for the
/// first, and one more for each.
#[derive(Debug, Default)]
pub struct Room {
    roster: Roster,
    draft: Draft,
    /// The number of the last message, join, leave or notice.
    seq: u64,
    guests: u64,
}

impl Room {
    /// Places a join, and returns the name and the number of the join. From here on the member gets everything that is
    /// placed (clause 5.4).
    ///
    /// The connection must not be a member already.
    ///
    /// # Errors
    ///
    /// The name is taken.
    pub fn join(&mut self, conn: ConnId, join_as: JoinAs) -> Result<(Name, u64), NameTaken> {
        let (name, session) = match join_as {
            JoinAs::Name(name) => (name, Session::Named),
            JoinAs::Guest => (self.next_guest(), Session::Plain),
        };
        if !self.roster.insert(conn, name) {
            return Err(NameTaken);
        }
        Ok((name, self.put(&ServerMessage::Join(name), conn, SenderView::Entered(session))))
    }

    /// Places a message, and returns it with its number. `None` if the connection is not a member.
    pub fn say(&mut self, conn: ConnId, text: Text) -> Option<(ServerMessage, u64)> {
        let name = self.roster.name(conn)?;
        let message = ServerMessage::From { name, text };
        let seq = self.put(&message, conn, SenderView::Ok);
        Some((message, seq))
    }

    /// Places a word of the operator to all members, and returns its number.
    pub fn notice(&mut self, text: Text) -> u64 {
        self.draft.push_for_all(&ServerMessage::Notice(text));
        self.seq += 1;
        self.seq
    }

    /// Places a leave, and returns its number. The member's name is free now. `None` if the connection is not a member.
    pub fn leave(&mut self, conn: ConnId, farewell: Farewell) -> Option<u64> {
        let name = self.roster.remove(conn)?;
        let view = match farewell {
            Farewell::Bye => SenderView::Bye,
            Farewell::Silent => SenderView::Ended,
        };
        Some(self.put(&ServerMessage::Logout(name), conn, view))
    }

    /// Removes a member at the end of the room. The leave has a number, but no line: all members are told by `BYE`
    /// (clause 6.3). `None` if no member is left.
    pub fn leave_at_the_end(&mut self) -> Option<(ConnId, u64)> {
        let (conn, _) = self.roster.members().next()?;
        self.roster.remove(conn)?;
        self.seq += 1;
        Some((conn, self.seq))
    }

    /// Answers a request of one member, at the present position (clause 5.3).
    pub fn reply(&mut self, request: Request) -> Reply {
        Reply::to(request, self.draft.position(), || self.roster.listing())
    }

    /// The number of members.
    pub fn clients(&self) -> usize {
        self.roster.len()
    }

    /// The number of the last message, join, leave or notice; 0 before the first.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The length of `LIST CLIENTS` in bytes, without what each of its lines begins with.
    pub fn roster_bytes(&self) -> usize {
        self.roster.bytes()
    }

    /// The position after everything that was placed so far.
    pub fn position(&self) -> Position {
        self.draft.position()
    }

    /// Whether the batch should be taken before more is placed: it has about 24 KiB of lines, or 32 KiB with what it holds beside them.
    pub fn is_full(&self) -> bool {
        self.draft.is_full()
    }

    /// Takes what was placed since the last call. `None` if that is nothing.
    pub fn take_batch(&mut self) -> Option<Batch> {
        self.draft.take()
    }

    fn put(&mut self, message: &ServerMessage, conn: ConnId, view: SenderView) -> u64 {
        self.draft.push(message, conn, view);
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
