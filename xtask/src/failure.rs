//! How a command can fail: it was typed wrong, or what it did went wrong.

use std::io;

/// One sentence for the terminal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    /// It was typed wrong: exit 2, with the usage.
    Usage(String),
    /// It was understood, and failed: exit 1.
    Work(String),
}

impl Failure {
    /// Something that was done failed.
    pub(crate) fn work(problem: impl Into<String>) -> Self {
        Self::Work(problem.into())
    }

    /// For `map_err`: says what was being done.
    pub(crate) fn while_doing(what: &str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Work(format!("cannot {what}: {error}"))
    }
}
