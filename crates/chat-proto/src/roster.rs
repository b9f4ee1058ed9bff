//! Puts the lines of a roster together: `LIST CLIENTS` takes as many lines as it needs (clause 3.6).

use crate::Name;

/// Maximum number of names in a roster. A larger one is an error, so that a server cannot fill the memory.
pub const MAX_ROSTER: usize = 1_000_000;

/// Puts a roster together from its lines (clause 3.6).
///
/// It holds at most the names of one roster, and checks that the lines agree: a server can be faulty or hostile.
///
/// ```
/// use chat_proto::{RosterReader, ServerMessage};
///
/// let mut reader = RosterReader::default();
/// let mut roster = None;
/// for line in ["LIST CLIENTS 3 ann bob", "LIST CLIENTS 3 guest1"] {
///     let ServerMessage::Clients { total, names } = ServerMessage::parse(line.to_owned())? else { panic!() };
///     roster = reader.push(total, names)?;
/// }
/// assert_eq!(roster.map(|names| names.len()), Some(3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, Debug)]
pub struct RosterReader {
    names: Vec<Name>,
    /// How many names the first line promised.
    promised: Option<usize>,
}

/// The lines of a roster contradict each other, or there are more than [`MAX_ROSTER`] names.
///
/// ```
/// use chat_proto::RosterReader;
///
/// let error = RosterReader::default().push(1, vec!["ann".parse()?, "bob".parse()?]).unwrap_err();
/// assert_eq!(error.to_string(), "the lines of the roster contradict each other (clause 3.6)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the lines of the roster contradict each other (clause 3.6)")]
#[non_exhaustive]
pub struct RosterError;

impl RosterReader {
    /// Adds one line, a [`ServerMessage::Clients`](crate::ServerMessage::Clients). Returns the whole roster with its last
    /// line, and `None` before. After that, or after an error, the next roster begins.
    ///
    /// # Errors
    /// [`RosterError`]: the lines contradict each other, or there are more than [`MAX_ROSTER`] names.
    pub fn push(&mut self, total: usize, mut names: Vec<Name>) -> Result<Option<Vec<Name>>, RosterError> {
        let Self { names: mut roster, promised } = std::mem::take(self);
        // Each line names somebody, or a roster could go on for ever.
        let says_something = !names.is_empty() || total == 0;
        roster.append(&mut names);
        if promised.is_some_and(|promised| promised != total)
            || !says_something
            || roster.len() > total
            || total > MAX_ROSTER
        {
            return Err(RosterError);
        }
        if roster.len() == total {
            return Ok(Some(roster));
        }
        *self = Self { names: roster, promised: Some(total) };
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictions_are_seen_and_forgotten() {
        let names = |names: &str| names.split_whitespace().map(|name| name.parse().unwrap()).collect::<Vec<_>>();
        let mut reader = RosterReader::default();
        for (total, line) in [(4, "c"), (3, "c d e"), (3, "")] {
            assert_eq!(reader.push(3, names("a")), Ok(None));
            assert_eq!(reader.push(total, names(line)), Err(RosterError), "{total} {line}");
        }
        assert_eq!(reader.push(MAX_ROSTER + 1, names("a")), Err(RosterError));
        assert_eq!(reader.push(1, names("a")), Ok(Some(names("a"))));
    }
}
