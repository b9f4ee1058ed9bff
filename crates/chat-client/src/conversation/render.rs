//! Events as lines to show. What came from the network is escaped (clause 7.3).

use chat_proto::ServerMessage;

use super::Lines;
use crate::{Event, SessionEvent, escape};

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
        Event::Accepted { .. }
        | Event::Refused { .. }
        | Event::Unknown { .. }
        | Event::NotSent { .. }
        | Event::Closed(_) => return None,
    };
    Some(line)
}

/// Renders an event of the sessions: the connections as status lines, and the others as [`render`] does.
pub fn render_session(event: &SessionEvent, lines: &mut Lines) {
    match event {
        SessionEvent::Event(event) => match render(event) {
            Some(Line::Data(line)) => lines.data(&line),
            Some(Line::Status(line)) => lines.status(&line),
            None => {}
        },
        SessionEvent::Connected { gap: Some(gap), .. } => {
            lines.status(&format!("reconnected after {:.1} s; messages in between are missing", gap.as_secs_f32()));
        }
        SessionEvent::Connected { client, .. } => lines.status(&match client.name() {
            Some(name) => format!("connected as {name}"),
            None => "connected as a guest".to_owned(),
        }),
        SessionEvent::Lost { reason, .. } => {
            let lost = if reason.is_lost() { "connection lost: " } else { "" };
            lines.status(&format!("{lost}{reason}"));
        }
        SessionEvent::Failed { error, retry_in: Some(delay) } => {
            lines.status(&format!("{error}; next attempt in {:.1} s", delay.as_secs_f32()));
        }
        SessionEvent::Failed { error, retry_in: None } => lines.status(&error.to_string()),
    }
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
