//! The rows at the bottom of the screen: the prompt, and the line being typed with its cursor.
//!
//! The terminal's own cursor is hidden and stays at the start of the first row. The client shows a cursor of its own, in
//! reverse video. So the rows can be cleared without knowing how the terminal has measured them, or how it has wrapped
//! them again after its size has changed. They are written without automatic wrapping: when the program does not know the
//! new size yet, each row still takes one row.

use unicode_segmentation::UnicodeSegmentation;

use super::visible::{cluster_columns, visible};

/// Clears the rows. The terminal's cursor is at the start of the first one.
pub(crate) const CLEAR: &str = "\r\u{1b}[J";
const NO_WRAP: &str = "\u{1b}[?7l";
const WRAP: &str = "\u{1b}[?7h";
const REVERSE: &str = "\u{1b}[7m";
const NOT_REVERSE: &str = "\u{1b}[27m";

/// Lays out the rows for a terminal of this size, and returns the sequence that shows them. `cursor` is a position in
/// `text`, in bytes. The rows take at most half of the screen: a longer text is shown around its cursor.
pub(crate) fn area(prompt: &str, text: &str, cursor: usize, (screen_rows, width): (usize, usize)) -> String {
    let (rows, cursor_row) = rows(prompt, text, cursor, width);
    let count = rows.len().min((screen_rows / 2).max(1));
    let first = (cursor_row + 1).saturating_sub(count);
    let back = if count > 1 { format!("\u{1b}[{}A", count - 1) } else { String::new() };
    [NO_WRAP, &rows[first..first + count].join("\r\n"), WRAP, &back, "\r"].concat()
}

/// The rows, and the index of the one with the cursor.
fn rows(prompt: &str, text: &str, cursor: usize, width: usize) -> (Vec<String>, usize) {
    let mut rows = Rows { width, all: vec![String::new()], columns: 0 };
    for cluster in prompt.graphemes(true) {
        rows.add(cluster, cluster_columns(cluster), false);
    }
    let mut cursor_row = None;
    for (at, cluster) in text.grapheme_indices(true) {
        let has_cursor = at == cursor;
        if cluster == "\n" {
            if has_cursor {
                rows.add(" ", 1, true);
            }
            cursor_row = cursor_row.or(has_cursor.then_some(rows.all.len() - 1));
            rows.start_row();
            continue;
        }
        let shown = visible_in_draft(cluster);
        rows.add(&shown, shown.graphemes(true).map(cluster_columns).sum(), has_cursor);
        cursor_row = cursor_row.or(has_cursor.then_some(rows.all.len() - 1));
    }
    if cursor_row.is_none() {
        rows.add(" ", 1, true);
    }
    let last = rows.all.len() - 1;
    (rows.all, cursor_row.unwrap_or(last))
}

/// What is shown for a cluster of the draft. A joiner at its end is text, or becomes text with the next character.
fn visible_in_draft(cluster: &str) -> String {
    let joined = cluster.trim_end_matches(['\u{200c}', '\u{200d}']);
    visible(joined) + &cluster[joined.len()..]
}

struct Rows {
    width: usize,
    all: Vec<String>,
    /// The columns that the last row takes.
    columns: usize,
}

impl Rows {
    fn add(&mut self, shown: &str, columns: usize, has_cursor: bool) {
        if self.columns + columns > self.width && self.columns > 0 {
            self.start_row();
        }
        self.columns += columns;
        let row = self.all.last_mut().expect("there is always a row");
        if has_cursor {
            row.extend([REVERSE, shown, NOT_REVERSE]);
        } else {
            row.push_str(shown);
        }
    }

    fn start_row(&mut self) {
        self.all.push(String::new());
        self.columns = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows, with brackets around the cursor.
    #[track_caller]
    fn check_rows(text: &str, cursor: usize, expected: &[&str], expected_cursor: usize) {
        let (rows, cursor) = rows(">> ", text, cursor, 10);
        let rows: Vec<_> = rows.iter().map(|row| row.replace(REVERSE, "[").replace(NOT_REVERSE, "]")).collect();
        assert_eq!((rows, cursor), (expected.iter().map(|row| (*row).to_owned()).collect(), expected_cursor));
    }

    #[test]
    fn rows_have_room_for_the_cursor() {
        check_rows("", 0, &[">> [ ]"], 0);
        check_rows("012345", 6, &[">> 012345[ ]"], 0);
        check_rows("0123456", 7, &[">> 0123456", "[ ]"], 1);
        check_rows("0123456", 0, &[">> [0]123456"], 0);
        check_rows("01234567", 7, &[">> 0123456", "[7]"], 1);
        check_rows("日本日本日", 15, &[">> 日本日", "本日[ ]"], 1);
        check_rows("a\nb", 1, &[">> a[ ]", "b"], 0);
        check_rows("a\n", 2, &[">> a", "[ ]"], 1);
        check_rows("می\u{200c}خ", 8, &[">> می\u{200c}خ[ ]"], 0);
        check_rows("a\tb\u{7}", 1, &[">> a[    ]b", "\\u{7}"], 0);
    }

    #[test]
    fn clusters_are_shown_whole() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
        check_rows(family, 0, &[&format!(">> [{family}]")], 0);
        check_rows(&format!("abc{family}"), 0, &[">> [a]bc", family], 0);
    }

    #[test]
    fn a_tall_draft_is_shown_around_its_cursor() {
        for (cursor, screen_rows, rows, back) in [
            (0, 4, format!("{REVERSE}a{NOT_REVERSE}\r\nb"), "\u{1b}[1A\r"),
            (4, 5, format!("b\r\n{REVERSE}c{NOT_REVERSE}"), "\u{1b}[1A\r"),
            (7, 3, format!("d{REVERSE} {NOT_REVERSE}"), "\r"),
        ] {
            let expected = format!("{NO_WRAP}{rows}{WRAP}{back}");
            assert_eq!(area("", "a\nb\nc\nd", cursor, (screen_rows, 10)), expected);
        }
    }
}
