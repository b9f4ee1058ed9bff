//! The report as `JUnit` XML, a format that most build servers can show.

use std::fmt::Write;

use super::{CaseReport, Report, Verdict};

impl Report {
    /// The whole report as `JUnit` XML.
    pub fn junit(&self) -> String {
        let failed = |case: &&CaseReport| case.verdict == Verdict::Failed;
        let (tests, failures) = (self.cases.len(), self.cases.iter().filter(failed).count());
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let target = escaped(&self.target);
        let _ = writeln!(
            xml,
            "<testsuite name=\"{target}\" tests=\"{tests}\" failures=\"{failures}\" time=\"{:.3}\">",
            self.seconds
        );
        for case in &self.cases {
            let _ = write!(
                xml,
                "  <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
                case.level,
                escaped(&case.name),
                case.seconds
            );
            let Some(failure) = &case.failure else {
                xml.push_str("/>\n");
                continue;
            };
            // A known failure or a failed SHOULD case must not fail the build: it is skipped.
            let element = if case.verdict == Verdict::Failed { "failure" } else { "skipped" };
            let message = escaped(&format!("{}: {}", failure.clause, failure.what));
            let body = escaped(&format!("{}\n\n{}", failure.asks, failure.transcript.join("\n")));
            let _ = writeln!(xml, ">\n    <{element} message=\"{message}\">{body}</{element}>\n  </testcase>");
        }
        xml.push_str("</testsuite>\n");
        xml
    }
}

/// Escapes text for XML and HTML. Characters that XML does not allow become U+FFFD.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn markup_and_control_characters_are_escaped() {
        assert_eq!(super::escaped("<a b=\"c\">'&\u{1b}"), "&lt;a b=&quot;c&quot;&gt;&#39;&amp;\u{fffd}");
    }
}
