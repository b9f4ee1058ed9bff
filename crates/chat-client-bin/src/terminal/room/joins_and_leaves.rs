//! Combines joins and leaves that happen at nearly the same time into one line. Has no I/O and no clock.

use chat_client::{Event, Name};

/// Maximum number of names in a list.
const MAX_NAMES_SHOWN: usize = 6;

/// Joins and leaves that are not shown yet.
#[derive(Debug, Default)]
pub(crate) struct JoinsAndLeaves {
    joined: Vec<Name>,
    left: Vec<Name>,
}

impl JoinsAndLeaves {
    /// Adds a join or leave. Returns `false` for any other event.
    pub(crate) fn add(&mut self, event: &Event) -> bool {
        match event {
            Event::Joined { name, .. } => self.joined.push(*name),
            Event::Left { name, .. } => self.left.push(*name),
            _ => return false,
        }
        true
    }

    /// Takes all joins and leaves as one line. `None` if there are none.
    pub(crate) fn take_line(&mut self) -> Option<String> {
        let (joined, left) = (std::mem::take(&mut self.joined), std::mem::take(&mut self.left));
        match (joined.is_empty(), left.is_empty()) {
            (true, true) => None,
            (false, true) => Some(format!("* {} joined", list(&joined))),
            (true, false) => Some(format!("* {} left", list(&left))),
            (false, false) => Some(format!("* {} joined; {} left", list(&joined), list(&left))),
        }
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
}
