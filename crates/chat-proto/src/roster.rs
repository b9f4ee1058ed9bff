//! `LIST CLIENTS` over as many lines as it needs, put together on the client's side (clause 3.6).

use crate::Name;

/// A roster that promises more names than this is not believed.
pub const MAX_ROSTER: usize = 1_000_000;

/// Puts a roster together from its lines, as long as they agree: a server can be faulty or hostile.
#[derive(Clone, Default, Debug)]
pub struct RosterReader {
    names: Vec<Name>,
    /// How many names the first line promised.
    promised: Option<usize>,
}

/// The lines of a roster contradict each other, or promise more than [`MAX_ROSTER`] names.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the lines of the roster contradict each other (clause 3.6)")]
#[non_exhaustive]
pub struct RosterError;

impl RosterReader {
    /// Takes what one [`ServerMessage::Clients`](crate::ServerMessage::Clients) says. Returns the whole roster with its
    /// last line. After that, or after an error, the next roster begins.
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
