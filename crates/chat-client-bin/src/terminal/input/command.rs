//! What a typed line means: a message, unless it starts with a slash.

use chat_client::{Name, Text, TextError, conversation::TypedLine};

/// The names of all commands, with a slash.
pub(crate) const COMMANDS: &[&str] =
    &["/clients", "/help", "/ignore", "/me", "/name", "/quit", "/reconnect", "/unignore"];

/// The text of `/help`.
pub(crate) const HELP: &str = "\
each line is a message to everybody; Tab completes names and commands
/clients        list who is here
/me TEXT        send * TEXT, such as * waves
/name NAME      set your name, if you have none yet
/ignore NAME    hide the messages, joins and leaves of NAME
/ignore         list whom you ignore
/unignore NAME  show NAME again
/reconnect      reconnect now
/quit           leave, as does Ctrl-D (Ctrl-C clears the line, and leaves if it is empty)
/help           list these commands
//text          send /text as a message
pasted text is never a command; a paste of more than 3 lines is sent only if you agree";

/// The meaning of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Command {
    /// An empty line.
    Nothing,
    Say(Text),
    Clients,
    Help,
    /// Without a name: list the ignored names.
    Ignore(Option<Name>),
    Unignore(Name),
    /// The name is unchecked, and empty if it is missing.
    SetName(String),
    Quit,
    Reconnect,
    /// The line is no command. Tells why.
    Invalid(String),
    /// The line is not a valid text (clause 1.5).
    InvalidText(TextError),
}

impl Command {
    /// Parses a typed line: see [`TypedLine`].
    pub(crate) fn parse(line: &str) -> Self {
        let (word, rest) = match TypedLine::parse(line) {
            TypedLine::Text(text) => return Self::say(text),
            TypedLine::Command { word, rest } => (word, rest),
        };
        match word {
            "clients" => Self::Clients,
            "help" => Self::Help,
            "ignore" if rest.is_empty() => Self::Ignore(None),
            "ignore" => name(rest, |name| Self::Ignore(Some(name))),
            "me" if rest.is_empty() => Self::Invalid("write a text after /me".to_owned()),
            "me" => Self::say(&format!("* {rest}")),
            "name" => Self::SetName(rest.to_owned()),
            "quit" => Self::Quit,
            "reconnect" => Self::Reconnect,
            "unignore" => name(rest, Self::Unignore),
            word => Self::Invalid(format!(
                "no such command: /{word} (/help lists them; to send it as a message, write //{word})"
            )),
        }
    }

    /// A line that is said as it is, even if it starts with a slash.
    pub(crate) fn say(line: &str) -> Self {
        if line.is_empty() {
            return Self::Nothing;
        }
        Text::new(line).map_or_else(Self::InvalidText, Self::Say)
    }
}

fn name(word: &str, command: impl FnOnce(Name) -> Command) -> Command {
    word.parse().map_or_else(|why| Command::Invalid(format!("{why}")), command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(text: &str) -> Command {
        Command::Say(Text::new(text).unwrap())
    }

    #[test]
    fn each_kind_of_line() {
        for (line, meaning) in [
            ("", Command::Nothing),
            (" ", say(" ")),
            ("hi ", say("hi ")),
            ("//quit", say("/quit")),
            (" //quit", say("/quit")),
            ("//", say("/")),
            ("/quit", Command::Quit),
            (" /quit \t", Command::Quit),
            ("/quit now", Command::Quit),
            ("/clients?", Command::Invalid(String::new())),
            ("/clients", Command::Clients),
            ("/help me", Command::Help),
            ("/reconnect", Command::Reconnect),
            ("/name", Command::SetName(String::new())),
            ("/name  bob ", Command::SetName("bob".into())),
            ("/me  waves ", say("* waves")),
            ("/me", Command::Invalid(String::new())),
            ("/ignore", Command::Ignore(None)),
            ("/ignore bob", Command::Ignore(Some("bob".parse().unwrap()))),
            ("/ignore b*b", Command::Invalid(String::new())),
            ("/unignore bob", Command::Unignore("bob".parse().unwrap())),
            ("/unignore", Command::Invalid(String::new())),
            ("/Quit", Command::Invalid(String::new())),
            ("/", Command::Invalid(String::new())),
            ("a\u{1b}[2J", Command::InvalidText(TextError::Control)),
            (&"a".repeat(2_001), Command::InvalidText(TextError::TooLong)),
        ] {
            let parsed = match Command::parse(line) {
                Command::Invalid(why) => {
                    assert!(!why.is_empty(), "{line:?}");
                    Command::Invalid(String::new())
                }
                parsed => parsed,
            };
            assert_eq!(parsed, meaning, "{line:?}");
        }
        assert_eq!(Command::say("/quit"), say("/quit"));
        assert_eq!(Command::say("// a"), say("// a"));
    }

    #[test]
    fn help_lists_every_command() {
        for command in COMMANDS {
            assert!(HELP.lines().any(|line| line.starts_with(&format!("{command} "))), "{command}");
        }
    }
}
