//! A guard for a member's place in the room: the hub learns that the member has left, however the guard ends.

use chat_room::ConnId;

use super::Hub;
use crate::reason::EndReason;

/// A place in the room, from the moment when the join is requested. Dropped, it leaves: in any thread, with or without
/// a runtime.
#[derive(Debug)]
pub(crate) struct Membership {
    /// `None` once it has left.
    hub: Option<Hub>,
    conn: ConnId,
}

impl Membership {
    pub(super) fn new(hub: Hub, conn: ConnId) -> Self {
        Self { hub: Some(hub), conn }
    }

    /// Leaves after the member's last message. Returns the published reason: this one, unless the server ended first. A
    /// second call has no effect.
    pub(crate) fn leave(&mut self, reason: EndReason) -> EndReason {
        match self.hub.take() {
            Some(hub) => hub.leave(self.conn, reason),
            None => reason,
        }
    }

    /// Disarms the guard: the join was refused.
    pub(super) fn void(&mut self) {
        self.hub = None;
    }
}

impl Drop for Membership {
    /// An orderly end has left before. What is left here was dropped half-way.
    fn drop(&mut self) {
        self.leave(EndReason::Dropped);
    }
}
