//! A line where the day changes, because lines have only the time of day.

use jiff::{Zoned, civil::Date};

/// The day of the last line.
#[derive(Debug, Default)]
pub(crate) struct Days(Option<Date>);

impl Days {
    /// The line that separates the last line from one at this time. `None` on the same day, and for the first line.
    pub(crate) fn separator(&mut self, now: &Zoned) -> Option<String> {
        let last = self.0.replace(now.date())?;
        (last != now.date()).then(|| now.strftime("---- %A, %-d %B %Y ----").to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_is_shown_where_the_day_changes() {
        let mut days = Days::default();
        for (time, expected) in [
            ("2026-11-25T22:00[UTC]", None),
            ("2026-11-25T23:59:59[UTC]", None),
            ("2026-11-26T00:00[UTC]", Some("---- Thursday, 26 November 2026 ----")),
            ("2026-11-26T00:01[UTC]", None),
            ("2026-12-01T00:01[UTC]", Some("---- Tuesday, 1 December 2026 ----")),
        ] {
            let time: Zoned = time.parse().unwrap();
            assert_eq!(days.separator(&time).as_deref(), expected, "{time}");
        }
    }
}
