//! What the editor's printer gets wrong, made good: it counts the rows of the line being typed by octets, from its end.
//!
//! So a line with accents, or with the cursor further up, makes it move up too far, over rows that were printed before.
//! These are printed again.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use reedline::{Highlighter, StyledText};
use unicode_width::UnicodeWidthStr;

use super::size;

/// The columns of the prompt, as the printer counts them.
const PROMPT: usize = 3;
/// The longest line being typed that is made good, in rows.
const KEPT: usize = 64;

/// By how many rows it is too far. The editor tells on each repaint what is being typed.
#[derive(Clone, Debug, Default)]
pub(super) struct Excess(Arc<AtomicUsize>);

impl Excess {
    pub(super) fn rows(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Highlighter for Excess {
    #[allow(clippy::default_trait_access, reason = "the type of a style is of a crate that the editor keeps to itself")]
    fn highlight(&self, line: &str, cursor: usize) -> StyledText {
        self.0.store(excess(line, cursor, size::columns()), Ordering::Relaxed);
        let mut plain = StyledText::new();
        plain.push((Default::default(), line.to_owned()));
        plain
    }
}

fn excess(line: &str, cursor: usize, columns: usize) -> usize {
    let before = line.get(..cursor).unwrap_or(line);
    let (counted, true_row) = ((line.len() + PROMPT) / columns, (before.width() + PROMPT) / columns);
    counted.saturating_sub(true_row)
}

/// The rows that were printed last.
#[derive(Debug, Default)]
pub(super) struct Printed(VecDeque<String>);

impl Printed {
    /// The last `rows` and this text, which are rows too.
    pub(super) fn with_last(&mut self, rows: usize, text: &str) -> String {
        let last: Vec<_> = self.0.iter().skip(self.0.len().saturating_sub(rows)).map(String::as_str).collect();
        let whole = if last.is_empty() { text.to_owned() } else { format!("{}\n{text}", last.join("\n")) };
        for row in text.lines() {
            if self.0.len() == KEPT {
                self.0.pop_front();
            }
            // A bell rings once.
            self.0.push_back(row.replace('\u{7}', ""));
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_not_columns() {
        for (line, cursor, rows) in [
            ("", 0, 0),
            ("0123456", 7, 0),
            ("01234567", 8, 0),
            ("01234567", 0, 1),
            ("éééé", 8, 1),
            ("日本日本日", 15, 0),
            ("日本日本", 12, 0),
            ("日本日", 9, 1),
        ] {
            assert_eq!(excess(line, cursor, 10), rows, "{line} {cursor}");
        }
    }

    #[test]
    fn what_is_overwritten_is_printed_again() {
        let mut printed = Printed::default();
        assert_eq!(printed.with_last(2, "a\u{7}"), "a\u{7}");
        assert_eq!(printed.with_last(0, "b\nc"), "b\nc");
        assert_eq!(printed.with_last(3, "d"), "a\nb\nc\nd");
        assert_eq!(printed.with_last(1, "e"), "d\ne");
    }
}
