//! Events as lines to show. What came from the network is escaped (clause 7.3).

use chat_proto::ServerMessage;

use crate::{Event, escape};

/// A line to show, and where it belongs. The line is escaped and has no line end.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Line {
    /// A part of the conversation, for the output.
    Data(String),
    /// A message about the session, for the status.
    Status(String),
}

/// Renders an event as one line. `None`: nothing is shown.
///
/// ```
/// use chat_client::{
///     Event,
///     conversation::{Line, render},
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let line = render(&Event::message("ann".parse()?, "hello".parse()?));
/// assert_eq!(line, Some(Line::Data("<ann> hello".to_owned())));
/// # Ok(())
/// # }
/// ```
pub fn render(event: &Event) -> Option<Line> {
    let line = match event {
        Event::Message { from, text } => Line::Data(format!("<{from}> {}", escape(text.as_str()))),
        Event::Joined { name } => Line::Data(format!("* {name} joined")),
        Event::Left { name } => Line::Data(format!("* {name} left")),
        Event::Notice { text } => Line::Data(format!("* notice: {}", escape(text.as_str()))),
        Event::Roster { names } => {
            let mut line = format!("* {} here:", names.len());
            line.extend(names.iter().flat_map(|name| [" ", name.as_str()]));
            Line::Data(line)
        }
        Event::Other(line) => Line::Status(format!("the server says: {}", escape(line))),
        Event::BadLine(error) => {
            let line = error.line().unwrap_or_default();
            Line::Status(format!("the server sent an invalid line: {error}: {}", escape(line)))
        }
        Event::Unexpected(message) => Line::Status(format!("the server sent an unexpected reply: {}", stray(message))),
        Event::Missed(count) => Line::Status(format!("{count} lines came faster than they could be shown")),
        // Shown in other ways: by the sender's prompt, and at the end.
        Event::Accepted { .. } | Event::Refused { .. } | Event::Closed(_) => return None,
    };
    Some(line)
}

/// A roster may be long, so it is shortened.
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
    fn each_kind_of_line() {
        let (bob, alice) = (Name::new("bob").unwrap(), Name::new("alice").unwrap());
        let text = Text::new("\u{202e}hi").unwrap();
        let data = |line: &str| Some(Line::Data(line.to_owned()));
        assert_eq!(render(&Event::notice(text.clone())), data("* notice: \\u{202e}hi"));
        assert_eq!(render(&Event::message(bob, text)), data("<bob> \\u{202e}hi"));
        assert_eq!(render(&Event::joined(bob)), data("* bob joined"));
        assert_eq!(render(&Event::left(bob)), data("* bob left"));
        assert_eq!(render(&Event::roster(vec![alice, bob])), data("* 2 here: alice bob"));
        let Some(Line::Status(line)) = render(&Event::Other("BEEP \u{7}".into())) else { panic!("status") };
        assert!(line.ends_with("BEEP \\u{7}"), "{line}");
    }
}
