//! Combines joins and leaves that happen at nearly the same time into one line. Has no I/O and no clock.

use chat_client::{Event, Name};

/// Maximum number of names in a line. Further names are only counted.
const MAX_NAMES_SHOWN: usize = 6;

/// Joins and leaves that are not shown yet.
#[derive(Debug, Default)]
pub(crate) struct Burst {
    joined: Vec<Name>,
    left: Vec<Name>,
}

impl Burst {
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
        let parts = [("joined", std::mem::take(&mut self.joined)), ("left", std::mem::take(&mut self.left))];
        let parts: Vec<_> =
            parts.iter().filter(|(_, names)| !names.is_empty()).map(|(did, names)| part(did, names)).collect();
        if parts.is_empty() { None } else { Some(format!("* {}", parts.join("; "))) }
    }
}

fn part(did: &str, names: &[Name]) -> String {
    let shown: Vec<_> = names.iter().take(MAX_NAMES_SHOWN).map(Name::as_str).collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(MAX_NAMES_SHOWN) {
        0 => format!("{shown} {did}"),
        more => format!("{shown} and {more} more {did}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shown(events: &[(&str, bool)], expected: Option<&str>) {
        let mut burst = Burst::default();
        for (name, joins) in events {
            let name = name.parse().unwrap();
            assert!(burst.add(&if *joins { Event::joined(name) } else { Event::left(name) }));
        }
        assert_eq!(burst.take_line().as_deref(), expected);
        assert_eq!(burst.take_line(), None);
    }

    #[test]
    fn joins_and_leaves_share_a_line() {
        shown(&[], None);
        shown(&[("al", true)], Some("* al joined"));
        shown(&[("al", true), ("bo", false), ("cy", true)], Some("* al, cy joined; bo left"));
        let many: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|name| (name, false)).into();
        shown(&many, Some("* a, b, c, d, e, f and 2 more left"));
    }
}
