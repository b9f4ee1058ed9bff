//! A place in the room. Whatever becomes of the one who holds it, the hub hears that it has left.

use super::Hub;
use crate::{peer::ConnId, reason::EndReason};

/// A place in the room, from the moment when it is asked for. Dropped, it is left: in any thread, with or without a runtime.
#[derive(Debug)]
pub(crate) struct Membership {
    /// `None`: it has left.
    hub: Option<Hub>,
    conn: ConnId,
}

impl Membership {
    pub(super) fn new(hub: Hub, conn: ConnId) -> Self {
        Self { hub: Some(hub), conn }
    }

    /// Leaves, after all that it has said, and tells by which reason: this one, unless the server has ended first. Leaving
    /// twice is leaving once.
    pub(crate) fn leave(&mut self, reason: EndReason) -> EndReason {
        match self.hub.take() {
            Some(hub) => hub.leave(self.conn, reason),
            None => reason,
        }
    }

    /// It has no place after all.
    pub(super) fn void(&mut self) {
        self.hub = None;
    }
}

impl Drop for Membership {
    /// Those who end in good order have left before. What is left here was dropped in the middle of something.
    fn drop(&mut self) {
        self.leave(EndReason::Dropped);
    }
}
