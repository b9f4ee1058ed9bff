//! Makes events: the session from the server's lines, and tests of programs that handle events.

use chat_proto::{Name, Text};

use super::Event;

impl Event {
    /// An [`Event::Joined`].
    pub fn joined(name: Name) -> Self {
        Self::Joined { name }
    }

    /// An [`Event::Left`].
    pub fn left(name: Name) -> Self {
        Self::Left { name }
    }

    /// An [`Event::Message`].
    ///
    /// ```
    /// use chat_client::Event;
    ///
    /// fn greets(event: &Event) -> bool {
    ///     matches!(event, Event::Message { text, .. } if text.as_str().starts_with("hello"))
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// assert!(greets(&Event::message("ann".parse()?, "hello bob".parse()?)));
    /// assert!(!greets(&Event::notice("hello all".parse()?)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn message(from: Name, text: Text) -> Self {
        Self::Message { from, text }
    }

    /// An [`Event::Notice`].
    pub fn notice(text: Text) -> Self {
        Self::Notice { text }
    }

    /// An [`Event::Accepted`].
    pub fn accepted(text: Text) -> Self {
        Self::Accepted { text }
    }

    /// An [`Event::Refused`].
    pub fn refused(text: Text) -> Self {
        Self::Refused { text }
    }

    /// An [`Event::Unknown`].
    pub fn unknown(text: Text) -> Self {
        Self::Unknown { text }
    }

    /// An [`Event::NotSent`].
    pub fn not_sent(text: Text) -> Self {
        Self::NotSent { text }
    }

    /// An [`Event::Roster`].
    pub fn roster(names: Vec<Name>) -> Self {
        Self::Roster { names }
    }
}
