//! `LIST CLIENTS` over as many lines as it needs: split on the server's side, put together on the client's (clause 3.6).

use crate::{MAX_LINE, MAX_NAME, Name, ServerMessage};

/// So many names fit in one line for certain: `LIST CLIENTS`, a number of up to 20 digits, CRLF and the names.
const NAMES_IN_A_LINE: usize = (MAX_LINE - "LIST CLIENTS ".len() - 20 - 2) / (MAX_NAME + 1);

/// The lines that tell a roster, in order: one, unless the names do not fit in it.
pub fn roster_lines(names: &[Name]) -> impl Iterator<Item = ServerMessage> {
    let total = names.len();
    let empty = names.is_empty().then_some(ServerMessage::Clients { total, names: Vec::new() });
    let lines = names.chunks(NAMES_IN_A_LINE);
    empty.into_iter().chain(lines.map(move |names| ServerMessage::Clients { total, names: names.to_vec() }))
}

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
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the lines of the roster contradict each other (clause 3.6)")]
pub struct RosterError;

impl RosterReader {
    /// Takes what one [`ServerMessage::Clients`] says. The whole roster, once the last line has come; after that, or an
    /// error, the next one begins.
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
    fn any_roster_is_told_in_lines_within_the_limit() {
        for clients in [0, 1, 388, 389, 1_000, 10_000] {
            let names: Vec<_> = (0..clients).map(|n| Name::new(&format!("{n:020}")).unwrap()).collect();
            let mut reader = RosterReader::default();
            let mut told = Vec::new();
            for line in roster_lines(&names) {
                assert!(line.to_string().len() + 2 <= MAX_LINE);
                assert!(told.is_empty(), "nothing follows a whole roster");
                let ServerMessage::Clients { total, names } = line else { panic!("{line:?}") };
                told.extend(reader.push(total, names).unwrap());
            }
            assert_eq!(told, [names]);
        }
    }

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
