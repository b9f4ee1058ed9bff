//! The members of a room, in chunks. Consecutive listings share the chunks that have not changed.

use std::{collections::HashSet, sync::Arc};

use chat_proto::{Name, NameKey};

use crate::{
    conn_id::ConnId,
    listing::{Listing, Part},
};

/// Maximum number of members in a chunk. Smaller chunks make a change cheaper, because it re-encodes one chunk, but a
/// listing has more parts.
const MAX_CHUNK_MEMBERS: usize = 64;

/// The members, sorted by connection. Each name is taken once.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    /// Sorted, and none is empty.
    chunks: Vec<Chunk>,
    taken_names: HashSet<NameKey>,
    /// The listing of the current members, created on first use.
    listing: Option<Arc<Listing>>,
    /// Total length of all encoded names.
    bytes: usize,
}

#[derive(Debug, Default)]
struct Chunk {
    members: Vec<(ConnId, Name)>,
    /// The encoded names, created on first use.
    encoded: Option<Part>,
}

impl Chunk {
    fn find(&self, conn: ConnId) -> Result<usize, usize> {
        self.members.binary_search_by_key(&conn, |(conn, _)| *conn)
    }

    /// The names, each preceded by a space.
    fn encoded(&mut self) -> Part {
        let members = &self.members;
        let encoded = self.encoded.get_or_insert_with(|| {
            let names = members.iter().flat_map(|(_, name)| [" ", name.as_str()]);
            names.collect::<String>().into_bytes().into()
        });
        Arc::clone(encoded)
    }
}

/// The length of a name with the space before it, in bytes.
fn encoded_length(name: Name) -> usize {
    name.as_str().len() + 1
}

impl Roster {
    /// Adds a member. `false` if the name is taken.
    pub(crate) fn insert(&mut self, conn: ConnId, name: Name) -> bool {
        if !self.taken_names.insert(name.key()) {
            return false;
        }
        let mut index = self.chunk_index(conn);
        // A newcomer usually has the highest number. Fill the last chunk before adding another.
        if index == self.chunks.len() && self.chunks.last().is_some_and(|last| last.members.len() < MAX_CHUNK_MEMBERS) {
            index -= 1;
        }
        if index == self.chunks.len() {
            self.chunks.push(Chunk::default());
        }
        let chunk = &mut self.chunks[index];
        let (Ok(place) | Err(place)) = chunk.find(conn);
        chunk.members.insert(place, (conn, name));
        chunk.encoded = None;
        if chunk.members.len() > MAX_CHUNK_MEMBERS {
            let members = chunk.members.split_off(MAX_CHUNK_MEMBERS / 2);
            self.chunks.insert(index + 1, Chunk { members, encoded: None });
        }
        self.bytes += encoded_length(name);
        self.listing = None;
        true
    }

    /// Removes a member, and returns its name. `None` if the connection is not a member.
    pub(crate) fn remove(&mut self, conn: ConnId) -> Option<Name> {
        let index = self.chunk_index(conn);
        let chunk = self.chunks.get_mut(index)?;
        let (_, name) = chunk.members.remove(chunk.find(conn).ok()?);
        chunk.encoded = None;
        if chunk.members.is_empty() {
            self.chunks.remove(index);
        } else {
            // Merge small neighbours, so that the number of chunks does not grow with the number of changes.
            for index in [index.checked_sub(1), Some(index)].into_iter().flatten() {
                self.merge_with_next(index);
            }
        }
        self.taken_names.remove(&name.key());
        self.bytes -= encoded_length(name);
        self.listing = None;
        Some(name)
    }

    /// Merges a chunk with the next one if both are small.
    fn merge_with_next(&mut self, index: usize) {
        let Some([first, second]) = self.chunks.get_mut(index..index + 2) else { return };
        if first.members.len() + second.members.len() <= MAX_CHUNK_MEMBERS / 2 {
            first.members.append(&mut second.members);
            first.encoded = None;
            self.chunks.remove(index + 1);
        }
    }

    pub(crate) fn name(&self, conn: ConnId) -> Option<Name> {
        let chunk = self.chunks.get(self.chunk_index(conn))?;
        let (_, name) = chunk.members[chunk.find(conn).ok()?];
        Some(name)
    }

    /// The index of the chunk that has this connection, or where it should be inserted.
    fn chunk_index(&self, conn: ConnId) -> usize {
        self.chunks.partition_point(|chunk| chunk.members.last().is_some_and(|(last, _)| *last < conn))
    }

    pub(crate) fn len(&self) -> usize {
        self.taken_names.len()
    }

    /// Length of the listing in bytes, without the beginnings and terminators of its lines.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (ConnId, Name)> {
        self.chunks.iter().flat_map(|chunk| chunk.members.iter().copied())
    }

    /// The listing of the current members (clause 3.6).
    pub(crate) fn listing(&mut self) -> Arc<Listing> {
        let (clients, chunks) = (self.taken_names.len(), &mut self.chunks);
        let listing =
            self.listing.get_or_insert_with(|| Arc::new(Listing::new(clients, chunks.iter_mut().map(Chunk::encoded))));
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

    fn roster_of(clients: u64) -> Roster {
        let mut roster = Roster::default();
        assert!((0..clients).all(|conn| roster.insert(ConnId::new(conn), name(conn))));
        roster
    }

    /// The roster as a client parses it.
    fn parsed_listing(roster: &mut Roster) -> Vec<Name> {
        let listing = roster.listing();
        let text = String::from_utf8(listing.parts().concat()).unwrap();
        assert!(text.ends_with("\r\n") && text.len() == listing.len());
        let (mut reader, mut rosters) = (RosterReader::default(), Vec::new());
        for line in text.split_terminator("\r\n") {
            assert!(line.len() + 2 <= MAX_LINE && rosters.is_empty());
            let ServerMessage::Clients { total, names } = ServerMessage::parse(line.to_owned()).unwrap() else {
                panic!("{line}")
            };
            rosters.extend(reader.push(total, names).unwrap());
        }
        assert_eq!(rosters.len(), 1);
        rosters.remove(0)
    }

    #[test]
    fn a_roster_of_any_length_has_lines_within_the_limit() {
        for clients in [1, MAX_CHUNK_MEMBERS as u64, 384, 385, 10_000] {
            let names: Vec<_> = (0..clients).map(name).collect();
            assert_eq!(parsed_listing(&mut roster_of(clients)), names);
        }
    }

    #[test]
    fn a_change_re_encodes_one_chunk() {
        let mut roster = roster_of(10_000);
        let before = roster.listing();
        roster.remove(ConnId::new(5_000));
        let after = roster.listing();
        let new = after.parts().iter().filter(|part| !before.parts().iter().any(|old| Arc::ptr_eq(old, part)));
        let new_bytes: usize = new.map(|part| part.len()).sum();
        // One chunk, and the beginnings of the lines.
        assert!(new_bytes < 22 * MAX_CHUNK_MEMBERS + 30 * 20, "{new_bytes} bytes");
        assert!(Arc::ptr_eq(&after, &roster.listing()), "a listing is created once");
    }

    proptest! {
        #[test]
        fn a_roster_behaves_like_a_map_and_has_few_chunks(changes in proptest::collection::vec((0_u64..500, any::<bool>()), 0..2_000)) {
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
            prop_assert!(roster.chunks.len() <= 1 + 4 * map.len() / MAX_CHUNK_MEMBERS);
            prop_assert_eq!(roster.bytes(), map.len() * 21);
            prop_assert_eq!(roster.members().collect::<Vec<_>>(), map.clone().into_iter().collect::<Vec<_>>());
            if !map.is_empty() {
                prop_assert_eq!(parsed_listing(&mut roster), map.into_values().collect::<Vec<_>>());
            }
        }
    }
}
