//! Wraps text to rows between words. A URL stays whole, so that it can be clicked and copied.

use unicode_segmentation::UnicodeSegmentation;

use super::visible::{cluster_columns, columns};

/// Splits the text into rows, between words where possible. The first row has at most `first` columns, the others have
/// at most `width`. A URL that is longer than a row has a row of its own, which the terminal wraps.
pub(crate) fn wrap(text: &str, first: usize, width: usize) -> Vec<&str> {
    let mut rows = Rows { text, first, others: width, done: Vec::new(), start: 0, end: 0, columns: 0 };
    for (at, word) in words(text) {
        rows.add_word(at, word);
    }
    rows.close(text.len());
    rows.done
}

/// The words of a text, without the spaces between them, and where they start.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(' ').filter_map(move |word| {
        let start = at;
        at += word.len() + 1;
        (!word.is_empty()).then_some((start, word))
    })
}

struct Rows<'a> {
    text: &'a str,
    first: usize,
    others: usize,
    done: Vec<&'a str>,
    /// Where the current row starts and ends in the text.
    start: usize,
    end: usize,
    /// The columns that the current row takes.
    columns: usize,
}

impl<'a> Rows<'a> {
    fn add_word(&mut self, at: usize, word: &'a str) {
        let is_new = self.end == self.start;
        if is_new && !self.done.is_empty() {
            // Only the first row keeps the spaces at its start.
            (self.start, self.end) = (at, at);
        }
        let (spaces, word_columns) = (at - self.end, columns(word));
        if self.columns + spaces + word_columns <= self.width() {
            self.columns += spaces + word_columns;
            self.end = at + word.len();
            return;
        }
        if !is_new || spaces > 0 {
            self.close(at);
        } else if self.done.is_empty() && word_columns <= self.others {
            self.done.push("");
        }
        self.end = at + word.len();
        if word_columns <= self.width() {
            self.columns = word_columns;
        } else if is_url(word) {
            self.close(self.end);
        } else {
            self.split(at, word);
        }
    }

    /// Splits a word that is longer than a row. A cluster that is wider than a row has a row of its own.
    fn split(&mut self, at: usize, word: &str) {
        self.columns = 0;
        for (offset, cluster) in word.grapheme_indices(true) {
            let wide = cluster_columns(cluster);
            if self.columns + wide > self.width() && self.columns > 0 {
                self.end = at + offset;
                self.close(at + offset);
            }
            self.columns += wide;
        }
        self.end = at + word.len();
    }

    /// The width of the current row.
    fn width(&self) -> usize {
        if self.done.is_empty() { self.first } else { self.others }
    }

    /// Ends the row. The next one starts at `next`. A row of spaces is dropped, unless it is the whole text.
    fn close(&mut self, next: usize) {
        if self.end > self.start || (self.done.is_empty() && next == self.text.len()) {
            self.done.push(&self.text[self.start..self.end]);
        }
        (self.start, self.end, self.columns) = (next, next, 0);
    }
}

/// Whether a word is a URL, perhaps in brackets. It contains nothing that could look like the head of a line when the
/// terminal wraps it: no space, and angle brackets at its ends only.
fn is_url(word: &str) -> bool {
    let url = word.trim_start_matches(['(', '<', '"', '\'', '[']).trim_end_matches(['>', '"', ']', '|']);
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let is_scheme =
        !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme && rest.chars().all(|c| c.is_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_between_words_by_columns() {
        for (text, width, rows) in [
            ("", 4, &[""][..]),
            ("  ", 4, &[""]),
            ("abcd", 4, &["abcd"]),
            ("abcde", 4, &["abcd", "e"]),
            ("ab cd ef", 5, &["ab cd", "ef"]),
            ("ab  cd", 3, &["ab", "cd"]),
            ("  ab", 4, &["  ab"]),
            ("      ab", 4, &["ab"]),
            ("ab cdefgh", 4, &["ab", "cdef", "gh"]),
            ("日本語", 4, &["日本", "語"]),
            ("日本語", 5, &["日本", "語"]),
            ("e\u{301}e\u{301}e\u{301}", 2, &["e\u{301}e\u{301}", "e\u{301}"]),
            ("日本", 1, &["日", "本"]),
            // A family may take two columns or six.
            (
                "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}ab",
                6,
                &["\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", "ab"],
            ),
        ] {
            assert_eq!(wrap(text, width, width), rows, "{text:?} {width}");
        }
    }

    #[test]
    fn the_first_row_has_its_own_width() {
        assert_eq!(wrap("ab cd ef", 2, 5), ["ab", "cd ef"]);
        assert_eq!(wrap("abcd ef", 2, 5), ["", "abcd", "ef"]);
        assert_eq!(wrap("abcdefgh", 2, 5), ["ab", "cdefg", "h"]);
    }

    #[test]
    fn urls_stay_whole() {
        for (text, rows) in [
            ("see https://e.org/abc now", &["see", "https://e.org/abc", "now"][..]),
            ("https://e.org/abc", &["https://e.org/abc"]),
            ("(https://e.org/abc)", &["(https://e.org/abc)"]),
            ("<https://e.org/abc>,", &["<https://e", ".org/abc>,"]),
            ("<https://e.org/abc>", &["<https://e.org/abc>"]),
            ("x://12:37<bob>hi-there", &["x://12:37<", "bob>hi-the", "re"]),
        ] {
            assert_eq!(wrap(text, 10, 10), rows, "{text:?}");
        }
    }
}
