//! Formats lines for a person: adds the time of day, colours names, and wraps to the width of the terminal.

use anstyle::{AnsiColor, Style};
use chat_client::{Name, escape};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Colours of names. They are readable on dark and on light backgrounds.
const COLORS: &[AnsiColor] = &[
    AnsiColor::Red,
    AnsiColor::Green,
    AnsiColor::Yellow,
    AnsiColor::Blue,
    AnsiColor::Magenta,
    AnsiColor::Cyan,
    AnsiColor::BrightRed,
    AnsiColor::BrightGreen,
    AnsiColor::BrightBlue,
    AnsiColor::BrightMagenta,
];
const BELL: char = '\u{7}';

/// How to format lines.
#[derive(Clone, Debug)]
pub(super) struct Paint {
    pub(super) color: bool,
    pub(super) bell: bool,
    /// Format of the time before each line, as for strftime. Empty for no time.
    pub(super) time: String,
}

impl Paint {
    /// Formats a message. `own` is this client's name: a message of another client that contains it is bold and rings
    /// the bell.
    pub(super) fn message(&self, from: Name, text: &str, own: Option<Name>, width: usize) -> String {
        let is_own = own.is_some_and(|own| own.key() == from.key());
        let mentioned = !is_own && own.is_some_and(|own| mentions(text, own));
        let name = name_style(from);
        let name = if is_own { name.bold() } else { name };
        let style = if mentioned { Style::new().bold() } else { Style::new() };
        let mut line =
            self.line(&[("<", Style::new()), (from.as_str(), name), ("> ", Style::new())], text, style, width);
        if mentioned && self.bell {
            line.push(BELL);
        }
        line
    }

    /// Formats a line that is not a message, such as a join or a status.
    pub(super) fn note(&self, text: &str, width: usize) -> String {
        self.line(&[], text, Style::new().dimmed(), width)
    }

    /// Formats a line that must not be overlooked.
    pub(super) fn warning(&self, text: &str, width: usize) -> String {
        self.line(&[], text, AnsiColor::Yellow.on_default().bold(), width)
    }

    /// Formats a head, such as the sender, and the text, wrapped in the column to the right of the head.
    fn line(&self, head: &[(&str, Style)], text: &str, style: Style, width: usize) -> String {
        let time = self.now();
        let indent = time.width() + head.iter().map(|(part, _)| part.width()).sum::<usize>();
        // On a very narrow terminal, wrap to the first column.
        let indent = if indent * 2 > width { 0 } else { indent };
        let mut line = self.styled(&time, Style::new().dimmed());
        for (part, style) in head {
            line.push_str(&self.styled(part, *style));
        }
        let text = escape(text).replace('\t', "    ");
        for (row, part) in wrap(&text, width.saturating_sub(indent).max(8)).into_iter().enumerate() {
            if row > 0 {
                line.push('\n');
                line.extend(std::iter::repeat_n(' ', indent));
            }
            line.push_str(&self.styled(part, style));
        }
        line
    }

    fn now(&self) -> String {
        if self.time.is_empty() {
            return String::new();
        }
        // Cannot fail: the format was checked when the settings were parsed.
        jiff::fmt::strtime::format(&self.time, &jiff::Zoned::now()).map(|time| time + " ").unwrap_or_default()
    }

    fn styled(&self, text: &str, style: Style) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// The colour of a name. It depends only on the name, and ignores case.
fn name_style(name: Name) -> Style {
    let hash = name
        .as_str()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193));
    COLORS[(hash >> 16) as usize % COLORS.len()].on_default()
}

/// Whether the text contains the name as a separate word.
fn mentions(text: &str, name: Name) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word.eq_ignore_ascii_case(name.as_str()))
}

/// Splits the text into rows of at most `width` columns, between words where possible. A wide character takes two
/// columns. A combining character takes none, and stays with the character before it.
fn wrap(text: &str, width: usize) -> Vec<&str> {
    let (mut rows, mut rest) = (Vec::new(), text);
    loop {
        let (mut columns, mut end, mut space) = (0, rest.len(), None);
        for (at, c) in rest.char_indices() {
            columns += c.width().unwrap_or(0);
            if columns > width {
                end = at;
                break;
            }
            if c == ' ' {
                space = Some(at + 1);
            }
        }
        if end == rest.len() {
            rows.push(rest);
            return rows;
        }
        // A character that is wider than the row gets a row of its own.
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let cut = if rest[end..].starts_with(' ') { end + 1 } else { space.unwrap_or(end).max(first) };
        rows.push(rest[..cut].trim_end_matches(' '));
        rest = &rest[cut..];
        if rest.is_empty() {
            return rows;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Paint = Paint { color: false, bell: true, time: String::new() };

    fn name(name: &str) -> Name {
        name.parse().unwrap()
    }

    #[test]
    fn long_lines_are_wrapped_to_the_right_of_their_head() {
        let line = PLAIN.message(name("al"), "one two three", None, 13);
        assert_eq!(line, "<al> one two\n     three");
    }

    #[test]
    fn wrapping_counts_columns() {
        for (text, width, rows) in [
            ("", 4, &[""][..]),
            ("abcd", 4, &["abcd"]),
            ("abcde", 4, &["abcd", "e"]),
            ("ab cd ef", 5, &["ab cd", "ef"]),
            ("ab  cd", 3, &["ab", "cd"]),
            ("日本語", 4, &["日本", "語"]),
            ("日本語", 5, &["日本", "語"]),
            ("e\u{301}e\u{301}e\u{301}", 2, &["e\u{301}e\u{301}", "e\u{301}"]),
            ("日本", 1, &["日", "本"]),
        ] {
            assert_eq!(wrap(text, width), rows, "{text:?} {width}");
        }
    }

    #[test]
    fn a_mention_is_a_whole_word_and_rings_the_bell() {
        for (text, mentioned) in [("hi Bob!", true), ("bobby", false), ("@bob", true), ("bob2 bo b", false)] {
            assert_eq!(mentions(text, name("bob")), mentioned, "{text}");
        }
        assert_eq!(PLAIN.message(name("al"), "bob?", Some(name("bob")), 80), "<al> bob?\u{7}");
        assert_eq!(PLAIN.message(name("bob"), "bob!", Some(name("bob")), 80), "<bob> bob!");
    }

    #[test]
    fn the_colour_of_a_name_ignores_case() {
        assert_eq!(name_style(name("Bob")), name_style(name("bOB")));
        let many: std::collections::HashSet<_> =
            ["al", "bob", "carol", "dan", "eve", "fay"].map(|n| format!("{}", name_style(name(n)))).into();
        assert!(many.len() > 2, "{many:?}");
    }

    #[test]
    fn control_characters_are_escaped() {
        let line = PLAIN.message(name("al"), "\u{1b}[2J\u{202e}\u{9b}", None, 80);
        assert_eq!(line, "<al> \\u{1b}[2J\\u{202e}\\u{9b}");
    }
}
