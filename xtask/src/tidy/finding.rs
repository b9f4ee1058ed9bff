//! What a check has found.

use std::fmt;

/// A place in the project, and what to do there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Finding {
    path: String,
    line: usize,
    advice: String,
}

impl Finding {
    /// `line` counts from 1.
    pub(super) fn new(path: &str, line: usize, advice: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, advice: advice.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.advice)
    }
}

/// For the tests of checks: what they found, one line each.
#[cfg(test)]
#[track_caller]
pub(super) fn assert_found(findings: &[Finding], expected: &[&str]) {
    let told: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(told, expected);
}
