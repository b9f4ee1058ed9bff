//! Selects cases by the flags, and writes lists, reports and errors.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    path::Path,
};

use super::{Exit, args::Judge};
use crate::{Case, ExpectedFailures, Report, Select, Side, Suite, coverage, text_file};

/// Prints a line on standard output. A closed output, as after `| head`, does not stop the run.
pub(super) fn line(text: &str) {
    drop(writeln!(io::stdout(), "{text}"));
}

/// Prints a line on standard error.
pub(super) fn error_line(message: &str) {
    drop(writeln!(io::stderr(), "chat-conform: {message}"));
}

pub(super) fn read_file(path: &Path) -> Result<String, String> {
    text_file::read(path).map_err(|error| format!("cannot read {}: {error}: name an existing file", path.display()))
}

pub(super) fn write_file(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text)
        .map_err(|error| format!("cannot write {}: {error}: name a file in an existing folder", path.display()))
}

/// The cases of `--cases`, or the embedded ones.
pub(super) fn suite(judge: &Judge) -> Result<Suite, String> {
    let suite = judge.cases.as_deref().map_or_else(Suite::embedded, Suite::from_file);
    suite.map_err(|error| error.to_string())
}

/// The cases that `--only` and `--level` select.
pub(super) fn selected<'a>(suite: &'a Suite, side: Side, judge: &Judge) -> Vec<&'a Case> {
    suite.select(side, &select(judge))
}

/// The selection that the flags make.
pub(super) fn select(judge: &Judge) -> Select {
    Select::new(judge.only.clone(), judge.level).with_slow(judge.slow)
}

/// The list of `--known-failing`. A name that no case has is an error, because it is probably misspelled.
pub(super) fn expected_failures(suite: &Suite, side: Side, judge: &Judge) -> Result<ExpectedFailures, String> {
    let Some(path) = &judge.known_failing else { return Ok(ExpectedFailures::default()) };
    let known = ExpectedFailures::read(&read_file(path)?);
    let all = suite.select(side, &Select::default().with_slow(true));
    let names: BTreeSet<_> = all.iter().map(|case| case.name.as_str()).collect();
    match known.unknown_names(&names).as_slice() {
        [] => Ok(known),
        unknown => Err(format!("{}: no such case: {}", path.display(), unknown.join(", "))),
    }
}

/// Puts `127.0.0.1` before `:PORT`.
pub(super) fn with_default_host(address: &str) -> String {
    if address.starts_with(':') { format!("127.0.0.1{address}") } else { address.to_owned() }
}

/// Prints a line for each case, or with `--clauses` the lines for each clause.
pub(super) fn list(suite: &Suite, cases: &[&Case], judge: &Judge) {
    if judge.clauses {
        return line(coverage::Coverage::of(suite).to_string().trim_end());
    }
    for case in cases {
        let should = if case.requirement == crate::Requirement::Should { " (SHOULD)" } else { "" };
        line(&format!("{:<6} {:<36} {}{should}: {}", case.level, case.name, case.clauses.join(" "), case.about));
    }
}

/// Writes the report to the outputs that the flags ask for. Returns the exit code.
pub(super) fn write_report(report: &Report, judge: &Judge) -> Result<Exit, String> {
    if judge.json {
        line(&report.json());
    } else {
        line(&format!("\n{report}"));
    }
    if let Some(path) = &judge.junit {
        write_file(path, &report.junit())?;
    }
    Ok(if report.passed(judge.strict) { Exit::Passed } else { Exit::Failed })
}
