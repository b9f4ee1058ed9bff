//! Searches the history backwards, as Ctrl-R does in a shell.

use super::history::History;

/// A search in progress.
#[derive(Debug, Default)]
pub(crate) struct Search {
    term: String,
    /// Index of the line found last. `None`: no line contains the term.
    found: Option<usize>,
}

impl Search {
    /// The prompt, with the term.
    pub(crate) fn prompt(&self) -> String {
        let failed = if self.found.is_none() && !self.term.is_empty() { "not found: " } else { "" };
        format!("({failed}search: {}) ", self.term)
    }

    /// The line that was found, or an empty one.
    pub(crate) fn found<'a>(&self, history: &'a History) -> &'a str {
        self.found.and_then(|index| history.get(index)).unwrap_or_default()
    }

    /// Adds to the term, and searches from the newest line on.
    pub(crate) fn extend(&mut self, text: &str, history: &History) {
        self.term.push_str(text);
        self.found = self.find(history, history.len());
    }

    /// Removes the last character of the term.
    pub(crate) fn shorten(&mut self, history: &History) {
        self.term.pop();
        self.found = self.find(history, history.len());
    }

    /// Searches for an older line.
    pub(crate) fn next(&mut self, history: &History) {
        let before = self.found.unwrap_or(history.len());
        self.found = self.find(history, before).or(self.found);
    }

    fn find(&self, history: &History, before: usize) -> Option<usize> {
        if self.term.is_empty() {
            return None;
        }
        (0..before).rev().find(|index| history.get(*index).is_some_and(|line| line.contains(&self.term)))
    }
}
