//! Compares a line with what a dialogue expects, where `guest{a}` stands for a number that only the server knows.

use std::collections::BTreeMap;

/// The numbers of the guests that have been seen in one dialogue.
///
/// ```
/// use chat_proto::contract::Guests;
///
/// let mut guests = Guests::default();
/// assert!(guests.matches("JOIN guest{a}", "JOIN guest7")); // any number at first sight
/// assert!(!guests.matches("LOGOUT guest{a}", "LOGOUT guest8"));
/// assert!(guests.matches("LOGOUT guest{a}", "LOGOUT guest7"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Guests {
    numbers: BTreeMap<char, String>,
}

impl Guests {
    /// Whether the line `got` is the one that is `expected`: `guest{a}` matches `guest` and any digits at first sight, and
    /// the same digits afterwards. The names of `LIST CLIENTS` match in any order (clause 3.6).
    pub fn matches(&mut self, expected: &str, got: &str) -> bool {
        let mut tried = self.clone();
        let same = match (roster(expected), roster(got)) {
            (Some(expected), Some(got)) => tried.same_roster(expected, got),
            _ => tried.same_line(expected, got),
        };
        if same {
            *self = tried;
        }
        same
    }

    /// Whether this name is that of a guest who has been seen in the dialogue.
    pub fn knows(&self, name: &str) -> bool {
        name.strip_prefix("guest").is_some_and(|number| self.numbers.values().any(|known| known == number))
    }

    fn same_roster(&mut self, expected: (&str, Vec<&str>), got: (&str, Vec<&str>)) -> bool {
        let ((total, mut wanted), (got_total, mut names)) = (expected, got);
        // The guests last, those without a number yet at the very end: they take what nobody else can be.
        wanted.sort_by_key(|name| placeholder(name).map(|(_, letter, _)| !self.numbers.contains_key(&letter)));
        total == got_total
            && wanted.len() == names.len()
            && wanted.into_iter().all(|name| {
                let found = names.iter().position(|got| self.matches(name, got));
                found.map(|index| names.swap_remove(index)).is_some()
            })
    }

    fn same_line(&mut self, mut expected: &str, mut got: &str) -> bool {
        while let Some((before, letter, after)) = placeholder(expected) {
            let Some(rest) = got.strip_prefix(before) else { return false };
            let (number, rest) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
            if number.is_empty() || self.numbers.entry(letter).or_insert_with(|| number.to_owned()) != number {
                return false;
            }
            (expected, got) = (after, rest);
        }
        expected == got
    }
}

/// The number and the names of a `LIST CLIENTS` line.
fn roster(line: &str) -> Option<(&str, Vec<&str>)> {
    let mut words = line.strip_prefix("LIST CLIENTS ")?.split(' ');
    Some((words.next()?, words.collect()))
}

/// What stands before the digits of the first `guest{a}`, its letter, and what stands behind it.
fn placeholder(text: &str) -> Option<(&str, char, &str)> {
    let brace = text.find("guest{")? + "guest".len();
    let mut rest = text[brace + 1..].chars();
    let letter = rest.next()?;
    Some((&text[..brace], letter, rest.as_str().strip_prefix('}')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_bound_at_first_sight() {
        let mut guests = Guests::default();
        assert!(!guests.matches("JOIN guest{a}", "JOIN guest"));
        assert!(!guests.matches("JOIN guest{a}", "JOIN guest12x"));
        assert!(guests.matches("JOIN guest{a}", "JOIN guest12"));
        assert!(guests.matches("FROM guest{a} MSG hi", "FROM guest12 MSG hi"));
        assert!(!guests.matches("FROM guest{a} MSG hi", "FROM guest1 MSG hi"));
        assert!(guests.matches("JOIN guest{b}", "JOIN guest1"));
        assert!(guests.knows("guest1") && guests.knows("guest12") && !guests.knows("guest2") && !guests.knows("bob"));
        assert!(guests.matches("OK", "OK") && !guests.matches("OK", "OK "));
    }

    #[test]
    fn a_line_that_does_not_match_binds_nothing() {
        let mut guests = Guests::default();
        assert!(!guests.matches("FROM guest{a} MSG hi", "FROM guest1 MSG ho"));
        assert!(guests.matches("FROM guest{a} MSG hi", "FROM guest2 MSG hi"));
    }

    #[test]
    fn rosters_match_in_any_order() {
        let mut guests = Guests::default();
        assert!(guests.matches("JOIN guest{b}", "JOIN guest2"));
        assert!(
            guests.matches("LIST CLIENTS 4 guest{a} guest{b} guest7 bob", "LIST CLIENTS 4 bob guest7 guest2 guest1")
        );
        assert!(guests.matches("JOIN guest{a}", "JOIN guest1"));
        assert!(!guests.matches("LIST CLIENTS 2 alice bob", "LIST CLIENTS 2 bob bob"));
        assert!(!guests.matches("LIST CLIENTS 2 alice bob", "LIST CLIENTS 3 alice bob"));
        assert!(!guests.matches("LIST CLIENTS 1 alice", "LIST CLIENTS 1 alice bob"));
    }
}
