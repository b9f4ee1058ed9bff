//! Texts of messages: checked when made, so that nobody can put a line break or a control character on the wire.

use std::{fmt, str::FromStr};

use crate::MAX_TEXT;

/// The text of a message: 1 to [`MAX_TEXT`] Unicode scalar values, no control character (Cc) but TAB (clause 1.5).
///
/// A text may contain other characters that act on a terminal, such as bidirectional controls: escape it before you show it.
///
/// ```
/// use chat_proto::{Text, TextError};
///
/// let text = Text::new("hello")?;
/// assert_eq!(text.as_str(), "hello");
/// assert_eq!(Text::new("two\nlines"), Err(TextError::Control));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Text(String);

/// Why a string is not a text.
///
/// The value is a rule of a fixed grammar, so it is `Copy`; the string itself is not kept.
///
/// ```
/// use chat_proto::{MAX_TEXT, Text, TextError};
///
/// assert_eq!(Text::new(""), Err(TextError::Empty));
/// assert_eq!(Text::new("é".repeat(MAX_TEXT + 1)), Err(TextError::TooLong));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// The string is empty.
    #[error("a text has at least one character")]
    Empty,
    /// More than [`MAX_TEXT`] scalar values.
    #[error("a text has at most {MAX_TEXT} characters")]
    TooLong,
    /// The string has a control character, such as ESC, NUL or a line break.
    #[error("a text has no control character but TAB")]
    Control,
}

impl Text {
    /// Checks a text. It is not trimmed or changed in any way.
    ///
    /// # Errors
    /// [`TextError`]: the string breaks clause 1.5.
    pub fn new(text: impl Into<String>) -> Result<Self, TextError> {
        let text = text.into();
        Self::check(&text)?;
        Ok(Self(text))
    }

    /// Checks a text of which the beginning is enough: what exceeds [`MAX_TEXT`] scalar values is cut off. Use it for texts
    /// that quote others, which may have the full length already.
    ///
    /// ```
    /// use chat_proto::{MAX_TEXT, Text, TextError};
    ///
    /// let said = "é".repeat(MAX_TEXT);
    /// let quote = Text::shortened(&format!("ann said: {said}"))?;
    /// assert_eq!(quote.as_str().chars().count(), MAX_TEXT);
    /// assert_eq!(Text::shortened("two\nlines"), Err(TextError::Control));
    /// # Ok::<(), TextError>(())
    /// ```
    ///
    /// # Errors
    /// [`TextError::Empty`], or [`TextError::Control`] in the beginning.
    pub fn shortened(text: &str) -> Result<Self, TextError> {
        let end = text.char_indices().nth(MAX_TEXT).map_or(text.len(), |(end, _)| end);
        Self::new(&text[..end])
    }

    pub(crate) fn check(text: &str) -> Result<(), TextError> {
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        if has_control(text) {
            return Err(TextError::Control);
        }
        // Bytes bound characters from above, so that the short ones, which are nearly all, need not be counted.
        if text.len() > MAX_TEXT && text.chars().count() > MAX_TEXT {
            return Err(TextError::TooLong);
        }
        Ok(())
    }

    /// Only for what [`Text::check`] has let pass.
    pub(crate) fn checked(text: String) -> Self {
        Self(text)
    }

    /// The text as a string slice.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the string, without a copy.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// On the way of every message: looks at bytes where they are all that there is to see.
fn has_control(text: &str) -> bool {
    let control = |byte: u8| (byte < 0x20 && byte != b'\t') || byte == 0x7F;
    // Without an early end, so that many bytes are looked at in one step.
    let seen = text.bytes().fold(false, |seen, byte| seen | control(byte));
    seen || (!text.is_ascii() && text.chars().any(|c| ('\u{80}'..='\u{9F}').contains(&c)))
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for Text {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        Self::new(text)
    }
}

impl TryFrom<&str> for Text {
    type Error = TextError;

    fn try_from(text: &str) -> Result<Self, TextError> {
        Self::new(text)
    }
}

impl TryFrom<String> for Text {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, why: TextError) {
        assert_eq!(Text::new(text), Err(why), "{text:?}");
    }

    #[test]
    fn what_is_not_a_text() {
        refused("", TextError::Empty);
        refused(&"a".repeat(2_001), TextError::TooLong);
        refused(&"\u{1f600}".repeat(2_001), TextError::TooLong);
        for text in ["a\rb", "a\n", "\0", "\u{1b}[31m", "\u{7f}", "\u{85}", "\u{9b}31m"] {
            refused(text, TextError::Control);
        }
    }

    #[test]
    fn what_is_a_text() {
        for text in ["a", " ", "\t", "MSG", "\u{202e}", &"a".repeat(2_000), &"\u{1f600}".repeat(2_000)] {
            assert_eq!(Text::new(text).unwrap().as_str(), text);
        }
    }
}
