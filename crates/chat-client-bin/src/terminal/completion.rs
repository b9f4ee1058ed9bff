//! Completes names of clients and commands with the Tab key.

use std::sync::{Arc, Mutex, PoisonError};

use chat_client::{Event, Name};
use reedline::{Completer, CompletionResult, Span, Suggestion};

const COMMANDS: &[&str] = &["/clients", "/help", "/name", "/quit", "/reconnect"];

/// The names of the clients in the room. Events update them, and the editor's thread reads them.
#[derive(Clone, Debug, Default)]
pub(super) struct Completions(Arc<Mutex<Vec<Name>>>);

impl Completions {
    /// Applies a join, a leave, a roster, or the sender of a message.
    pub(super) fn update(&self, event: &Event) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Roster { names: all, .. } => names.clone_from(all),
            Event::Joined { name, .. } | Event::Message { from: name, .. } if !names.contains(name) => {
                names.push(*name);
            }
            Event::Left { name, .. } => names.retain(|known| known != name),
            _ => {}
        }
    }

    /// Returns where the word before `position` starts, and its completions.
    fn complete_word(&self, line: &str, position: usize) -> (usize, Vec<String>) {
        let before = &line[..position];
        let start = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        let word = &before[start..];
        if start == 0 && word.starts_with('/') {
            return (
                0,
                COMMANDS.iter().filter(|known| known.starts_with(word)).map(|&known| known.to_owned()).collect(),
            );
        }
        let prefix = word.trim_start_matches('@').to_lowercase();
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut candidates: Vec<_> = names
            .iter()
            .map(Name::as_str)
            .filter(|name| !prefix.is_empty() && name.to_lowercase().starts_with(&prefix))
            // At the start of a line, the name addresses a client.
            .map(|name| if start == 0 { format!("{name}:") } else { name.to_owned() })
            .collect();
        candidates.sort_unstable_by_key(|name| name.to_lowercase());
        (start, candidates)
    }
}

impl Completer for Completions {
    fn complete(&mut self, line: &str, position: usize) -> CompletionResult {
        let (start, candidates) = self.complete_word(line, position);
        let suggestion = |value| Suggestion {
            value,
            span: Span::new(start, position),
            append_whitespace: true,
            ..Suggestion::default()
        };
        CompletionResult::fresh(candidates.into_iter().map(suggestion).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_commands_are_completed() {
        let completions = Completions::default();
        let name = |name: &str| name.parse::<Name>().unwrap();
        completions.update(&Event::roster(vec![name("Alice"), name("bob"), name("al")]));
        completions.update(&Event::joined(name("carol")));
        completions.update(&Event::left(name("bob")));
        for (line, expected) in [
            ("a", &["al:", "Alice:"][..]),
            ("AL", &["al:", "Alice:"]),
            ("hi @c", &["carol"]),
            ("b", &[]),
            ("", &[]),
            ("é al", &["al", "Alice"]),
            ("/re", &["/reconnect"]),
            ("/", COMMANDS),
            ("say /q", &[]),
        ] {
            assert_eq!(completions.complete_word(line, line.len()).1, expected, "{line:?}");
        }
    }
}
