//! Who is who in the room: which lines are about this case, and which about strangers who happen to be there.

use std::collections::BTreeSet;

use chat_proto::{Text, contract::Guests};

use crate::case::Names;

/// Rosters of more names are not read to their end.
const MOST_NAMES: usize = 1 << 18;

/// What a case knows about the room.
#[derive(Debug)]
pub(super) struct Room {
    names: Names,
    guests: Guests,
    /// All lines that were said, to know an echo from a stranger's message.
    said: BTreeSet<String>,
    /// The names of a roster that is not complete yet (clause 3.6).
    roster: Vec<String>,
    is_partial: bool,
}

impl Room {
    pub(super) fn new(names: Names) -> Self {
        Self { names, guests: Guests::default(), said: BTreeSet::new(), roster: Vec::new(), is_partial: false }
    }

    /// Somebody of this case sends this.
    pub(super) fn said(&mut self, bytes: &[u8]) {
        for line in bytes.split(|&byte| byte == b'\n') {
            let line = String::from_utf8_lossy(line);
            let line = line.trim_end_matches('\r');
            self.said.insert(line.strip_prefix("MSG ").unwrap_or(line).to_owned());
        }
    }

    /// Whether the roster goes on in a further line.
    pub(super) fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// Whether the line is what is expected. A roster may hold strangers besides.
    pub(super) fn matches(&mut self, expected: &str, got: &str) -> bool {
        self.is_partial = false;
        match (expected.strip_prefix("LIST CLIENTS "), got.strip_prefix("LIST CLIENTS ")) {
            (Some(expected), Some(got)) => self.roster(expected, got),
            _ => self.guests.matches(expected, got),
        }
    }

    /// Whether these are the bytes that are expected, but for the numbers of guests.
    pub(super) fn matches_bytes(&mut self, expected: &[u8], got: &[u8]) -> bool {
        match (str::from_utf8(expected), str::from_utf8(got)) {
            (Ok(expected), Ok(got)) => self.guests.matches(expected, got),
            _ => expected == got,
        }
    }

    fn roster(&mut self, expected: &str, got: &str) -> bool {
        let mut words = got.split(' ');
        let Some(total) = words.next().and_then(|total| total.parse::<usize>().ok()) else { return false };
        self.roster.extend(words.map(str::to_owned));
        if self.roster.len() < total && self.roster.len() < MOST_NAMES {
            self.is_partial = true;
            return true;
        }
        let mut here = std::mem::take(&mut self.roster);
        let mut unique = BTreeSet::new();
        if here.len() != total || !here.iter().all(|name| unique.insert(name.to_ascii_lowercase())) {
            return false;
        }
        let mut wanted: Vec<_> = expected.split(' ').skip(1).collect();
        // Guests that have no number yet come last: they take what nobody else can be.
        wanted.sort_by_key(|name| name.contains('{'));
        let found = wanted.into_iter().all(|name| {
            let place = here.iter().position(|got| self.guests.matches(name, got));
            place.map(|place| here.swap_remove(place)).is_some()
        });
        found && !here.iter().any(|name| self.is_ours(name))
    }

    fn is_ours(&self, name: &str) -> bool {
        self.names.knows(name) || self.guests.knows(name)
    }

    /// Whether the line is about somebody who is not of this case, or for everybody.
    pub(super) fn is_strangers(&self, line: &str) -> bool {
        let mut words = line.splitn(4, ' ');
        let (verb, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match (verb, words.next(), words.next()) {
            // A word to everybody, which no case asks for (clause 7.8).
            ("NOTICE", ..) => line.strip_prefix("NOTICE ").is_some_and(|text| Text::new(text).is_ok()),
            ("JOIN" | "LOGOUT", None, None) => !name.is_empty() && !self.is_ours(name),
            // A guest's number is not known before it is seen: what was said here may be an echo.
            ("FROM", Some("MSG"), Some(text)) => {
                let may_be_echo = name.starts_with("guest") && self.said.contains(text);
                !self.is_ours(name) && !may_be_echo
            }
            _ => false,
        }
    }

    /// Whether the line may still come when everybody of the case leaves.
    pub(super) fn is_farewell(&self, line: &str) -> bool {
        matches!(line, "BYE" | "BAD REQ") || line.starts_with("LOGOUT ") || self.is_strangers(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> Room {
        let text = "case a named MUST 3.2\nA joins ann\nB joins bob\n";
        Room::new(Names::of(&crate::case::read("f", text).unwrap()[0], 7))
    }

    #[test]
    fn strangers_are_told_from_friends() {
        let mut room = room();
        room.said(b"MSG mine\r\n");
        for line in
            ["JOIN eve", "LOGOUT guest4", "FROM eve MSG mine", "FROM guest4 MSG other", "NOTICE a", "NOTICE a  b c d"]
        {
            assert!(room.is_strangers(line), "{line}");
        }
        for line in [
            "OK",
            "JOIN ann0000007",
            "LOGOUT BOB0000007",
            "FROM ann0000007 MSG x",
            "FROM guest4 MSG mine",
            "JOIN",
            "NOTICE",
            "NOTICE ",
        ] {
            assert!(!room.is_strangers(line), "{line}");
        }
    }

    #[test]
    fn rosters_may_hold_strangers_but_no_friend_who_left() {
        let wanted = "LIST CLIENTS 1 ann0000007";
        assert!(room().matches(wanted, "LIST CLIENTS 3 eve ann0000007 guest4"));
        assert!(!room().matches(wanted, "LIST CLIENTS 2 ann0000007 bob0000007"));
        assert!(!room().matches(wanted, "LIST CLIENTS 1 eve"));
        assert!(!room().matches(wanted, "LIST CLIENTS 1 ann0000007 eve"));
        assert!(!room().matches(wanted, "LIST CLIENTS 2 ann0000007 ann0000007"));
        let mut room = room();
        assert!(room.matches(wanted, "LIST CLIENTS 2 eve") && room.is_partial());
        assert!(room.matches(wanted, "LIST CLIENTS 2 ann0000007") && !room.is_partial());
        let mut lines = 0;
        while room.matches(wanted, "LIST CLIENTS 999999999999 a b c d e f g h i j k l m n o p") {
            lines += 16;
        }
        assert!(lines < MOST_NAMES && room.roster.is_empty());
    }
}
