//! What a line of input means.

use chat_proto::{Text, TextError};

use super::TypedLine;

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

    /// Parses a line without its line end: see [`TypedLine`].
    pub fn parse(line: &str) -> Self {
        match TypedLine::parse(line) {
            TypedLine::Text(text) => Self::text(text),
            TypedLine::Command { word, .. } => match word {
                "clients" => Self::Clients,
                "quit" => Self::Quit,
                "help" => Self::Help,
                word => Self::UnknownCommand(format!("/{word}")),
            },
        }
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
            (" /quit", Input::Quit),
            (" //quit", say("/quit")),
            ("//quit", say("/quit")),
            ("//", say("/")),
            ("/quit", Input::Quit),
            ("/quit \t", Input::Quit),
            ("/clients", Input::Clients),
            ("/help", Input::Help),
            ("/name  bob ", Input::UnknownCommand("/name".into())),
            ("/Quit", Input::UnknownCommand("/Quit".into())),
            ("/quit now", Input::Quit),
            ("/home is nice", Input::UnknownCommand("/home".into())),
            ("/", Input::UnknownCommand("/".into())),
            ("a\u{1b}[2J", Input::InvalidText(TextError::Control)),
            (&"a".repeat(2_001), Input::InvalidText(TextError::TooLong)),
        ] {
            assert_eq!(Input::parse(line), meaning, "{line:?}");
        }
    }
}
