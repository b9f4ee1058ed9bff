//! Escapes text from the network, so that a terminal can show it safely (clause 7.3).

use std::{borrow::Cow, fmt::Write};

/// Replaces each character that controls a terminal or hides text by `\u{…}`.
///
/// These are control characters except TAB, line separators, bidirectional marks, embeddings, overrides and isolates,
/// zero-width characters, tags and annotation marks.
///
/// ```
/// use chat_client::escape;
///
/// assert_eq!(escape("caf\u{e9} \u{1b}[2J"), "caf\u{e9} \\u{1b}[2J");
/// assert_eq!(escape("\u{202e}nimda"), "\\u{202e}nimda");
/// ```
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) {
            write!(escaped, "\\u{{{:x}}}", u32::from(c)).expect("a string grows");
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Whether a character controls a terminal or hides text.
fn acts(c: char) -> bool {
    let hidden = matches!(c,
        // Soft hyphen, Arabic letter mark, Mongolian vowel separator.
        '\u{ad}' | '\u{61c}' | '\u{180e}'
        // Zero-width characters and direction marks; separators, embeddings, overrides; joiners, isolates, deprecated
        // controls.
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        // Byte order mark, annotations, tags.
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    hidden || (c.is_control() && c != '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmful_characters_are_escaped() {
        let worst = [
            ("\u{1b}[31mred\u{1b}[0m", "\\u{1b}[31mred\\u{1b}[0m"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("a\r\u{8}b\n", "a\\u{d}\\u{8}b\\u{a}"),
            ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
            ("bo\u{200b}b\u{feff}", "bo\\u{200b}b\\u{feff}"),
            ("\u{61c}\u{200e}\u{200f}\u{2028}", "\\u{61c}\\u{200e}\\u{200f}\\u{2028}"),
            ("\u{e0041}", "\\u{e0041}"),
        ];
        for (text, shown) in worst {
            assert_eq!(escape(text), shown);
        }
    }

    #[test]
    fn usual_text_is_not_changed() {
        for text in ["", "a\tb", "naïve café", "日本語", "שלום", "\u{1f642} c:\\dir \\u{1b}"] {
            assert!(matches!(escape(text), Cow::Borrowed(shown) if shown == text));
        }
    }
}
