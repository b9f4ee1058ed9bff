//! What a typed line means: a message, unless it starts with a slash.

use chat_proto::{Text, TextError};

/// What `/help` tells.
pub(super) const HELP: &str = "\
a line is a message to everybody
/clients   who is here
/quit      leave (so does the end of the input)
/help      this
//text     say /text";

/// A typed line.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Input {
    /// An empty line.
    Nothing,
    /// A message.
    Say(Text),
    /// `/clients`
    Clients,
    /// `/quit`
    Quit,
    /// `/help`
    Help,
    /// Another word after a slash.
    Unknown(String),
    /// `/reconnect`
    Reconnect,
    /// `/name NAME`; the name is not checked yet, and empty where there is none.
    Name(String),
    /// A line that no message may hold (clause 1.5).
    Unsayable(TextError),
    /// A line in some other notation that makes no sense, and why.
    Senseless(String),
}

impl Input {
    /// Reads a line, given without its end. `//text` says `/text`.
    pub fn read(line: &str) -> Self {
        let text = match line.strip_prefix('/') {
            None if line.is_empty() => return Self::Nothing,
            None => line,
            Some(text) if text.starts_with('/') => text,
            Some(command) => {
                return match command.trim_end() {
                    "clients" => Self::Clients,
                    "quit" => Self::Quit,
                    "help" => Self::Help,
                    "reconnect" => Self::Reconnect,
                    "name" => Self::Name(String::new()),
                    _ if command.starts_with("name ") => Self::Name(command["name ".len()..].trim().to_owned()),
                    _ => Self::Unknown(line.split_whitespace().next().unwrap_or(line).to_owned()),
                };
            }
        };
        Text::new(text).map_or_else(Self::Unsayable, Self::Say)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(text: &str) -> Input {
        Input::Say(Text::new(text).unwrap())
    }

    #[test]
    fn each_kind_of_line() {
        for (line, meaning) in [
            ("", Input::Nothing),
            (" ", say(" ")),
            ("hi", say("hi")),
            (" /quit", say(" /quit")),
            ("//quit", say("/quit")),
            ("//", say("/")),
            ("/quit", Input::Quit),
            ("/quit \t", Input::Quit),
            ("/clients", Input::Clients),
            ("/help", Input::Help),
            ("/reconnect", Input::Reconnect),
            ("/name", Input::Name(String::new())),
            ("/name  bob ", Input::Name("bob".into())),
            ("/Quit", Input::Unknown("/Quit".into())),
            ("/quit now", Input::Unknown("/quit".into())),
            ("/home is nice", Input::Unknown("/home".into())),
            ("/", Input::Unknown("/".into())),
            ("a\u{1b}[2J", Input::Unsayable(TextError::Control)),
            (&"a".repeat(2_001), Input::Unsayable(TextError::TooLong)),
        ] {
            assert_eq!(Input::read(line), meaning, "{line:?}");
        }
    }
}
