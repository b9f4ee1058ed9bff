//! What went by, as steps of a case that `chat-conform server` can play again.

use std::collections::{BTreeMap, BTreeSet};

use super::Notes;
use crate::transcript::visible;

/// There are so many letters for guests. Those after them are left out, as strangers are.
const LETTERS: u8 = 26;
/// The names of so many clients are known. Those after them are strangers.
const MOST_NAMES: usize = 10_000;

/// What is known of everybody, to leave strangers out and to give guests a letter.
#[derive(Debug, Default)]
pub struct Saved {
    names: BTreeSet<String>,
    guests: BTreeMap<String, char>,
}

impl Saved {
    /// The heading of a file that holds this case.
    pub fn heading(name: &str) -> String {
        format!("# What a proxy saw.\n\ncase {name} robust MUST 5.1\n: A conversation that took place.\n")
    }

    /// The step that a line is, unless it is about a stranger.
    pub fn line(&mut self, who: char, sends: bool, bytes: &[u8], notes: &Notes) -> Option<String> {
        if let Some(name) = notes.name().filter(|_| self.names.len() < MOST_NAMES) {
            self.names.insert(name.as_str().to_ascii_lowercase());
        }
        let terminator = if sends || notes.wants_crlf() { "\r\n" } else { "\n" };
        let text = str::from_utf8(bytes).ok().and_then(|text| text.strip_suffix(terminator));
        // Lines of the server are compared with the terminator that they should have.
        let text =
            text.filter(|text| visible(text.as_bytes()).len() == text.len() || !text.chars().any(char::is_control));
        let sign = if sends { '>' } else { '<' };
        match text {
            Some("") if sends => Some(format!("{who}>")),
            Some(text) if sends => Some(format!("{who}> {text}")),
            Some(text) => self.told(text).map(|text| format!("{who}< {text}")),
            None => Some(format!("{who}{sign}raw \"{}\"", visible(bytes))),
        }
    }

    /// The server's line, with letters for the numbers of guests and without strangers.
    fn told(&mut self, line: &str) -> Option<String> {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["JOIN" | "LOGOUT", name] => Some(format!("{} {}", words[0], self.name(name)?)),
            ["FROM", name, "MSG", ..] => {
                let text = line.splitn(4, ' ').last().unwrap_or_default();
                Some(format!("FROM {} MSG {text}", self.name(name)?))
            }
            ["LIST", "CLIENTS", _, names @ ..] => {
                let names: Vec<_> = names.iter().filter_map(|name| self.name(name)).collect();
                Some(format!("LIST CLIENTS {} {}", names.len(), names.join(" ")))
            }
            // Its server will not say it again.
            ["NOTICE", ..] => None,
            _ => Some(line.to_owned()),
        }
    }

    /// As a case writes it; `None` for a stranger.
    fn name(&mut self, name: &str) -> Option<String> {
        let digits = name.strip_prefix("guest").filter(|digits| !digits.is_empty());
        if digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())) {
            if !self.guests.contains_key(name) {
                let next = u8::try_from(self.guests.len()).ok().filter(|count| *count < LETTERS)?;
                self.guests.insert(name.to_owned(), char::from(b'a' + next));
            }
            return self.guests.get(name).map(|letter| format!("guest{{{letter}}}"));
        }
        self.names.contains(&name.to_ascii_lowercase()).then(|| name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_go_and_guests_get_letters() {
        let (mut saved, mut notes) = (Saved::default(), Notes::default());
        let mut line = |sends: bool, line: &str| {
            if sends {
                notes.client(line.as_bytes())
            } else {
                notes.server(line.as_bytes())
            };
            saved.line('A', sends, line.as_bytes(), &notes)
        };
        assert_eq!(line(true, "PROT 0.1 CONNECT USER bob\r\n").as_deref(), Some("A> PROT 0.1 CONNECT USER bob"));
        line(false, "NAME OK\r\n");
        line(false, "WELCOME\r\n");
        assert_eq!(line(false, "JOIN eve\r\n"), None);
        assert_eq!(line(false, "JOIN guest7\r\n").as_deref(), Some("A< JOIN guest{a}"));
        assert_eq!(line(false, "FROM guest7 MSG a  b\r\n").as_deref(), Some("A< FROM guest{a} MSG a  b"));
        for number in 100..100_000 {
            line(false, &format!("JOIN guest{number}\r\n"));
        }
        assert_eq!(line(false, "LOGOUT guest124\r\n").as_deref(), Some("A< LOGOUT guest{z}"));
        assert_eq!(line(false, "LOGOUT guest125\r\n"), None, "no letter is left");
        assert_eq!(line(false, "LIST CLIENTS 3 eve guest7 bob\r\n").as_deref(), Some("A< LIST CLIENTS 2 guest{a} bob"));
        assert_eq!(line(false, "NOTICE the server stops\r\n"), None);
        assert_eq!(line(true, "MSG a\u{1b}\n").as_deref(), Some("A>raw \"MSG a\\u{1B}\\n\""));
        assert_eq!(line(false, "OK\n").as_deref(), Some("A<raw \"OK\\n\""));
    }
}
