//! The lines that were entered before. Up and Down recall them.

use std::collections::VecDeque;

use super::history_file::HistoryFile;

/// Maximum number of lines.
pub(crate) const MAX_LINES: usize = 1_000;

/// The history. With a file, it is kept between starts.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Oldest first.
    lines: VecDeque<String>,
    file: Option<HistoryFile>,
    /// The line that is recalled now, and the draft from before.
    recalled: Option<(usize, String)>,
}

impl History {
    /// The history that is kept between starts. Without a home directory, it is kept in memory only.
    pub(crate) fn kept() -> Self {
        HistoryFile::default_path().map_or_else(Self::default, |path| Self::with_file(HistoryFile::new(path)))
    }

    /// A history with the lines of this file.
    pub(crate) fn with_file(file: HistoryFile) -> Self {
        Self { lines: file.read().into(), file: Some(file), recalled: None }
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&str> {
        self.lines.get(index).map(String::as_str)
    }

    /// Adds a line, unless it is empty or the same as the newest one.
    pub(crate) fn add(&mut self, line: &str) {
        self.recalled = None;
        if line.trim().is_empty() || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() == MAX_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line.to_owned());
        // A line of the file is one entry.
        if let Some(file) = self.file.as_mut().filter(|_| !line.contains('\n')) {
            file.append(line);
        }
    }

    /// The line before the recalled one, or the newest one. `draft` is kept for [`History::next`].
    pub(crate) fn previous(&mut self, draft: &str) -> Option<&str> {
        let (index, draft) = match self.recalled.take() {
            Some((index, draft)) => (index.saturating_sub(1), draft),
            None => (self.lines.len().checked_sub(1)?, draft.to_owned()),
        };
        self.recalled = Some((index, draft));
        self.get(index)
    }

    /// The line after the recalled one, or the draft from before. `None` if no line is recalled.
    pub(crate) fn next(&mut self) -> Option<String> {
        let (index, draft) = self.recalled.take()?;
        match self.lines.get(index + 1) {
            Some(line) => {
                self.recalled = Some((index + 1, draft));
                Some(line.clone())
            }
            None => Some(draft),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_and_down_recall_lines_and_return_to_the_draft() {
        let mut history = History::default();
        assert_eq!(history.previous("draft"), None);
        for line in ["one", "two", "two", " ", "three"] {
            history.add(line);
        }
        for expected in ["three", "two", "one", "one"] {
            assert_eq!(history.previous("draft"), Some(expected));
        }
        for expected in [Some("two"), Some("three"), Some("draft"), None] {
            assert_eq!(history.next().as_deref(), expected);
        }
    }

    #[test]
    fn the_history_is_limited() {
        let mut history = History::default();
        (0..MAX_LINES + 5).for_each(|number| history.add(&number.to_string()));
        assert_eq!((history.len(), history.get(0)), (MAX_LINES, Some("5")));
    }
}
