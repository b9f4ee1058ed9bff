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

/// Puts a roster together from its lines.
#[derive(Clone, Default, Debug)]
pub struct RosterReader {
    names: Vec<Name>,
}

impl RosterReader {
    /// Takes what one [`ServerMessage::Clients`] says. The whole roster, once the last line has come.
    pub fn push(&mut self, total: usize, mut names: Vec<Name>) -> Option<Vec<Name>> {
        self.names.append(&mut names);
        (self.names.len() >= total).then(|| std::mem::take(&mut self.names))
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
                told.extend(reader.push(total, names));
            }
            assert_eq!(told, [names]);
        }
    }
}
