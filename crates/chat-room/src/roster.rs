//! The members of a room: each name once, in chunks that consecutive `LIST CLIENTS` answers share.

use std::{collections::HashSet, sync::Arc};

use chat_proto::{Name, NameKey};

use crate::{
    conn_id::ConnId,
    listing::{Listing, Part},
};

/// The most members of a chunk. A change re-encodes one chunk; a roster of 10,000 members has 160 chunks.
const MAX_CHUNK: usize = 64;

/// Members in the order of their connections: chunks that are sorted and not empty.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    chunks: Vec<Chunk>,
    taken: HashSet<NameKey>,
    /// `LIST CLIENTS` for the present members, once somebody has asked.
    listing: Option<Arc<Listing>>,
    /// The total length of the names, each with a SP before it.
    bytes: usize,
}

#[derive(Debug, Default)]
struct Chunk {
    members: Vec<(ConnId, Name)>,
    /// The names, each with a SP before it, once somebody has asked.
    text: Option<Part>,
}

impl Chunk {
    fn find(&self, conn: ConnId) -> Result<usize, usize> {
        self.members.binary_search_by_key(&conn, |(conn, _)| *conn)
    }

    fn text(&mut self) -> Part {
        let members = &self.members;
        let text = self.text.get_or_insert_with(|| {
            let names = members.iter().flat_map(|(_, name)| [" ", name.as_str()]);
            names.collect::<String>().into_bytes().into()
        });
        Arc::clone(text)
    }
}

fn weight(name: Name) -> usize {
    name.as_str().len() + 1
}

impl Roster {
    /// Adds a member. `false` if the name is taken.
    pub(crate) fn insert(&mut self, conn: ConnId, name: Name) -> bool {
        if !self.taken.insert(name.key()) {
            return false;
        }
        let mut at = self.chunk_of(conn);
        // A newcomer usually has the highest number: fill the last chunk before starting another.
        if at == self.chunks.len() && self.chunks.last().is_some_and(|last| last.members.len() < MAX_CHUNK) {
            at -= 1;
        }
        if at == self.chunks.len() {
            self.chunks.push(Chunk::default());
        }
        let chunk = &mut self.chunks[at];
        let (Ok(index) | Err(index)) = chunk.find(conn);
        chunk.members.insert(index, (conn, name));
        chunk.text = None;
        if chunk.members.len() > MAX_CHUNK {
            let members = chunk.members.split_off(MAX_CHUNK / 2);
            self.chunks.insert(at + 1, Chunk { members, text: None });
        }
        self.bytes += weight(name);
        self.listing = None;
        true
    }

    pub(crate) fn remove(&mut self, conn: ConnId) -> Option<Name> {
        let at = self.chunk_of(conn);
        let chunk = self.chunks.get_mut(at)?;
        let (_, name) = chunk.members.remove(chunk.find(conn).ok()?);
        chunk.text = None;
        if chunk.members.is_empty() {
            self.chunks.remove(at);
        } else {
            // Merge small neighbours, or each member would have a chunk of its own in the end.
            for first in [at.checked_sub(1), Some(at)].into_iter().flatten() {
                self.join_with_next(first);
            }
        }
        self.taken.remove(&name.key());
        self.bytes -= weight(name);
        self.listing = None;
        Some(name)
    }

    fn join_with_next(&mut self, first: usize) {
        let Some([one, two]) = self.chunks.get_mut(first..first + 2) else { return };
        if one.members.len() + two.members.len() <= MAX_CHUNK / 2 {
            one.members.append(&mut two.members);
            one.text = None;
            self.chunks.remove(first + 1);
        }
    }

    pub(crate) fn name(&self, conn: ConnId) -> Option<Name> {
        let chunk = self.chunks.get(self.chunk_of(conn))?;
        let (_, name) = chunk.members[chunk.find(conn).ok()?];
        Some(name)
    }

    /// The index of the chunk that holds this connection or should hold it: the first one that does not end before it.
    fn chunk_of(&self, conn: ConnId) -> usize {
        self.chunks.partition_point(|chunk| chunk.members.last().is_some_and(|(last, _)| *last < conn))
    }

    pub(crate) fn len(&self) -> usize {
        self.taken.len()
    }

    /// The length of `LIST CLIENTS` in bytes, without what each of its lines begins with.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (ConnId, Name)> {
        self.chunks.iter().flat_map(|chunk| chunk.members.iter().copied())
    }

    /// `LIST CLIENTS` in as many lines as it needs (clause 3.6).
    pub(crate) fn listing(&mut self) -> Arc<Listing> {
        let (clients, chunks) = (self.taken.len(), &mut self.chunks);
        let listing =
            self.listing.get_or_insert_with(|| Arc::new(Listing::new(clients, chunks.iter_mut().map(Chunk::text))));
        Arc::clone(listing)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chat_proto::{MAX_LINE, RosterReader, ServerMessage};
    use proptest::prelude::*;

    use super::*;

    fn name(number: u64) -> Name {
        Name::new(&format!("{number:020}")).unwrap()
    }

    fn of(clients: u64) -> Roster {
        let mut roster = Roster::default();
        assert!((0..clients).all(|conn| roster.insert(ConnId::new(conn), name(conn))));
        roster
    }

    /// The roster as a client reads it.
    fn told(roster: &mut Roster) -> Vec<Name> {
        let listing = roster.listing();
        let text = String::from_utf8(listing.parts().concat()).unwrap();
        assert!(text.ends_with("\r\n") && text.len() == listing.len());
        let (mut reader, mut told) = (RosterReader::default(), Vec::new());
        for line in text.split_terminator("\r\n") {
            assert!(line.len() + 2 <= MAX_LINE && told.is_empty());
            let ServerMessage::Clients { total, names } = ServerMessage::parse(line.to_owned()).unwrap() else {
                panic!("{line}")
            };
            told.extend(reader.push(total, names).unwrap());
        }
        assert_eq!(told.len(), 1);
        told.remove(0)
    }

    #[test]
    fn a_roster_of_any_length_has_lines_within_the_limit() {
        for clients in [1, MAX_CHUNK as u64, 384, 385, 10_000] {
            let names: Vec<_> = (0..clients).map(name).collect();
            assert_eq!(told(&mut of(clients)), names);
        }
    }

    #[test]
    fn a_change_re_encodes_one_chunk() {
        let mut roster = of(10_000);
        let before = roster.listing();
        roster.remove(ConnId::new(5_000));
        let after = roster.listing();
        let new = after.parts().iter().filter(|part| !before.parts().iter().any(|old| Arc::ptr_eq(old, part)));
        let new: usize = new.map(|part| part.len()).sum();
        // One chunk, and what each line begins with.
        assert!(new < 22 * MAX_CHUNK + 30 * 20, "{new} bytes");
        assert!(Arc::ptr_eq(&after, &roster.listing()), "the same roster is made once");
    }

    proptest! {
        #[test]
        fn it_behaves_like_a_map_and_its_chunks_stay_few(changes in proptest::collection::vec((0_u64..500, any::<bool>()), 0..2_000)) {
            let (mut roster, mut map) = (Roster::default(), BTreeMap::new());
            for (number, joins) in changes {
                let conn = ConnId::new(number);
                if joins {
                    let free = !map.contains_key(&conn);
                    prop_assert_eq!(roster.insert(conn, name(number)), free);
                    map.insert(conn, name(number));
                } else {
                    prop_assert_eq!(roster.remove(conn), map.remove(&conn));
                }
                prop_assert_eq!(roster.name(conn), map.get(&conn).copied());
            }
            prop_assert!(roster.chunks.len() <= 1 + 4 * map.len() / MAX_CHUNK);
            prop_assert_eq!(roster.bytes(), map.len() * 21);
            prop_assert_eq!(roster.members().collect::<Vec<_>>(), map.clone().into_iter().collect::<Vec<_>>());
            if !map.is_empty() {
                prop_assert_eq!(told(&mut roster), map.into_values().collect::<Vec<_>>());
            }
        }
    }
}
