//! One line of the conversation: time, sender and text. It is wrapped to the width of the terminal when it is printed.

use anstyle::{AnsiColor, Style};
use chat_client::Name;

use super::{
    visible::{columns, visible},
    wrap::wrap,
};

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
/// Columns by which later rows are indented at least. A row at the left edge could look like another line.
const MIN_INDENT: usize = 2;
/// Columns that the text needs beside its head. If fewer remain, the text starts in the next row.
const MIN_TEXT_COLUMNS: usize = 8;

/// A line of the conversation.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The time of day and a space, or nothing.
    time: String,
    from: Option<(Name, Style)>,
    /// The text without characters that act on the terminal.
    text: String,
    style: Style,
    /// An escape sequence to write with the line, such as a bell. It moves nothing.
    signal: String,
}

impl Line {
    /// A message. One that mentions this client is bold.
    pub(crate) fn message(from: Name, text: &str, is_own: bool, is_mention: bool) -> Self {
        let name = if is_own { name_style(from).bold() } else { name_style(from) };
        let style = if is_mention { Style::new().bold() } else { Style::new() };
        Self { from: Some((from, name)), ..Self::styled(text, style) }
    }

    /// A line that is not a message, such as a join or a status.
    pub(crate) fn note(text: &str) -> Self {
        Self::styled(text, Style::new().dimmed())
    }

    /// A line that must not be overlooked.
    pub(crate) fn warning(text: &str) -> Self {
        Self::styled(text, AnsiColor::Yellow.on_default().bold())
    }

    fn styled(text: &str, style: Style) -> Self {
        Self { time: String::new(), from: None, text: visible(text), style, signal: String::new() }
    }

    /// Puts the time of day before the line, followed by a space unless it is empty.
    pub(crate) fn at(mut self, time: &str) -> Self {
        self.time = if time.is_empty() { String::new() } else { format!("{time} ") };
        self
    }

    /// Writes this escape sequence with the line.
    pub(crate) fn with_signal(mut self, signal: &str) -> Self {
        self.signal.push_str(signal);
        self
    }

    /// The line without time and style, for a log.
    pub(crate) fn plain(&self) -> String {
        match self.from {
            Some((name, _)) => format!("<{name}> {}", self.text),
            None => self.text.clone(),
        }
    }

    /// The rows for a terminal of this width, joined by CR LF.
    pub(crate) fn render(&self, color: bool, width: usize) -> String {
        let styled = |text: &str, style: Style| {
            if color && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
        };
        let mut line = styled(&self.time, Style::new().dimmed());
        let mut head = columns(&self.time);
        if let Some((name, style)) = self.from {
            line.push('<');
            line.push_str(&styled(name.as_str(), style));
            line.push_str("> ");
            head += name.as_str().len() + 3;
        }
        let narrow = MIN_INDENT.min(width.saturating_sub(1));
        let indent = if head * 2 > width { narrow } else { head.max(narrow) };
        let others = width.saturating_sub(indent).max(1);
        let rows = if head > 0 && head + MIN_TEXT_COLUMNS > width {
            // The text starts in the next row.
            std::iter::once("").chain(wrap(&self.text, others, others)).collect()
        } else {
            wrap(&self.text, width.saturating_sub(head).max(1), others)
        };
        for (index, row) in rows.into_iter().enumerate() {
            if index > 0 {
                line.push_str("\r\n");
                line.extend(std::iter::repeat_n(' ', indent));
            }
            line.push_str(&styled(row, self.style));
        }
        line + &self.signal
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

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> Name {
        name.parse().unwrap()
    }

    #[track_caller]
    fn check_rows(time: &str, text: &str, width: usize, expected: &[&str]) {
        let line = Line::message(name("al"), text, false, false).at(time).render(false, width);
        assert_eq!(line.split("\r\n").collect::<Vec<_>>(), expected);
    }

    #[test]
    fn long_lines_are_wrapped_to_the_right_of_their_head() {
        check_rows("", "one two three", 13, &["<al> one two", "     three"]);
        check_rows("12:37", "one two three", 24, &["12:37 <al> one two three"]);
        check_rows("12:37", "one two three", 23, &["12:37 <al> one two", "           three"]);
    }

    #[test]
    fn later_rows_are_indented_in_narrow_windows() {
        check_rows("12:37", "aaaaaaa bbb <bob> hi", 20, &["12:37 <al> aaaaaaa", "  bbb <bob> hi"]);
        check_rows("12:37", "hi <bob> hi", 14, &["12:37 <al> ", "  hi <bob> hi"]);
        check_rows("", "abc", 2, &["<al> ", " a", " b", " c"]);
        assert_eq!(Line::note("* bob joined <al>").render(false, 10), "* bob\r\n  joined\r\n  <al>");
    }

    #[test]
    fn the_colour_of_a_name_ignores_case() {
        assert_eq!(name_style(name("Bob")), name_style(name("bOB")));
        let many: std::collections::HashSet<_> =
            ["al", "bob", "carol", "dan", "eve", "fay"].map(|n| format!("{}", name_style(name(n)))).into();
        assert!(many.len() > 2, "{many:?}");
    }

    #[test]
    fn colours_and_signals_are_added() {
        let line = Line::message(name("al"), "hi", false, true).with_signal("\u{7}");
        assert_eq!(line.render(false, 80), "<al> hi\u{7}");
        assert!(line.render(true, 80).contains("\u{1b}[1mhi\u{1b}[0m"));
        assert_eq!(line.plain(), "<al> hi");
    }
}
