//! Tells commands from texts: the one rule for everything that a person types.

/// A typed line without its line end: a text, or a command with a slash.
///
/// Spaces around a command do not count, but those of a text do. `//text` is the text `/text`.
///
/// ```
/// use chat_client::conversation::TypedLine;
///
/// assert_eq!(TypedLine::parse(" hello "), TypedLine::Text(" hello "));
/// assert_eq!(TypedLine::parse("//quit"), TypedLine::Text("/quit"));
/// assert_eq!(TypedLine::parse(" /name  bob "), TypedLine::Command { word: "name", rest: "bob" });
/// assert_eq!(TypedLine::parse("/quit"), TypedLine::Command { word: "quit", rest: "" });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TypedLine<'a> {
    /// A text. It may be empty, and is not checked.
    Text(&'a str),
    /// A command.
    Command {
        /// The word after the slash.
        word: &'a str,
        /// What follows the word, without the spaces around it.
        rest: &'a str,
    },
}

impl<'a> TypedLine<'a> {
    /// Parses a line.
    pub fn parse(line: &'a str) -> Self {
        match line.trim().strip_prefix('/') {
            None => Self::Text(line),
            Some(text) if text.starts_with('/') => Self::Text(text),
            Some(command) => {
                let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
                Self::Command { word, rest: rest.trim_start() }
            }
        }
    }
}
