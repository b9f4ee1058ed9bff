//! The line being typed, as it stands on the screen: what the editor paints, and where that begins and ends.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use reedline::{Highlighter, Prompt, PromptEditMode, PromptHistorySearch, StyledText};
use unicode_width::UnicodeWidthChar;

use super::size;

/// The columns of the prompt, as the editor's printer counts them.
const COUNTED_PROMPT: usize = 3;

/// Shared with the editor, which tells on each repaint what is being typed.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What stands before the line from the next repaint on.
    next_prompt: String,
    prompt: String,
    line: String,
    /// Where the cursor is, in octets.
    cursor: usize,
    /// A line of the history is shown instead.
    searching: bool,
}

impl Draft {
    pub(super) fn new(prompt: &str) -> Self {
        let draft = Self::default();
        draft.set_prompt(prompt);
        draft
    }

    pub(super) fn set_prompt(&self, prompt: &str) {
        prompt.clone_into(&mut self.state().next_prompt);
    }

    /// What makes the cursor stand where the editor's printer believes it to be; `None`: there is no room for other lines.
    ///
    /// The printer goes up by as many rows as the whole line has, counted by octets. So with accents, or with the cursor
    /// further up, it would go too far, over lines that were printed before. Nor does it clear the rows it prints on, and a
    /// terminal would take them for one long line still.
    pub(super) fn step_aside(&self) -> Option<String> {
        let (state, columns) = (self.state(), size::columns());
        if state.searching || state.below(columns) >= usize::from(size::rows()) {
            return None;
        }
        let (row, counted) = (state.row(columns), state.counted(columns));
        Some(away(row) + &"\n".repeat(counted))
    }

    /// What takes the line away, the cursor being in it.
    pub(super) fn erase(&self) -> String {
        away(self.state().row(size::columns()))
    }

    /// What takes the line away once it was entered: the cursor is in the row below.
    pub(super) fn erase_entered(&self) -> String {
        away(self.state().below(size::columns()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Clears from so many rows above on.
fn away(rows: usize) -> String {
    if rows == 0 { "\r\u{1b}[J".to_owned() } else { format!("\u{1b}[{rows}A\r\u{1b}[J") }
}

impl State {
    /// The row of the cursor, counted from that of the prompt.
    fn row(&self, columns: usize) -> usize {
        let before = self.line.get(..self.cursor).unwrap_or(&self.line);
        let (row, column) = position(&[&self.prompt, before], columns);
        // Behind a full row it rests at the begin of the next.
        if column >= columns { row + 1 } else { row }
    }

    /// The last row.
    fn end(&self, columns: usize) -> usize {
        position(&[&self.prompt, &self.line], columns).0
    }

    /// The row that the cursor is in once the line was entered.
    fn below(&self, columns: usize) -> usize {
        self.row(columns).max(self.end(columns)) + 1
    }

    /// The rows that the printer goes up by.
    fn counted(&self, columns: usize) -> usize {
        let prompts = std::iter::once(COUNTED_PROMPT).chain(std::iter::repeat(0));
        let rows = self.line.lines().zip(prompts).map(|(line, prompt)| (line.len() + prompt) / columns + 1);
        rows.sum::<usize>().saturating_sub(1)
    }
}

/// Row and column behind this text. Behind a full row the column is the width: the terminal waits for what follows.
fn position(text: &[&str], columns: usize) -> (usize, usize) {
    let (mut row, mut column) = (0, 0);
    for c in text.iter().flat_map(|text| text.chars()) {
        if c == '\n' {
            (row, column) = (row + 1, 0);
            continue;
        }
        let width = c.width().unwrap_or(0);
        // A wide character is not split.
        if column + width > columns {
            (row, column) = (row + 1, 0);
        }
        column += width;
    }
    (row, column)
}

impl Highlighter for Draft {
    #[allow(clippy::default_trait_access, reason = "the type of a style is of a crate that the editor keeps to itself")]
    fn highlight(&self, line: &str, cursor: usize) -> StyledText {
        let mut state = self.state();
        let prompt = state.next_prompt.clone();
        (state.prompt, state.line) = (prompt, line.replace(harmful, " "));
        (state.cursor, state.searching) = (cursor, false);
        let mut plain = StyledText::new();
        plain.push((Default::default(), state.line.clone()));
        plain
    }
}

/// What would move the cursor, as a paste may bring it. As long in octets as the space that is shown.
fn harmful(c: char) -> bool {
    c.is_ascii_control() && c != '\n'
}

impl Prompt for Draft {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Owned(self.state().prompt.clone())
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        self.state().searching = true;
        Cow::Owned(format!("(search: {}) ", search.term))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_as_a_terminal_wraps_and_as_the_printer_does() {
        for (line, cursor, row, below, counted) in [
            ("", 0, 0, 1, 0),
            ("0123456", 7, 1, 2, 1),
            ("0123456", 6, 0, 1, 1),
            ("01234567", 0, 0, 2, 1),
            ("éééé", 8, 0, 1, 1),
            ("日本日本日", 15, 1, 2, 1),
            ("日本日", 9, 0, 1, 1),
            ("e\u{301}e\u{301}e\u{301}", 9, 0, 1, 1),
            ("a\nb", 3, 1, 2, 1),
            ("a\n", 2, 1, 2, 0),
            ("0123456\nb", 9, 1, 2, 2),
        ] {
            let state = State { prompt: ">> ".to_owned(), line: line.to_owned(), cursor, ..State::default() };
            assert_eq!((state.row(10), state.below(10), state.counted(10)), (row, below, counted), "{line:?} {cursor}");
        }
    }
}
