//! What a line of input means.

use chat_proto::{Text, TextError};

/// The text of `/help`.
pub(super) const HELP: &str = "\
a line is a message to everybody
/clients   who is here
/quit      leave (so does the end of the input)
/help      show this help
//text     say /text";

/// The meaning of a line of input: a message, unless it starts with a slash.
///
/// ```
/// use chat_client::conversation::Input;
///
/// assert_eq!(Input::parse("/clients"), Input::Clients);
/// assert_eq!(Input::parse("//clients"), Input::Say("/clients".parse().unwrap()));
/// assert_eq!(Input::parse("/who is it"), Input::UnknownCommand("/who".to_owned()));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Input {
    /// An empty line.
    Empty,
    /// A message.
    Say(Text),
    /// `/clients`
    Clients,
    /// `/quit`
    Quit,
    /// `/help`
    Help,
    /// An unknown command.
    UnknownCommand(String),
    /// `/reconnect`
    Reconnect,
    /// `/name NAME`. The name is unchecked, and empty if it is missing.
    Name(String),
    /// A line that is not a valid text (clause 1.5).
    InvalidText(TextError),
    /// A line in another notation, such as JSON, that is not valid, and why.
    Malformed(String),
}

impl Input {
    /// A line that is a message, whatever it begins with.
    pub fn text(line: &str) -> Self {
        if line.is_empty() { Self::Empty } else { Text::new(line).map_or_else(Self::InvalidText, Self::Say) }
    }

    /// Parses a line without its line end. `//text` says `/text`.
    pub fn parse(line: &str) -> Self {
        let text = match line.strip_prefix('/') {
            None if line.is_empty() => return Self::Empty,
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
                    _ => Self::UnknownCommand(line.split_whitespace().next().unwrap_or(line).to_owned()),
                };
            }
        };
        Text::new(text).map_or_else(Self::InvalidText, Self::Say)
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
            ("", Input::Empty),
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
            ("/Quit", Input::UnknownCommand("/Quit".into())),
            ("/quit now", Input::UnknownCommand("/quit".into())),
            ("/home is nice", Input::UnknownCommand("/home".into())),
            ("/", Input::UnknownCommand("/".into())),
            ("a\u{1b}[2J", Input::InvalidText(TextError::Control)),
            (&"a".repeat(2_001), Input::InvalidText(TextError::TooLong)),
        ] {
            assert_eq!(Input::parse(line), meaning, "{line:?}");
        }
    }
}
