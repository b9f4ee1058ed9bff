//! Combines joins and leaves that happen at nearly the same time into one line. Has no I/O and no clock.

use std::collections::HashMap;

use chat_client::{Event, Name};

/// Maximum number of names in a list.
const MAX_NAMES_SHOWN: usize = 6;

/// Joins and leaves that are not shown yet, oldest first.
#[derive(Debug, Default)]
pub(crate) struct JoinsAndLeaves(Vec<(Name, Change)>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Change {
    Joined,
    Left,
}

impl JoinsAndLeaves {
    /// Adds a join or leave. Returns `false` for any other event.
    pub(crate) fn add(&mut self, event: &Event) -> bool {
        match event {
            Event::Joined { name, .. } => self.0.push((*name, Change::Joined)),
            Event::Left { name, .. } => self.0.push((*name, Change::Left)),
            _ => return false,
        }
        true
    }

    /// Takes all joins and leaves as one line. `None` if there are none.
    ///
    /// The line names each person once. Their first change tells whether they were here before, and their last change
    /// whether they are here now.
    pub(crate) fn take_line(&mut self) -> Option<String> {
        let mut people: Vec<(Name, Change, Change)> = Vec::new();
        let mut places = HashMap::new();
        for (name, change) in std::mem::take(&mut self.0) {
            let place = *places.entry(name.key()).or_insert(people.len());
            match people.get_mut(place) {
                Some((_, _, last)) => *last = change,
                None => people.push((name, change, change)),
            }
        }
        let outcomes = [
            (Change::Joined, Change::Joined, "joined"),
            (Change::Left, Change::Left, "left"),
            (Change::Left, Change::Joined, "left and came back"),
            (Change::Joined, Change::Left, "joined and left"),
        ];
        let parts = outcomes.iter().filter_map(|&(first, last, outcome)| {
            let names: Vec<_> =
                people.iter().filter(|person| (person.1, person.2) == (first, last)).map(|person| person.0).collect();
            (!names.is_empty()).then(|| format!("{} {outcome}", list(&names)))
        });
        let line = parts.collect::<Vec<_>>().join("; ");
        (!line.is_empty()).then(|| format!("* {line}"))
    }
}

/// The names, separated by commas. Names above the maximum are counted.
fn list(names: &[Name]) -> String {
    let shown: Vec<_> = names.iter().take(MAX_NAMES_SHOWN).map(Name::as_str).collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(MAX_NAMES_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_line(given: &[(&str, bool)], expected: Option<&str>) {
        let mut events = JoinsAndLeaves::default();
        for (name, joins) in given {
            let name = name.parse().unwrap();
            assert!(events.add(&if *joins { Event::joined(name) } else { Event::left(name) }));
        }
        assert_eq!(events.take_line().as_deref(), expected);
        assert_eq!(events.take_line(), None);
    }

    #[test]
    fn joins_and_leaves_share_a_line() {
        check_line(&[], None);
        check_line(&[("al", true)], Some("* al joined"));
        check_line(&[("al", true), ("bo", false), ("cy", true)], Some("* al, cy joined; bo left"));
        let many: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|name| (name, false)).into();
        check_line(&many, Some("* a, b, c, d, e, f and 2 more left"));
    }

    #[test]
    fn the_line_tells_who_is_here_at_the_end() {
        check_line(&[("al", false), ("AL", true)], Some("* al left and came back"));
        check_line(&[("al", true), ("al", false)], Some("* al joined and left"));
        check_line(&[("al", false), ("al", true), ("al", false)], Some("* al left"));
        check_line(&[("al", true), ("al", false), ("al", true)], Some("* al joined"));
        let many = [("al", false), ("bo", true), ("al", true), ("cy", true), ("bo", false), ("dan", false)];
        check_line(&many, Some("* cy joined; dan left; al left and came back; bo joined and left"));
    }
}
