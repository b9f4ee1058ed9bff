//! The names whose messages, joins and leaves are hidden.

use chat_client::{Event, Name};

/// The ignored names. Case does not matter.
#[derive(Debug, Default)]
pub(crate) struct Ignored(Vec<Name>);

impl Ignored {
    /// Ignores a name. Returns `false` if it already is.
    pub(crate) fn add(&mut self, name: Name) -> bool {
        let is_new = !self.contains(name);
        if is_new {
            self.0.push(name);
        }
        is_new
    }

    /// Shows a name again. Returns `false` if it was not ignored.
    pub(crate) fn remove(&mut self, name: Name) -> bool {
        let before = self.0.len();
        self.0.retain(|ignored| ignored.key() != name.key());
        self.0.len() < before
    }

    /// Whether this event is hidden.
    pub(crate) fn hides(&self, event: &Event) -> bool {
        match event {
            Event::Message { from: name, .. } | Event::Joined { name, .. } | Event::Left { name, .. } => {
                self.contains(*name)
            }
            _ => false,
        }
    }

    /// The names, separated by spaces.
    pub(crate) fn list(&self) -> String {
        self.0.iter().map(Name::as_str).collect::<Vec<_>>().join(" ")
    }

    fn contains(&self, name: Name) -> bool {
        self.0.iter().any(|ignored| ignored.key() == name.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ignored_in_any_case() {
        let name = |name: &str| name.parse::<Name>().unwrap();
        let mut ignored = Ignored::default();
        assert!(ignored.add(name("Bob")) && !ignored.add(name("bob")));
        assert!(ignored.hides(&Event::joined(name("BOB"))) && !ignored.hides(&Event::joined(name("al"))));
        assert!(ignored.hides(&Event::message(name("bob"), "hi".parse().unwrap())));
        assert!(!ignored.hides(&Event::roster(vec![name("bob")])));
        assert_eq!(ignored.list(), "Bob");
        assert!(ignored.remove(name("bob")) && !ignored.remove(name("bob")));
    }
}
