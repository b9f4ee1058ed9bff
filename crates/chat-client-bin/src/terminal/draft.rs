//! The line being typed: its text, and the rows of the screen that it takes.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use reedline::{Highlighter, Prompt, PromptEditMode, PromptHistorySearch, StyledText};
use unicode_width::UnicodeWidthChar;

use super::size;

/// Columns that the editor's printer assumes for the prompt.
const PRINTER_PROMPT_COLUMNS: usize = 3;

/// A handle to the draft. The editor has a clone and updates it at each repaint.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The prompt that the next repaint shows.
    next_prompt: String,
    /// The prompt on the screen.
    prompt: String,
    line: String,
    /// Byte position of the cursor.
    cursor: usize,
    /// The editor is searching its history, and shows a line of it instead.
    is_searching: bool,
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

    /// The escape sequence that clears the line and puts the cursor where the editor's printer expects it. `None`: the
    /// printer cannot print now.
    ///
    /// Before it prints, the printer moves up by the rows of the line, which it computes from bytes instead of columns.
    /// With accents, or with the cursor in an earlier row, it would move too far and overwrite printed lines. It does
    /// not clear the rows either, so the terminal would join their wrapped parts.
    pub(super) fn prepare_print(&self) -> Option<String> {
        let (state, columns) = (self.state(), size::columns());
        if state.is_searching || state.row_after_enter(columns) >= usize::from(size::rows()) {
            return None;
        }
        Some(clear_from(state.cursor_row(columns)) + &"\n".repeat(state.printer_rows(columns)))
    }

    /// The escape sequence that clears the line while the cursor is in it.
    pub(super) fn erase(&self) -> String {
        clear_from(self.state().cursor_row(size::columns()))
    }

    /// The escape sequence that clears the line after Enter, when the cursor is in the row below.
    pub(super) fn erase_entered(&self) -> String {
        clear_from(self.state().row_after_enter(size::columns()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The escape sequence that moves up by `rows` and clears the screen from there down.
fn clear_from(rows: usize) -> String {
    if rows == 0 { "\r\u{1b}[J".to_owned() } else { format!("\u{1b}[{rows}A\r\u{1b}[J") }
}

impl State {
    /// The row of the cursor, relative to the prompt.
    fn cursor_row(&self, columns: usize) -> usize {
        let before = self.line.get(..self.cursor).unwrap_or(&self.line);
        let (row, column) = position(&[&self.prompt, before], columns);
        // After a full row, the editor moves the cursor to the start of the next row.
        if column >= columns { row + 1 } else { row }
    }

    /// The last row of the line.
    fn last_row(&self, columns: usize) -> usize {
        position(&[&self.prompt, &self.line], columns).0
    }

    /// The row of the cursor after Enter.
    fn row_after_enter(&self, columns: usize) -> usize {
        self.cursor_row(columns).max(self.last_row(columns)) + 1
    }

    /// The number of rows that the printer moves up.
    fn printer_rows(&self, columns: usize) -> usize {
        let prompts = std::iter::once(PRINTER_PROMPT_COLUMNS).chain(std::iter::repeat(0));
        let rows = self.line.lines().zip(prompts).map(|(line, prompt)| (line.len() + prompt) / columns + 1);
        rows.sum::<usize>().saturating_sub(1)
    }
}

/// The row and column of the cursor after this text. After a full row the column is the width, because a terminal wraps
/// only when the next character arrives.
fn position(text: &[&str], columns: usize) -> (usize, usize) {
    let (mut row, mut column) = (0, 0);
    for c in text.iter().flat_map(|text| text.chars()) {
        if c == '\n' {
            (row, column) = (row + 1, 0);
            continue;
        }
        let width = c.width().unwrap_or(0);
        // The terminal does not split a wide character between rows.
        if column + width > columns {
            (row, column) = (row + 1, 0);
        }
        column += width;
    }
    (row, column)
}

impl Highlighter for Draft {
    #[allow(clippy::default_trait_access, reason = "reedline does not export the type of a style")]
    fn highlight(&self, line: &str, cursor: usize) -> StyledText {
        let mut state = self.state();
        let prompt = state.next_prompt.clone();
        (state.prompt, state.line) = (prompt, line.replace(is_hidden_control, " "));
        (state.cursor, state.is_searching) = (cursor, false);
        let mut plain = StyledText::new();
        plain.push((Default::default(), state.line.clone()));
        plain
    }
}

/// Whether to show a space instead: a paste may contain control characters. Each is one byte, as a space is, so the
/// cursor position stays valid.
fn is_hidden_control(c: char) -> bool {
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
        self.state().is_searching = true;
        Cow::Owned(format!("(search: {}) ", search.term))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_counts_match_the_terminal_and_the_printer() {
        for (line, cursor, cursor_row, row_after_enter, printer_rows) in [
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
            let rows = (state.cursor_row(10), state.row_after_enter(10), state.printer_rows(10));
            assert_eq!(rows, (cursor_row, row_after_enter, printer_rows), "{line:?} {cursor}");
        }
    }
}
