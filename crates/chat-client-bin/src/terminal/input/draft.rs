//! The line that is being typed: its text and its cursor. The cursor moves by clusters, which a person sees as characters.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// The text that is being typed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    text: String,
    /// The cursor's position in bytes, at the start of a cluster or at the end of the text.
    cursor: usize,
    /// The text starts with a paste, or contains several lines. It is said as it is: nothing in it is a command.
    is_verbatim: bool,
    /// What was cut last.
    cut: String,
}

impl Draft {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn cursor(&self) -> usize {
        self.cursor
    }

    /// Replaces the text, and puts the cursor at its end.
    pub(crate) fn set(&mut self, text: &str, is_verbatim: bool) {
        text.clone_into(&mut self.text);
        (self.cursor, self.is_verbatim) = (self.text.len(), is_verbatim);
    }

    /// Takes the text, and whether it is verbatim.
    pub(crate) fn take(&mut self) -> (String, bool) {
        self.cursor = 0;
        (std::mem::take(&mut self.text), std::mem::take(&mut self.is_verbatim))
    }

    pub(crate) fn insert(&mut self, text: &str) {
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
        // The text may have joined the cluster after it.
        if !self.is_boundary(self.cursor) {
            self.cursor = self.next();
        }
    }

    /// Inserts a paste. If a line starts with it, the draft is verbatim.
    pub(crate) fn paste(&mut self, text: &str) {
        let starts_line = self.text[..self.cursor].trim_start_matches(' ').is_empty();
        self.is_verbatim |= starts_line || text.contains('\n');
        self.insert(text);
    }

    /// Replaces a part of the text, and puts the cursor after it.
    pub(crate) fn replace(&mut self, range: Range<usize>, text: &str) {
        self.text.replace_range(range.clone(), text);
        self.cursor = range.start + text.len();
    }

    pub(crate) fn move_left(&mut self) {
        self.cursor = self.previous();
    }

    pub(crate) fn move_right(&mut self) {
        self.cursor = self.next();
    }

    pub(crate) fn move_to_start(&mut self) {
        self.cursor = 0;
    }

    pub(crate) fn move_to_end(&mut self) {
        self.cursor = self.text.len();
    }

    pub(crate) fn move_word_left(&mut self) {
        self.cursor = self.previous_word();
    }

    pub(crate) fn move_word_right(&mut self) {
        self.cursor = self.next_word();
    }

    pub(crate) fn delete_left(&mut self) {
        self.delete(self.previous()..self.cursor);
    }

    pub(crate) fn delete_right(&mut self) {
        self.delete(self.cursor..self.next());
    }

    pub(crate) fn cut_word_left(&mut self) {
        self.cut(self.previous_word()..self.cursor);
    }

    pub(crate) fn cut_word_right(&mut self) {
        self.cut(self.cursor..self.next_word());
    }

    pub(crate) fn cut_to_start(&mut self) {
        self.cut(0..self.cursor);
    }

    pub(crate) fn cut_to_end(&mut self) {
        self.cut(self.cursor..self.text.len());
    }

    /// Inserts what was cut last.
    pub(crate) fn insert_cut(&mut self) {
        let cut = self.cut.clone();
        self.insert(&cut);
    }

    /// Exchanges the two clusters before the cursor, or around it.
    pub(crate) fn transpose(&mut self) {
        if self.cursor == self.text.len() {
            self.move_left();
        }
        let (before, after) = (self.previous(), self.next());
        if before < self.cursor && self.cursor < after {
            let swapped = format!("{}{}", &self.text[self.cursor..after], &self.text[before..self.cursor]);
            self.replace(before..after, &swapped);
        }
    }

    fn delete(&mut self, range: Range<usize>) {
        self.replace(range, "");
        if self.text.is_empty() {
            self.is_verbatim = false;
        } else if !self.is_boundary(self.cursor) {
            self.cursor = self.next();
        }
    }

    fn cut(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.text[range.clone()].clone_into(&mut self.cut);
            self.delete(range);
        }
    }

    fn is_boundary(&self, position: usize) -> bool {
        position == self.text.len() || self.text.grapheme_indices(true).any(|(at, _)| at == position)
    }

    /// The start of the cluster before the cursor.
    fn previous(&self) -> usize {
        self.text.grapheme_indices(true).map(|(at, _)| at).take_while(|at| *at < self.cursor).last().unwrap_or(0)
    }

    /// The end of the cluster at the cursor.
    fn next(&self) -> usize {
        self.text.grapheme_indices(true).map(|(at, _)| at).find(|at| *at > self.cursor).unwrap_or(self.text.len())
    }

    fn previous_word(&self) -> usize {
        let mut words = self.text[..self.cursor].unicode_word_indices();
        words.next_back().map_or(0, |(at, _)| at)
    }

    fn next_word(&self) -> usize {
        let mut words = self.text[self.cursor..].unicode_word_indices();
        words.next().map_or(self.text.len(), |(at, word)| self.cursor + at + word.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVELOPER: &str = "\u{1f469}\u{200d}\u{1f4bb}";

    /// A draft with the cursor at `|`.
    fn draft(text: &str) -> Draft {
        let (before, after) = text.split_once('|').unwrap();
        Draft { text: format!("{before}{after}"), cursor: before.len(), ..Draft::default() }
    }

    #[track_caller]
    fn check_edit(before: &str, edit: impl Fn(&mut Draft), after: &str) {
        let mut draft = draft(before);
        edit(&mut draft);
        let mut shown = draft.text.clone();
        shown.insert(draft.cursor, '|');
        assert_eq!(shown, after);
    }

    #[test]
    fn the_cursor_moves_by_clusters() {
        check_edit(&format!("a{DEVELOPER}|"), Draft::move_left, &format!("a|{DEVELOPER}"));
        check_edit(&format!("a|{DEVELOPER}"), Draft::move_right, &format!("a{DEVELOPER}|"));
        check_edit(&format!("a{DEVELOPER}|b"), Draft::delete_left, "a|b");
        check_edit("|e\u{301}x", Draft::delete_right, "|x");
        check_edit("می\u{200c}خ|", Draft::delete_left, "می\u{200c}|");
        check_edit("|", Draft::move_left, "|");
        check_edit("|", Draft::delete_right, "|");
    }

    #[test]
    fn the_cursor_never_stands_within_a_cluster() {
        // The mark after the cursor joins what is inserted.
        check_edit("|\u{301}x", |draft| draft.insert("e"), "e\u{301}|x");
        check_edit("a|b\u{301}", Draft::delete_right, "a|");
        let typed = |draft: &mut Draft| DEVELOPER.chars().for_each(|c| draft.insert(&c.to_string()));
        check_edit("|", typed, &format!("{DEVELOPER}|"));
    }

    #[test]
    fn words_are_moved_over_cut_and_inserted_again() {
        check_edit("one two|", Draft::move_word_left, "one |two");
        check_edit("one| two x", Draft::move_word_right, "one two| x");
        check_edit("one two |x", Draft::cut_word_left, "one |x");
        check_edit("o|ne two", Draft::cut_word_right, "o| two");
        check_edit("one| two", Draft::cut_to_end, "one|");
        check_edit("one| two", Draft::cut_to_start, "| two");
        let move_word = |draft: &mut Draft| {
            draft.cut_word_left();
            draft.move_to_start();
            draft.insert_cut();
        };
        check_edit("one two|", move_word, "two|one ");
        check_edit("ab|", Draft::transpose, "ba|");
        check_edit("a|bc", Draft::transpose, "ba|c");
        check_edit("|ab", Draft::transpose, "|ab");
    }

    #[test]
    fn a_draft_that_starts_with_a_paste_is_verbatim() {
        let after_paste = |before: &str, text: &str| {
            let mut draft = draft(before);
            draft.paste(text);
            draft.is_verbatim
        };
        assert!(after_paste("|", "/quit"));
        assert!(after_paste("  |", "/quit"));
        assert!(after_paste("a|", "b\nc"));
        assert!(!after_paste("/name |", "bob"));
        let mut draft = draft("|");
        draft.paste("x");
        draft.delete_left();
        assert!(!draft.is_verbatim, "an empty draft starts anew");
    }
}
