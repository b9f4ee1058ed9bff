//! The commands that a document shows.

use super::markdown;

/// The simple commands of a line, without comments: of the whole line in a code block, of what is in backticks in prose.
pub(super) fn commands(line: markdown::Line<'_>) -> Vec<&str> {
    let texts: Vec<_> = if line.is_code { vec![line.text] } else { markdown::spans(line.text).collect() };
    let uncommented = texts.into_iter().map(|text| match text.find(" #") {
        Some(comment) => &text[..comment],
        None if text.starts_with('#') => "",
        None => text,
    });
    uncommented
        .flat_map(|text| text.split(['|', '&', ';', '>']))
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shown(text: &str, is_code: bool, expected: &[&str]) {
        assert_eq!(commands(markdown::Line { number: 1, text, is_code }), expected, "{text}");
    }

    #[test]
    fn lines_are_taken_apart() {
        shown("a --b | c && d; e > f # g | h", true, &["a --b", "c", "d", "e", "f"]);
        shown("# nothing", true, &[]);
        shown("first `a b`, then `c # d`", false, &["a b", "c"]);
    }
}
