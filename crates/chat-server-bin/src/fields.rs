//! Formats the fields of a log record as `name=value`. A value other than one plain word is quoted, so that programs can
//! parse the record.

use std::fmt::{self, Debug, Write};

use tracing::field::{Field, Visit};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FormatFields, format::Writer},
};

/// Formats fields. The message is not quoted, and its control characters are escaped.
pub(super) struct Fields;

impl<'writer> FormatFields<'writer> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = Visitor { writer, is_first: true, written: Ok(()) };
        fields.record(&mut visitor);
        visitor.written
    }
}

struct Visitor<'writer> {
    writer: Writer<'writer>,
    is_first: bool,
    written: fmt::Result,
}

impl Visitor<'_> {
    fn write(&mut self, field: &Field, value: &str) {
        let space = if std::mem::take(&mut self.is_first) { "" } else { " " };
        let writer = &mut self.writer;
        self.written = self.written.and_then(|()| match field.name() {
            "message" => write!(writer, "{space}{}", OneLine(value)),
            name if is_plain(value) => write!(writer, "{space}{name}={value}"),
            name => write!(writer, "{space}{name}={value:?}"),
        });
    }
}

/// Whether the value needs no quotes.
fn is_plain(value: &str) -> bool {
    let needs_quotes = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '=' | '\\');
    !value.is_empty() && !value.contains(needs_quotes)
}

/// Displays text on one line: control characters are escaped.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .chars()
            .try_for_each(|c| if c.is_control() { write!(f, "{}", c.escape_default()) } else { f.write_char(c) })
    }
}

impl Visit for Visitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.write(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_other_than_one_plain_word_are_quoted() {
        for plain in ["1", "127.0.0.1:2222", "[::1]:2222", "SIGTERM", "a,b", "0.5", "unix:/run/chat.sock"] {
            assert!(is_plain(plain), "{plain:?}");
        }
        for quoted in ["", "said BYE", "a=b", "a\"b", "a\u{1b}[2J", "a\nb", r"C:\x"] {
            assert!(!is_plain(quoted), "{quoted:?}");
        }
        assert_eq!(OneLine("a \x1b[m\n").to_string(), "a \\u{1b}[m\\n");
    }
}
