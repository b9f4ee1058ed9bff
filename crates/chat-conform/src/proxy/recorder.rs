//! Writes the traffic as a case that `chat-conform server` can play.

use std::collections::{BTreeMap, BTreeSet};

use super::Annotator;
use crate::transcript::visible;

/// The most guests that get a letter. Later guests are left out, as strangers are.
const MAX_GUESTS: u8 = 26;
/// The most clients whose names are stored. Later clients count as strangers.
const MAX_NAMES: usize = 10_000;

/// Turns lines into steps. Leaves out *strangers*, the clients that do not use the proxy, and gives each guest a
/// letter.
#[derive(Debug, Default)]
pub struct Recorder {
    /// The names of the proxy's clients, in lower case.
    names: BTreeSet<String>,
    /// From a guest's name to its letter.
    guests: BTreeMap<String, char>,
}

impl Recorder {
    /// The first lines of the case file.
    pub fn heading(name: &str) -> String {
        format!("# Saved by chat-conform proxy.\n\ncase {name} robust MUST 5.1\n: A recorded session.\n")
    }

    /// Makes a step from a line of the connection `who`. `None` if the line is about a stranger.
    pub fn step(&mut self, who: char, from_client: bool, bytes: &[u8], annotator: &Annotator) -> Option<String> {
        if let Some(name) = annotator.name().filter(|_| self.names.len() < MAX_NAMES) {
            self.names.insert(name.as_str().to_ascii_lowercase());
        }
        let terminator = if from_client || annotator.wants_crlf() { "\r\n" } else { "\n" };
        let text = str::from_utf8(bytes).ok().and_then(|text| text.strip_suffix(terminator));
        // A line with another terminator or with control characters becomes a `raw` step.
        let text =
            text.filter(|text| visible(text.as_bytes()).len() == text.len() || !text.chars().any(char::is_control));
        let sign = if from_client { '>' } else { '<' };
        match text {
            Some("") if from_client => Some(format!("{who}>")),
            Some(text) if from_client => Some(format!("{who}> {text}")),
            Some(text) => self.server_line(text).map(|text| format!("{who}< {text}")),
            None => Some(format!("{who}{sign}raw \"{}\"", visible(bytes))),
        }
    }

    /// Replaces the numbers of guests by letters, and removes strangers from rosters. `None` if the line is about a
    /// stranger.
    fn server_line(&mut self, line: &str) -> Option<String> {
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

    /// The name as it stands in a case. `None` for a stranger.
    fn name(&mut self, name: &str) -> Option<String> {
        let digits = name.strip_prefix("guest").filter(|digits| !digits.is_empty());
        if digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())) {
            if !self.guests.contains_key(name) {
                let next = u8::try_from(self.guests.len()).ok().filter(|count| *count < MAX_GUESTS)?;
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
    fn strangers_are_left_out_and_guests_get_letters() {
        let (mut recorder, mut annotator) = (Recorder::default(), Annotator::default());
        let mut line = |from_client: bool, line: &str| {
            if from_client {
                annotator.client_line(line.as_bytes())
            } else {
                annotator.server_line(line.as_bytes())
            };
            recorder.step('A', from_client, line.as_bytes(), &annotator)
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
