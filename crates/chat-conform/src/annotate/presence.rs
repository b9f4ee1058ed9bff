//! Who is in the room, as far as the lines to one client show: finds a second `LOGOUT`, a second `JOIN`, and a message
//! of a client that has left.

use std::collections::HashMap;

use chat_proto::{Name, NameKey, ServerMessage};

use super::{Note, wrong};

/// The most names that are stored. Later names are not checked. This bounds the memory.
const MAX_NAMES: usize = 10_000;

/// The clients that a `JOIN` or `LOGOUT` has named.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// Whether the client is in the room. A client that is not in the map may have joined before.
    present: HashMap<NameKey, bool>,
}

impl Presence {
    /// Records the line. Returns how it contradicts the lines before it.
    pub(super) fn record(&mut self, message: &ServerMessage) -> Option<Note> {
        match message {
            ServerMessage::Join(name) => (self.set(name, true) == Some(true)).then(|| {
                wrong(if name.is_guest() { "2.3" } else { "3.2" }, "a client of this name is in the room already")
            }),
            ServerMessage::Logout(name) => {
                (self.set(name, false) == Some(false)).then(|| wrong("6.4", "the client has left already"))
            }
            ServerMessage::From { name, .. } => (self.present.get(&name.key()) == Some(&false))
                .then(|| wrong("5.2", "a message of a client that has left")),
            _ => None,
        }
    }

    fn set(&mut self, name: &Name, present: bool) -> Option<bool> {
        let key = name.key();
        if self.present.len() >= MAX_NAMES && !self.present.contains_key(&key) {
            return None;
        }
        self.present.insert(key, present)
    }
}

/// The clause about the `JOIN` of this name.
pub(super) fn joins(name: &Name) -> &'static str {
    if name.is_guest() { "4.6" } else { "3.2" }
}
