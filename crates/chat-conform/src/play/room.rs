//! Tells lines about the clients of this case from lines about strangers. A *stranger* is a client in the room that
//! does not belong to the case.

use std::collections::BTreeSet;

use chat_proto::{Text, contract::Guests};

use crate::case::Names;

/// The most names of one roster that are collected.
const MAX_NAMES: usize = 1 << 18;

/// What a case knows about the clients in the room.
#[derive(Debug)]
pub(super) struct RoomView {
    names: Names,
    guests: Guests,
    /// The messages that this case sent. A guest's message with the same text may be an echo of one.
    sent: BTreeSet<String>,
    /// The names of a roster whose further lines are still to come (clause 3.6).
    roster: Vec<String>,
    is_partial: bool,
}

impl RoomView {
    pub(super) fn new(names: Names) -> Self {
        Self { names, guests: Guests::default(), sent: BTreeSet::new(), roster: Vec::new(), is_partial: false }
    }

    /// Records that a client of this case sends these bytes.
    pub(super) fn record_sent(&mut self, bytes: &[u8]) {
        for line in bytes.split(|&byte| byte == b'\n') {
            let line = String::from_utf8_lossy(line);
            let line = line.trim_end_matches('\r');
            self.sent.insert(line.strip_prefix("MSG ").unwrap_or(line).to_owned());
        }
    }

    /// Whether the last matched line is part of a roster that continues in a further line.
    pub(super) fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// Whether `received` matches `expected`. A roster may also contain strangers.
    pub(super) fn matches(&mut self, expected: &str, received: &str) -> bool {
        self.is_partial = false;
        match (expected.strip_prefix("LIST CLIENTS "), received.strip_prefix("LIST CLIENTS ")) {
            (Some(expected), Some(received)) => self.roster_matches(expected, received),
            _ => self.guests.matches(expected, received),
        }
    }

    /// Whether `received` are the expected bytes. Numbers of guests may differ.
    pub(super) fn matches_bytes(&mut self, expected: &[u8], received: &[u8]) -> bool {
        match (str::from_utf8(expected), str::from_utf8(received)) {
            (Ok(expected), Ok(received)) => self.guests.matches(expected, received),
            _ => expected == received,
        }
    }

    /// Whether a roster has all expected names, and no other name of this case. Collects the names until all lines are
    /// there.
    fn roster_matches(&mut self, expected: &str, received: &str) -> bool {
        let mut words = received.split(' ');
        let Some(total) = words.next().and_then(|total| total.parse::<usize>().ok()) else { return false };
        self.roster.extend(words.map(str::to_owned));
        if self.roster.len() < total && self.roster.len() < MAX_NAMES {
            self.is_partial = true;
            return true;
        }
        let mut present = std::mem::take(&mut self.roster);
        let mut unique = BTreeSet::new();
        if present.len() != total || !present.iter().all(|name| unique.insert(name.to_ascii_lowercase())) {
            return false;
        }
        let mut required: Vec<_> = expected.split(' ').skip(1).collect();
        // A guest whose number is not known yet matches any guest. These go last, so that they take no name that
        // another needs.
        required.sort_by_key(|name| name.contains('{'));
        let all_present = required.into_iter().all(|name| {
            let index = present.iter().position(|other| self.guests.matches(name, other));
            index.map(|index| present.swap_remove(index)).is_some()
        });
        all_present && !present.iter().any(|name| self.is_own_name(name))
    }

    /// Whether a client of this case has the name.
    fn is_own_name(&self, name: &str) -> bool {
        self.names.contains(name) || self.guests.knows(name)
    }

    /// Whether the line is about a stranger, or to all clients.
    pub(super) fn is_about_stranger(&self, line: &str) -> bool {
        let mut words = line.splitn(4, ' ');
        let (verb, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match (verb, words.next(), words.next()) {
            // A notice of the operator, which no case asks for (clause 7.8).
            ("NOTICE", ..) => line.strip_prefix("NOTICE ").is_some_and(|text| Text::new(text).is_ok()),
            ("JOIN" | "LOGOUT", None, None) => !name.is_empty() && !self.is_own_name(name),
            // The numbers of this case's guests may not be known yet. A guest's message that this case sent may be an
            // echo.
            ("FROM", Some("MSG"), Some(text)) => {
                let may_be_echo = name.starts_with("guest") && self.sent.contains(text);
                !self.is_own_name(name) && !may_be_echo
            }
            _ => false,
        }
    }

    /// Whether the server may send this line while the clients of the case leave.
    pub(super) fn may_follow_bye(&self, line: &str) -> bool {
        matches!(line, "BYE" | "BAD REQ") || line.starts_with("LOGOUT ") || self.is_about_stranger(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> RoomView {
        let text = "case a named MUST 3.2\nA joins ann\nB joins bob\n";
        RoomView::new(Names::new(&crate::case::read("f", text).unwrap()[0], 7))
    }

    #[test]
    fn strangers_are_told_from_clients_of_the_case() {
        let mut room = room();
        room.record_sent(b"MSG mine\r\n");
        for line in
            ["JOIN eve", "LOGOUT guest4", "FROM eve MSG mine", "FROM guest4 MSG other", "NOTICE a", "NOTICE a  b c d"]
        {
            assert!(room.is_about_stranger(line), "{line}");
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
            assert!(!room.is_about_stranger(line), "{line}");
        }
    }

    #[test]
    fn rosters_may_contain_strangers_but_no_client_that_left() {
        let expected = "LIST CLIENTS 1 ann0000007";
        assert!(room().matches(expected, "LIST CLIENTS 3 eve ann0000007 guest4"));
        assert!(!room().matches(expected, "LIST CLIENTS 2 ann0000007 bob0000007"));
        assert!(!room().matches(expected, "LIST CLIENTS 1 eve"));
        assert!(!room().matches(expected, "LIST CLIENTS 1 ann0000007 eve"));
        assert!(!room().matches(expected, "LIST CLIENTS 2 ann0000007 ann0000007"));
        let mut room = room();
        assert!(room.matches(expected, "LIST CLIENTS 2 eve") && room.is_partial());
        assert!(room.matches(expected, "LIST CLIENTS 2 ann0000007") && !room.is_partial());
        let mut lines = 0;
        while room.matches(expected, "LIST CLIENTS 999999999999 a b c d e f g h i j k l m n o p") {
            lines += 16;
        }
        assert!(lines < MAX_NAMES && room.roster.is_empty());
    }
}
