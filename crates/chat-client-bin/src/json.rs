//! Events as JSON objects, and commands from JSON objects: version 1 of a format for programs.

use std::{borrow::Cow, fmt::Write};

use chat_client::{Event, Name, Text, conversation::Input, escape};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of the format. New fields do not change it: readers ignore what they do not know.
const VERSION: u8 = 1;

/// An event as it is written.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Record<'a> {
    Connected {
        server: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        /// After a lost connection: the time away, in seconds.
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
    Closed {
        why: String,
    },
}

#[derive(Serialize)]
struct Stamped<'a> {
    v: u8,
    time: String,
    #[serde(flatten)]
    record: &'a Record<'a>,
}

/// An event as one line of JSON.
pub(crate) fn event(event: &Event) -> String {
    line(&match event {
        Event::Joined { name, .. } => Record::Joined { name: name.as_str() },
        Event::Left { name, .. } => Record::Left { name: name.as_str() },
        Event::Message { from, text, .. } => Record::Message { from: from.as_str(), text: text.as_str() },
        Event::Notice { text, .. } => Record::Notice { text: text.as_str() },
        Event::Accepted { text, .. } => Record::Accepted { text: text.as_str() },
        Event::Refused { text, .. } => Record::Refused { text: text.as_str() },
        Event::Roster { names, .. } => Record::Clients { names: names.iter().map(Name::as_str).collect() },
        Event::Other(line) => Record::Other { line },
        Event::BadLine(error) => Record::BadLine { line: error.line().unwrap_or_default(), why: error.to_string() },
        Event::Unexpected(message) => Record::Unexpected { line: message.to_string() },
        Event::Missed(count) => Record::Missed { count: *count },
        Event::Closed(why) => Record::Closed { why: why.to_string() },
        other => Record::Unexpected { line: format!("{other:?}") },
    })
}

/// A record as one line of JSON, with the current time.
pub(crate) fn line(record: &Record<'_>) -> String {
    stamped(record, Timestamp::now())
}

fn stamped(record: &Record<'_>, now: Timestamp) -> String {
    let time = format!("{now:.3}");
    let json = serde_json::to_string(&Stamped { v: VERSION, time, record }).expect("strings and numbers are JSON");
    harmless(json)
}

/// Writes characters that control a terminal as `\u….`, which JSON allows in strings. A person may look at the output.
fn harmless(json: String) -> String {
    let acts = |text: &str| matches!(escape(text), Cow::Owned(_));
    if !acts(&json) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if acts(c.encode_utf8(&mut [0; 4])) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(escaped, "\\u{unit:04x}").expect("a string grows");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_field_names, reason = "that is its name on the line")]
struct Command {
    v: Option<u8>,
    command: String,
    text: Option<String>,
}

/// Parses a line of input.
pub(crate) fn command(line: &str) -> Input {
    const HOW: &str = r#"write {"command":"say","text":"…"}, {"command":"clients"} or {"command":"quit"}"#;
    if line.trim().is_empty() {
        return Input::Empty;
    }
    let command: Command = match serde_json::from_str(line) {
        Ok(command) => command,
        Err(error) => return Input::Malformed(format!("{error}: {HOW}")),
    };
    match (command.v, command.command.as_str(), command.text) {
        (Some(version), ..) if version != VERSION => {
            Input::Malformed(format!("version {version} is unknown: leave v out"))
        }
        (_, "say", Some(text)) => Text::new(&text).map_or_else(Input::InvalidText, Input::Say),
        (_, "clients", None) => Input::Clients,
        (_, "quit", None) => Input::Quit,
        (_, other, _) => {
            Input::Malformed(format!("`{other}` is no command, or its text is missing or not allowed: {HOW}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_versioned_line() {
        let record = Record::Message { from: "al", text: "a \"b\"\t\u{202e}\u{9b}\u{e0041}é" };
        let line = stamped(&record, Timestamp::UNIX_EPOCH);
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
