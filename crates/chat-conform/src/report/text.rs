//! The report as text.

use std::fmt::{self, Write};

use super::{CaseReport, Report, Score, Verdict};
use crate::case::Requirement;

impl fmt::Display for CaseReport {
    /// One line, followed by the details of a failure.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.verdict {
            Verdict::Passed => "pass",
            Verdict::Failed => "FAIL",
            Verdict::Warned => "warn",
            Verdict::KnownFailure => "known",
            Verdict::Fixed => "fixed",
        };
        write!(f, "{word:<5} {:<6} {:<36} {}", self.level, self.name, self.clauses.join(" "))?;
        if self.requirement == Requirement::Should {
            f.write_str(" (SHOULD)")?;
        }
        if self.verdict == Verdict::Fixed {
            f.write_str("\n      passes now: remove it from the list of known failures")?;
        }
        self.transcript.iter().try_for_each(|line| write!(f, "\n    {line}"))?;
        let Some(failure) = &self.failure else { return Ok(()) };
        if failure.transcript.is_empty() {
            return write!(f, "\n      {}", failure.what);
        }
        write!(f, "\n      {} asks: {}", failure.clause, wrapped(&failure.asks))?;
        failure.transcript.iter().try_for_each(|line| write!(f, "\n    {line}"))?;
        write!(f, "\n      {} ({})", failure.what, failure.place)
    }
}

/// Wraps the text. Lines after the first are indented.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 100;
    let (mut out, mut width) = (String::new(), 0);
    for word in text.split(' ') {
        let length = word.chars().count();
        if width + length > WIDTH && width > 0 {
            out.push_str("\n      ");
            width = 0;
        } else if width > 0 {
            out.push(' ');
        }
        out.push_str(word);
        width += length + 1;
    }
    out
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<7} {:>3} of {:>3}", self.level, self.passed, self.of)?;
        if self.should_of > 0 {
            write!(f, "   SHOULD {} of {}", self.should_passed, self.should_of)?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    /// The scores and the totals. Each case has been printed before, when it ended.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scores.iter().try_for_each(|score| writeln!(f, "{score}"))?;
        let count = |verdict| self.cases.iter().filter(|case| case.verdict == verdict).count();
        let noun = if self.cases.len() == 1 { "case" } else { "cases" };
        let mut totals = format!("{} {noun} in {:.1} s: ", self.cases.len(), self.seconds);
        let parts = [
            (Verdict::Passed, "passed"),
            (Verdict::Failed, "failed"),
            (Verdict::Warned, "warned"),
            (Verdict::KnownFailure, "known to fail"),
            (Verdict::Fixed, "fixed"),
        ];
        let counts = parts.into_iter().map(|(verdict, word)| (count(verdict), word)).filter(|(count, _)| *count > 0);
        for (index, (count, word)) in counts.enumerate() {
            write!(totals, "{}{count} {word}", if index > 0 { ", " } else { "" })?;
        }
        f.write_str(&totals)?;
        if self.has_plain_sessions_only() {
            f.write_str("\nyour server answers BAD PROT: to judge level plain only, add --level plain")?;
        }
        Ok(())
    }
}
