//! The hub's state and batches without the task around them, for the micro benches.

use std::sync::Arc;

use chat_proto::{Name, Terminator, Text};

use super::{batch, pieces, state, state::Wanted};
use crate::peer::ConnId;

/// A room whose members are numbered from 0.
#[derive(Debug, Default)]
pub struct Room(state::State);

/// What was said in it since the last batch.
#[derive(Debug)]
pub struct Batch(Arc<batch::Batch>);

/// What a member gets of a batch.
#[derive(Debug)]
pub struct Pieces(#[expect(dead_code, reason = "it is only made")] pieces::Pieces);

impl Room {
    /// With so many members, and nothing to deliver.
    pub fn of(members: u64) -> Self {
        let mut room = Self::default();
        for member in 0..members {
            let name = Name::new(&format!("m{member}")).expect("a name");
            room.0.join(ConnId::new(member), Wanted::Name(name)).expect("a free name");
        }
        room.0.take_batch();
        room
    }

    /// Places a message: what the hub does for each.
    pub fn say(&mut self, member: u64, text: Text) {
        self.0.say(ConnId::new(member), text);
    }

    /// Closes the batch; `None` if nothing was said.
    pub fn take(&mut self) -> Option<Batch> {
        self.0.take_batch().map(|batch| Batch(Arc::new(batch)))
    }
}

impl Batch {
    /// What a member gets to write, if nothing was answered to it alone.
    pub fn view(&self, member: u64) -> Pieces {
        let mut pieces = pieces::Pieces::default();
        self.0.view(ConnId::new(member), &[], Terminator::CrLf, &mut pieces);
        Pieces(pieces)
    }
}
