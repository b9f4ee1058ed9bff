//! A long paste is sent only after the person has agreed.

/// Maximum number of lines of a paste that becomes a part of the draft. A longer one is asked about.
const MAX_LINES_UNASKED: usize = 3;

/// Whether to ask about a paste.
pub(crate) fn must_ask(text: &str) -> bool {
    lines(text) > MAX_LINES_UNASKED
}

/// The question about a text of several lines.
pub(crate) fn question(text: &str) -> String {
    let count = lines(text);
    format!("send {count} lines as {count} messages? (y/n) ")
}

/// Empty lines are not sent.
fn lines(text: &str) -> usize {
    text.lines().filter(|line| !line.is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_three_lines_are_asked_about() {
        for (text, asked) in
            [("a\nb\nc", false), ("a\nb\nc\n\n\n", false), ("a\nb\nc\nd", true), ("a\n\nb\nc\nd", true)]
        {
            assert_eq!(must_ask(text), asked, "{text:?}");
        }
        assert_eq!(question("a\nb\nc\nd\n"), "send 4 lines as 4 messages? (y/n) ");
    }
}
