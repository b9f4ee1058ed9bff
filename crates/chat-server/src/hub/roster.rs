//! Who is here: names by connection, each name once.

use std::collections::{BTreeMap, HashSet};

use bytes::{Bytes, BytesMut};
use chat_proto::{Name, NameKey, roster_lines};

use super::batch::put;
use crate::peer::ConnId;

#[derive(Debug, Default)]
pub(super) struct Roster {
    /// In the order in which they connected, which is that of `LIST CLIENTS`.
    members: BTreeMap<ConnId, Name>,
    taken: HashSet<NameKey>,
    /// `LIST CLIENTS` as it stands now, encoded once however many ask.
    listing: Option<Bytes>,
}

impl Roster {
    /// Whether the name was free and is now this connection's.
    pub(super) fn insert(&mut self, conn: ConnId, name: Name) -> bool {
        let free = self.taken.insert(name.key());
        if free {
            self.members.insert(conn, name);
            self.listing = None;
        }
        free
    }

    pub(super) fn remove(&mut self, conn: ConnId) -> Option<Name> {
        let name = self.members.remove(&conn)?;
        self.taken.remove(&name.key());
        self.listing = None;
        Some(name)
    }

    pub(super) fn name(&self, conn: ConnId) -> Option<Name> {
        self.members.get(&conn).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (ConnId, Name)> {
        self.members.iter().map(|(conn, name)| (*conn, *name))
    }

    /// `LIST CLIENTS` in as many lines as it takes, each ended by CRLF (clause 3.6).
    pub(super) fn listing(&mut self) -> Bytes {
        let members = &self.members;
        let listing = self.listing.get_or_insert_with(|| {
            let names: Vec<_> = members.values().copied().collect();
            let mut lines = BytesMut::new();
            roster_lines(&names).for_each(|line| put(&mut lines, &line));
            lines.freeze()
        });
        listing.clone()
    }
}
