//! Tells lines about the clients of this case from lines about strangers. A *stranger* is a client in the room that
//! does not belong to the case.

use std::collections::{BTreeMap, BTreeSet};

use chat_proto::Text;

use super::guests::Guests;
use crate::case::Names;

/// The most names of one roster that are collected.
const MAX_NAMES: usize = 1 << 18;
/// The most wrong lines that are remembered.
const MAX_WRONG: usize = 1_000;

/// What a case knows about the clients in the room.
#[derive(Debug)]
pub(super) struct RoomView {
    names: Names,
    /// The messages of plain clients that only this case can have sent.
    sent: BTreeSet<(char, String)>,
    /// The names of a roster whose further lines are still to come (clause 3.6).
    roster: Vec<String>,
    /// The lines that are wrong by themselves: position in the transcript, and clause.
    wrong: BTreeMap<u64, &'static str>,
}

impl RoomView {
    pub(super) fn new(names: Names) -> Self {
        Self { names, sent: BTreeSet::new(), roster: Vec::new(), wrong: BTreeMap::new() }
    }

    /// Records that a client of this case sends these bytes.
    pub(super) fn record_sent(&mut self, who: char, bytes: &[u8]) {
        for line in bytes.split(|&byte| byte == b'\n') {
            let line = String::from_utf8_lossy(line);
            let line = line.trim_end_matches('\r');
            if self.names.is_fresh_text(who, line) {
                self.sent.insert((who, line.to_owned()));
            }
        }
    }

    /// Whether this plain client has sent this message, and nobody else can have.
    pub(super) fn has_sent(&self, who: char, text: &str) -> bool {
        self.sent.contains(&(who, text.to_owned()))
    }

    /// Whether a client of this case has sent this message, and nobody else can have.
    pub(super) fn is_own_text(&self, text: &str) -> bool {
        ('A'..='Z').any(|who| self.names.is_fresh_text(who, text))
    }

    /// Records that the line at this position of the transcript breaks the clause.
    pub(super) fn record_wrong(&mut self, at: u64, clause: &'static str) {
        if self.wrong.len() < MAX_WRONG {
            self.wrong.insert(at, clause);
        }
    }

    /// The clause that the line at this position breaks, if it is wrong by itself.
    pub(super) fn wrong_clause(&self, at: u64) -> Option<&'static str> {
        self.wrong.get(&at).copied()
    }

    /// Whether `received` is the `expected` line. `None`: it is not. `Some(false)`: it is a part of a roster. A roster may
    /// also contain strangers.
    pub(super) fn matches(
        &mut self,
        expected: &str,
        received: &str,
        guests: &mut Guests,
        who: char,
        at: u64,
    ) -> Option<bool> {
        match (expected.strip_prefix("LIST CLIENTS "), received.strip_prefix("LIST CLIENTS ")) {
            (Some(expected), Some(received)) => self.roster_matches(expected, received, guests, who, at),
            _ if expected == received => {
                guests.received_other(who, at);
                Some(true)
            }
            _ => None,
        }
    }

    /// Whether a roster has all expected names, and no other name of this case. Collects the names until all lines are
    /// there.
    fn roster_matches(
        &mut self,
        expected: &str,
        received: &str,
        guests: &mut Guests,
        who: char,
        at: u64,
    ) -> Option<bool> {
        let (total, names) = received.split_once(' ')?;
        let total: usize = total.parse().ok().filter(|_| !total.starts_with(['0', '+']))?;
        self.roster.extend(names.split(' ').map(str::to_owned));
        if self.roster.len() < total && self.roster.len() < MAX_NAMES {
            return Some(false);
        }
        let present = std::mem::take(&mut self.roster);
        let mut unique = BTreeSet::new();
        if present.len() != total
            || !present.iter().all(|name| !name.is_empty() && unique.insert(name.to_ascii_lowercase()))
        {
            return None;
        }
        let (letters, required): (Vec<_>, Vec<_>) =
            expected.split(' ').skip(1).partition(|name| name.starts_with("guest{"));
        let all_present = required.iter().all(|name| present.iter().any(|other| other == name));
        let no_other = present.iter().all(|name| required.contains(&name.as_str()) || !self.is_own_name(name));
        if !all_present || !no_other {
            return None;
        }
        let letters = letters.iter().filter_map(|name| name.strip_prefix("guest{")?.chars().next()).collect();
        let numbers = present.iter().filter_map(|name| name.strip_prefix("guest").map(str::to_owned)).collect();
        guests.received_roster(who, at, letters, numbers);
        guests.all_arrived(who).map(|_| true)
    }

    /// Whether a named client of this case has the name.
    fn is_own_name(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether the line is about a stranger, or to all clients.
    pub(super) fn is_about_stranger(&self, line: &str) -> bool {
        let mut words = line.splitn(4, ' ');
        let (verb, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match (verb, words.next(), words.next()) {
            // A notice of the operator, which no case asks for (clause 7.8).
            ("NOTICE", ..) => line.strip_prefix("NOTICE ").is_some_and(|text| Text::new(text).is_ok()),
            ("JOIN" | "LOGOUT", None, None) => chat_proto::Name::new(name).is_ok() && !self.is_own_name(name),
            ("FROM", Some("MSG"), Some(text)) => {
                chat_proto::Name::new(name).is_ok() && Text::new(text).is_ok() && !self.is_own_name(name)
            }
            _ => false,
        }
    }

    /// Whether the line is a message of a named stranger.
    pub(super) fn is_about_named_stranger(&self, line: &str) -> bool {
        super::guests::split(line).is_none() && line.starts_with("FROM ") && self.is_about_stranger(line)
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
        let room = room();
        for line in ["JOIN eve", "LOGOUT guest4", "FROM eve MSG mine", "NOTICE a", "NOTICE a  b c d"] {
            assert!(room.is_about_stranger(line), "{line}");
        }
        for line in [
            "OK",
            "JOIN ann0000007",
            "LOGOUT BOB0000007",
            "FROM ann0000007 MSG x",
            "JOIN",
            "JOIN b*b",
            "NOTICE",
            "NOTICE ",
        ] {
            assert!(!room.is_about_stranger(line), "{line}");
        }
    }

    #[test]
    fn rosters_may_contain_strangers_but_no_client_that_left() {
        let matches = |room: &mut RoomView, received: &str| {
            room.matches("LIST CLIENTS 1 ann0000007", received, &mut Guests::default(), 'A', 0)
        };
        assert_eq!(matches(&mut room(), "LIST CLIENTS 3 eve ann0000007 guest4"), Some(true));
        for wrong in [
            "LIST CLIENTS 2 ann0000007 bob0000007",
            "LIST CLIENTS 1 eve",
            "LIST CLIENTS 1 ann0000007 eve",
            "LIST CLIENTS 2 ann0000007 ann0000007",
            "LIST CLIENTS 01 ann0000007",
            "LIST CLIENTS 2 ann0000007 ",
        ] {
            assert_eq!(matches(&mut room(), wrong), None, "{wrong}");
        }
        let mut room = room();
        assert_eq!(matches(&mut room, "LIST CLIENTS 2 eve"), Some(false));
        assert_eq!(matches(&mut room, "LIST CLIENTS 2 ann0000007"), Some(true));
        let mut lines = 0;
        while matches(&mut room, "LIST CLIENTS 999999999999 a b c d e f g h i j k l m n o p").is_some() {
            lines += 16;
        }
        assert!(lines < MAX_NAMES && room.roster.is_empty());
    }
}
