//! Writes events and reads commands as JSON objects, in version 1 of a format for programs.

use std::{borrow::Cow, fmt::Write};

use chat_client::{CloseReason, Event, Name, Text, conversation::Input, escape};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of the format. New fields do not change it, because readers ignore unknown fields.
const VERSION: u8 = 1;

/// An event as it is serialized.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Record<'a> {
    Connected {
        server: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        /// After a reconnection: the time since the last line of the session before, in seconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        gap: Option<f64>,
    },
    Message {
        from: &'a str,
        text: &'a str,
    },
    Notice {
        text: &'a str,
    },
    Joined {
        name: &'a str,
    },
    Left {
        name: &'a str,
    },
    Accepted {
        text: &'a str,
    },
    Refused {
        text: &'a str,
    },
    Unacknowledged {
        text: &'a str,
    },
    Clients {
        names: Vec<&'a str>,
    },
    Other {
        line: &'a str,
    },
    BadLine {
        line: &'a str,
        why: String,
    },
    Unexpected {
        line: String,
    },
    Missed {
        count: u64,
    },
    /// A line of the input that was not carried out.
    Failed {
        why: &'a str,
    },
    Closed {
        why: String,
    },
}

/// A record with the fields that every line has.
#[derive(Serialize)]
struct Stamped<'a> {
    v: u8,
    time: String,
    #[serde(flatten)]
    record: &'a Record<'a>,
}

/// Formats an event as one line of JSON, with the current time.
pub(crate) fn event(event: &Event) -> Option<String> {
    Some(line(&match event {
        // It is sent in the next session, or counted at the end.
        Event::NotSent { .. } => return None,
        Event::Joined { name, .. } => Record::Joined { name: name.as_str() },
        Event::Left { name, .. } => Record::Left { name: name.as_str() },
        Event::Message { from, text, .. } => Record::Message { from: from.as_str(), text: text.as_str() },
        Event::Notice { text, .. } => Record::Notice { text: text.as_str() },
        Event::Accepted { text, .. } => Record::Accepted { text: text.as_str() },
        Event::Refused { text, .. } => Record::Refused { text: text.as_str() },
        Event::Unknown { text, .. } => Record::Unacknowledged { text: text.as_str() },
        Event::Roster { names, .. } => Record::Clients { names: names.iter().map(Name::as_str).collect() },
        Event::Other(line) => Record::Other { line },
        Event::BadLine(error) => Record::BadLine { line: error.line().unwrap_or_default(), why: error.to_string() },
        Event::Unexpected(message) => Record::Unexpected { line: message.to_string() },
        Event::Missed(count) => Record::Missed { count: *count },
        Event::Closed(why) => Record::Closed { why: why.to_string() },
        other => Record::Unexpected { line: format!("{other:?}") },
    }))
}

/// Formats the end of a session that was lost.
pub(crate) fn closed(why: &CloseReason) -> String {
    line(&Record::Closed { why: why.to_string() })
}

/// Formats a record as one line of JSON, with the current time.
pub(crate) fn line(record: &Record<'_>) -> String {
    line_at(record, Timestamp::now())
}

fn line_at(record: &Record<'_>, now: Timestamp) -> String {
    let time = format!("{now:.3}");
    let json =
        serde_json::to_string(&Stamped { v: VERSION, time, record }).expect("strings and numbers can be serialized");
    escape_control(json)
}

/// Replaces characters that control a terminal by `\uXXXX`, because the output may be shown on one. JSON allows such escapes
/// in strings.
fn escape_control(json: String) -> String {
    let has_control = |text: &str| matches!(escape(text), Cow::Owned(_));
    if !has_control(&json) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if has_control(c.encode_utf8(&mut [0; 4])) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(escaped, "\\u{unit:04x}").expect("writing to a string cannot fail");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names, reason = "the JSON field is named `command`")]
struct Command {
    v: Option<u8>,
    command: String,
    text: Option<String>,
}

/// Parses one line of input as a command.
pub(crate) fn command(line: &str) -> Input {
    const SYNTAX: &str = r#"write {"command":"say","text":"…"}, {"command":"clients"} or {"command":"quit"}"#;
    if line.trim().is_empty() {
        return Input::Empty;
    }
    let command: Command = match serde_json::from_str(line) {
        Ok(command) => command,
        Err(error) => return Input::Malformed(format!("{error}: {SYNTAX}")),
    };
    match (command.v, command.command.as_str(), command.text) {
        (Some(version), ..) if version != VERSION => {
            Input::Malformed(format!("version {version} is not supported: use 1, or leave v out"))
        }
        (_, "say", Some(text)) => Text::new(&text).map_or_else(Input::InvalidText, Input::Say),
        (_, "clients", None) => Input::Clients,
        (_, "quit", None) => Input::Quit,
        (_, other, _) => {
            Input::Malformed(format!("`{other}` is unknown, or its text is missing or not allowed: {SYNTAX}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_line_with_version_and_time() {
        let record = Record::Message { from: "al", text: "a \"b\"\t\u{202e}\u{9b}\u{e0041}é" };
        let line = line_at(&record, Timestamp::UNIX_EPOCH);
        let expected = r#"{"v":1,"time":"1970-01-01T00:00:00.000Z","event":"message","from":"al","text":"a \"b\"\t\u202e\u009b\udb40\udc41é"}"#;
        assert_eq!(line, expected);
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["text"], "a \"b\"\t\u{202e}\u{9b}\u{e0041}é");
    }

    #[test]
    fn json_commands_are_parsed() {
        assert_eq!(command(r#"{"command":"say","text":"/quit"}"#), Input::Say("/quit".parse().unwrap()));
        assert_eq!(command(r#"{"v":1,"command":"clients"}"#), Input::Clients);
        assert_eq!(command(r#"{"command":"quit"}"#), Input::Quit);
        assert_eq!(command(" "), Input::Empty);
        for wrong in ["hi", "{}", r#"{"command":"say"}"#, r#"{"command":"quit","to":1}"#, r#"{"v":2,"command":"quit"}"#]
        {
            assert!(matches!(command(wrong), Input::Malformed(_)), "{wrong}");
        }
        assert!(matches!(command(r#"{"command":"say","text":"a\nb"}"#), Input::InvalidText(_)));
    }
}
