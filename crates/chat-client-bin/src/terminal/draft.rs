//! The line being typed: what the editor shows, and which rows of the screen it takes.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use reedline::{Highlighter, Prompt, PromptEditMode, PromptHistorySearch, StyledText};
use unicode_width::UnicodeWidthChar;

use super::size;

/// Columns of the prompt in the calculation of the editor's printer.
const COUNTED_PROMPT: usize = 3;

/// Shared with the editor, which updates it at each repaint.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The prompt from the next repaint on.
    next_prompt: String,
    prompt: String,
    line: String,
    /// Byte position of the cursor.
    cursor: usize,
    /// The editor shows a line of its history instead.
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

    /// The escape sequence that moves the cursor to where the editor's printer expects it. `None`: no lines can be
    /// printed now.
    ///
    /// The printer moves up by the rows of the whole line, and counts bytes as columns. With accents, or with the
    /// cursor in another row, it would move too far and overwrite earlier lines. It does not clear these rows either,
    /// so the terminal would join their wrapped parts.
    pub(super) fn step_aside(&self) -> Option<String> {
        let (state, columns) = (self.state(), size::columns());
        if state.searching || state.below(columns) >= usize::from(size::rows()) {
            return None;
        }
        let (row, counted) = (state.row(columns), state.counted(columns));
        Some(away(row) + &"\n".repeat(counted))
    }

    /// The sequence that clears the line, with the cursor in it.
    pub(super) fn erase(&self) -> String {
        away(self.state().row(size::columns()))
    }

    /// The sequence that clears the line after Enter, with the cursor in the row below.
    pub(super) fn erase_entered(&self) -> String {
        away(self.state().below(size::columns()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moves up by `rows`, and clears everything from there on.
fn away(rows: usize) -> String {
    if rows == 0 { "\r\u{1b}[J".to_owned() } else { format!("\u{1b}[{rows}A\r\u{1b}[J") }
}

impl State {
    /// The row of the cursor, relative to the prompt.
    fn row(&self, columns: usize) -> usize {
        let before = self.line.get(..self.cursor).unwrap_or(&self.line);
        let (row, column) = position(&[&self.prompt, before], columns);
        // After a full row, the editor puts the cursor at the start of the next.
        if column >= columns { row + 1 } else { row }
    }

    /// The last row of the line.
    fn end(&self, columns: usize) -> usize {
        position(&[&self.prompt, &self.line], columns).0
    }

    /// The row of the cursor after Enter.
    fn below(&self, columns: usize) -> usize {
        self.row(columns).max(self.end(columns)) + 1
    }

    /// The rows that the printer moves up by.
    fn counted(&self, columns: usize) -> usize {
        let prompts = std::iter::once(COUNTED_PROMPT).chain(std::iter::repeat(0));
        let rows = self.line.lines().zip(prompts).map(|(line, prompt)| (line.len() + prompt) / columns + 1);
        rows.sum::<usize>().saturating_sub(1)
    }
}

/// Row and column after this text. After a full row the column is the width, because a terminal wraps at the next
/// character.
fn position(text: &[&str], columns: usize) -> (usize, usize) {
    let (mut row, mut column) = (0, 0);
    for c in text.iter().flat_map(|text| text.chars()) {
        if c == '\n' {
            (row, column) = (row + 1, 0);
            continue;
        }
        let width = c.width().unwrap_or(0);
        // A wide character is not split between rows.
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

/// Control characters, which a paste may contain. Each is one byte long, as the space that replaces it.
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
    fn rows_are_counted_like_the_terminal_and_the_printer_do() {
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
