//! Completes names of clients and commands with the Tab key.

use std::ops::Range;

use chat_client::{Event, Name};

use super::command::COMMANDS;

/// The names of the clients in the room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Completions(Vec<Name>);

/// The candidates for one word. Each Tab puts the next one in its place.
#[derive(Debug)]
pub(crate) struct Candidates {
    words: Vec<String>,
    next: usize,
    /// The part of the draft that the next candidate replaces.
    pub(crate) range: Range<usize>,
}

impl Completions {
    /// Applies a join, a leave, a roster, or the sender of a message.
    pub(crate) fn update(&mut self, event: &Event) {
        match event {
            Event::Roster { names, .. } => self.0.clone_from(names),
            Event::Joined { name, .. } | Event::Message { from: name, .. } if !self.0.contains(name) => {
                self.0.push(*name);
            }
            Event::Left { name, .. } => self.0.retain(|known| known != name),
            _ => {}
        }
    }

    /// The candidates for the word before the cursor. `None` if there are none.
    pub(crate) fn candidates(&self, text: &str, cursor: usize) -> Option<Candidates> {
        let before = &text[..cursor];
        let start = before
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let word = &before[start..];
        let starts_line = before[..start].trim().is_empty();
        let words: Vec<_> = if starts_line && word.starts_with('/') {
            COMMANDS.iter().filter(|known| known.starts_with(word)).map(|known| format!("{known} ")).collect()
        } else {
            // At the start of a line, the name addresses a client.
            let end = if starts_line { ": " } else { " " };
            self.names(word.trim_start_matches('@')).map(|name| format!("{name}{end}")).collect()
        };
        (!words.is_empty()).then_some(Candidates { words, next: 0, range: start..cursor })
    }

    /// The names that start with this, in alphabetical order.
    fn names(&self, start: &str) -> impl Iterator<Item = Name> {
        let is_match = |name: &&Name| {
            let name = name.as_str().get(..start.len());
            !start.is_empty() && name.is_some_and(|name| name.eq_ignore_ascii_case(start))
        };
        let mut names: Vec<_> = self.0.iter().filter(is_match).copied().collect();
        names.sort_unstable_by_key(|name| name.as_str().to_ascii_lowercase());
        names.into_iter()
    }
}

impl Candidates {
    /// The next candidate, and the part of the draft that it replaces.
    pub(crate) fn next(&mut self) -> (Range<usize>, &str) {
        let word = &self.words[self.next];
        self.next = (self.next + 1) % self.words.len();
        let replaced = self.range.clone();
        self.range.end = replaced.start + word.len();
        (replaced, word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_commands_are_completed() {
        let mut completions = Completions::default();
        let name = |name: &str| name.parse::<Name>().unwrap();
        completions.update(&Event::roster(vec![name("Alice"), name("bob"), name("al")]));
        completions.update(&Event::joined(name("carol")));
        completions.update(&Event::left(name("bob")));
        for (line, expected) in [
            ("a", &["al: ", "Alice: "][..]),
            ("AL", &["al: ", "Alice: "]),
            (" al", &["al: ", "Alice: "]),
            ("hi @c", &["carol "]),
            ("b", &[]),
            ("", &[]),
            ("é al", &["al ", "Alice "]),
            ("é\u{3000}al", &["al ", "Alice "]),
            ("é", &[]),
            ("/re", &["/reconnect "]),
            (" /re", &["/reconnect "]),
            ("say /q", &[]),
        ] {
            let words = completions.candidates(line, line.len()).map(|candidates| candidates.words).unwrap_or_default();
            assert_eq!(words, expected, "{line:?}");
        }
        assert_eq!(completions.candidates("/", 1).unwrap().words.len(), COMMANDS.len());
    }

    #[test]
    fn each_tab_shows_the_next_candidate() {
        let mut candidates = Candidates { words: vec!["al ".into(), "Alice ".into()], next: 0, range: 3..5 };
        assert_eq!(candidates.next(), (3..5, "al "));
        assert_eq!(candidates.next(), (3..6, "Alice "));
        assert_eq!(candidates.next(), (3..9, "al "));
    }
}
