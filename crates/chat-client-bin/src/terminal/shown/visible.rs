//! What a terminal shows for a text: its visible characters, and the columns that they may take.

use std::fmt::Write;

use chat_client::escape;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Maximum number of marks on one character. More of them would reach into the lines above and below.
const MAX_MARKS: usize = 8;

/// The text with everything escaped that would act on the terminal, hide, or reach into other lines.
pub(crate) fn visible(text: &str) -> String {
    let escaped = escape(text);
    let mut visible = String::with_capacity(escaped.len());
    for cluster in escaped.graphemes(true) {
        if cluster == "\t" {
            visible.push_str("    ");
            continue;
        }
        let mut marks = 0;
        for (index, c) in cluster.chars().enumerate() {
            marks += usize::from(c.width() == Some(0));
            // A mark without a character before it would change what the client shows there.
            if marks > MAX_MARKS || (marks == 1 && index == 0) {
                // Cannot fail: a string grows.
                let _ = write!(visible, "\\u{{{:x}}}", u32::from(c));
            } else {
                visible.push(c);
            }
        }
    }
    visible
}

/// The maximum number of columns that a cluster takes. Some terminals combine the parts of an emoji or a ligature, others
/// show each part. A row that is laid out with the larger number fits in both.
pub(crate) fn cluster_columns(cluster: &str) -> usize {
    let parts: usize = cluster.chars().map(part_columns).sum();
    cluster.width().max(parts)
}

/// The maximum number of columns that a text takes.
pub(crate) fn columns(text: &str) -> usize {
    text.graphemes(true).map(cluster_columns).sum()
}

fn part_columns(c: char) -> usize {
    match c {
        // Half of a flag. Some terminals show it as wide as a whole one.
        '\u{1f1e6}'..='\u{1f1ff}' => 2,
        _ => c.width().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stay_on_their_character() {
        let zalgo = format!("a{}b", "\u{301}".repeat(10));
        assert_eq!(visible(&zalgo), format!("a{}\\u{{301}}\\u{{301}}b", "\u{301}".repeat(8)));
        assert_eq!(visible("\u{20dd}a"), "\\u{20dd}a");
        assert_eq!(visible("a\t\u{301}"), "a    \\u{301}");
        for text in ["e\u{301}", "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", "می\u{200c}خواهم", "हिन्दी"]
        {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn columns_are_the_larger_of_both_ways_to_count() {
        for (text, expected) in [
            ("abc", 3),
            ("日本", 4),
            ("e\u{301}", 1),
            ("\u{1f469}\u{200d}\u{1f4bb}", 4),
            ("\u{2764}\u{fe0f}", 2),
            ("\u{1f1eb}\u{1f1f7}", 4),
            // A ligature: one column in some terminals, two in others.
            ("لا", 2),
        ] {
            assert_eq!(columns(text), expected, "{text}");
        }
    }
}
