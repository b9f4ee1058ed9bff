//! A line before the first message that arrives while nobody is at the keyboard.

use std::time::Duration;

use tokio::time::Instant;

/// Time without a key after which the person counts as away.
const AWAY_AFTER: Duration = Duration::from_secs(180);

/// Whether the person is at the keyboard.
#[derive(Debug)]
pub(crate) struct Unread {
    last_key: Instant,
    /// The line for this absence was shown.
    is_marked: bool,
}

impl Unread {
    pub(crate) fn new(now: Instant) -> Self {
        Self { last_key: now, is_marked: false }
    }

    /// A key was pressed.
    pub(crate) fn on_key(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    /// The line to show before a message that arrives now.
    pub(crate) fn separator(&mut self, now: Instant) -> Option<&'static str> {
        if self.is_marked || now.duration_since(self.last_key) < AWAY_AFTER {
            return None;
        }
        self.is_marked = true;
        Some("---- unread ----")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_message_of_an_absence_is_marked() {
        let start = Instant::now();
        let mut unread = Unread::new(start);
        let minutes = |minutes: u64| start + Duration::from_secs(60 * minutes);
        assert_eq!(unread.separator(minutes(2)), None);
        assert_eq!(unread.separator(minutes(3)), Some("---- unread ----"));
        assert_eq!(unread.separator(minutes(4)), None);
        unread.on_key(minutes(5));
        assert_eq!(unread.separator(minutes(7)), None);
        assert_eq!(unread.separator(minutes(9)), Some("---- unread ----"));
    }
}
