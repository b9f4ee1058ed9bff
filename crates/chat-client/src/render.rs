//! The one place that turns what a server said into what is shown, so that nothing from the network acts on a terminal
//! (clause 7.3).

use std::{borrow::Cow, fmt::Write};

use chat_proto::ServerMessage;

use crate::Event;

/// Where a rendered line belongs.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Line {
    /// What a reader of the conversation wants: it goes to the output.
    Data(String),
    /// What is about the session, not of it.
    Status(String),
}

/// `text` with all that does not show, or shows otherwise than it stands, written as `\u{…}`.
///
/// That is: control characters but TAB, line separators, bidirectional marks, embeddings, overrides and isolates,
/// characters without width, tags and annotation marks.
///
/// ```
/// use chat_client::render::escape;
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

/// Whether a character does something to a terminal, or hides.
pub(crate) fn acts(c: char) -> bool {
    let hidden = matches!(c,
        // Soft hyphen, Arabic letter mark, Mongolian vowel separator.
        '\u{ad}' | '\u{61c}' | '\u{180e}'
        // Without width, marks of direction; separators, embeddings, overrides; joiners, isolates, deprecated controls.
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        // Byte order mark, annotations, tags.
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    hidden || (c.is_control() && c != '\t')
}

/// How an event is shown, without a line break. `None`: it needs no line.
pub fn event(event: &Event) -> Option<Line> {
    let line = match event {
        Event::Message { from, text } => Line::Data(format!("<{from}> {}", escape(text.as_str()))),
        Event::Joined(name) => Line::Data(format!("* {name} joined")),
        Event::Left(name) => Line::Data(format!("* {name} left")),
        Event::Roster(names) => {
            let mut line = format!("* {} here:", names.len());
            line.extend(names.iter().flat_map(|name| [" ", name.as_str()]));
            Line::Data(line)
        }
        Event::Other(line) => Line::Status(format!("the server says: {}", escape(line))),
        Event::BadLine(error) => {
            let line = error.line().unwrap_or_default();
            Line::Status(format!("the server sent a line that makes no sense: {error}: {}", escape(line)))
        }
        Event::Unexpected(message) => Line::Status(format!("the server says unasked: {}", stray(message))),
        Event::Missed(count) => Line::Status(format!("{count} lines came faster than they could be shown")),
        // The sender hears of these otherwise.
        Event::Accepted(_) | Event::Refused(_) | Event::Closed(_) => return None,
    };
    Some(line)
}

/// A stray roster may be long: its verb says enough.
fn stray(message: &ServerMessage) -> String {
    match message {
        ServerMessage::Clients { total, .. } => format!("LIST CLIENTS {total} …"),
        _ => escape(&message.to_string()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::{Name, Text};

    #[test]
    fn nothing_that_acts_gets_through() {
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
    fn what_people_write_is_left_alone() {
        for text in ["", "a\tb", "naïve café", "日本語", "שלום", "\u{1f642} c:\\dir \\u{1b}"] {
            assert!(matches!(escape(text), Cow::Borrowed(shown) if shown == text));
        }
    }

    #[test]
    fn each_kind_of_line() {
        let (bob, alice) = (Name::new("bob").unwrap(), Name::new("alice").unwrap());
        let text = Text::new("\u{202e}hi").unwrap();
        let data = |line: &str| Some(Line::Data(line.to_owned()));
        assert_eq!(event(&Event::Message { from: bob, text }), data("<bob> \\u{202e}hi"));
        assert_eq!(event(&Event::Joined(bob)), data("* bob joined"));
        assert_eq!(event(&Event::Left(bob)), data("* bob left"));
        assert_eq!(event(&Event::Roster(vec![alice, bob])), data("* 2 here: alice bob"));
        let Some(Line::Status(line)) = event(&Event::Other("BEEP \u{7}".into())) else { panic!("status") };
        assert!(line.ends_with("BEEP \\u{7}"), "{line}");
    }
}
