//! A key, or something else that a terminal sends as input.

/// A key of the terminal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Key {
    /// Characters that were typed.
    Text(String),
    /// A paste, with LF between its lines.
    Paste(String),
    /// A paste that is too long to be kept. Its text is lost.
    PasteTooLong,
    /// Ctrl and a lower-case letter, or one of `\`, `_`.
    Ctrl(char),
    /// Alt and a character.
    Alt(char),
    Enter,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Escape,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    WordLeft,
    WordRight,
}
