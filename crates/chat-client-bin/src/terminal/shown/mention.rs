//! Finds out whether a message is about this client.

use chat_client::Name;
use unicode_segmentation::UnicodeSegmentation;

/// Whether the text contains the name as a separate word. Accented letters are letters: `l'école` does not contain `cole`.
pub(crate) fn mentions(text: &str, name: Name) -> bool {
    // A word in Unicode's sense may contain punctuation, as `bob's` and `bob:al` do.
    text.unicode_words()
        .flat_map(|word| word.split(|c: char| c.is_ascii_punctuation() || c == '\u{2019}'))
        .any(|word| word.eq_ignore_ascii_case(name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mention_is_a_whole_word() {
        for (text, name, expected) in [
            ("hi Bob!", "bob", true),
            ("@bob", "bob", true),
            ("bob's turn", "bob", true),
            ("bob\u{2019}s turn", "bob", true),
            ("_bob_", "bob", true),
            ("al:bob", "bob", true),
            ("你好bob", "bob", true),
            ("bobby", "bob", false),
            ("bob2 bo b", "bob", false),
            ("à l'école", "cole", false),
            ("à l'e\u{301}cole", "cole", false),
            ("cafe\u{301}", "cafe", false),
        ] {
            assert_eq!(mentions(text, name.parse().unwrap()), expected, "{text}");
        }
    }
}
