//! What the program prints, and where reports go.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    path::Path,
};

use super::{Exit, args::Judge};
use crate::{Case, ExpectedFailures, Report, Select, Side, Suite, text_file};

/// One line on standard output. A reader that is gone does not stop a run.
pub(super) fn line(text: &str) {
    drop(writeln!(io::stdout(), "{text}"));
}

/// One line on standard error.
pub(super) fn complain(why: &str) {
    drop(writeln!(io::stderr(), "chat-conform: {why}"));
}

pub(super) fn read_file(path: &Path) -> Result<String, String> {
    text_file::read(path).map_err(|error| format!("cannot read {}: {error}: name a file that is there", path.display()))
}

pub(super) fn write_file(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text)
        .map_err(|error| format!("cannot write {}: {error}: name a file in a folder that is there", path.display()))
}

/// The cases to choose from.
pub(super) fn suite(judge: &Judge) -> Result<Suite, String> {
    let suite = judge.cases.as_deref().map_or_else(Suite::embedded, Suite::of_file);
    suite.map_err(|error| error.to_string())
}

/// The cases that the flags choose.
pub(super) fn selected<'a>(suite: &'a Suite, side: Side, judge: &Judge) -> Vec<&'a Case> {
    suite.select(side, &Select::new(judge.only.clone(), judge.level))
}

/// What may fail. A name of no case at all is a slip of the pen.
pub(super) fn known(suite: &Suite, side: Side, judge: &Judge) -> Result<ExpectedFailures, String> {
    let Some(path) = &judge.known_failing else { return Ok(ExpectedFailures::default()) };
    let known = ExpectedFailures::read(&read_file(path)?);
    let all = suite.select(side, &Select::default());
    let names: BTreeSet<_> = all.iter().map(|case| case.name.as_str()).collect();
    match known.strangers(&names).as_slice() {
        [] => Ok(known),
        strangers => Err(format!("{}: no such case: {}", path.display(), strangers.join(", "))),
    }
}

/// `--list`.
pub(super) fn list(cases: &[&Case]) {
    for case in cases {
        let should = if case.requirement == crate::Requirement::Should { " (SHOULD)" } else { "" };
        line(&format!("{:<6} {:<36} {}{should}: {}", case.level, case.name, case.clauses.join(" "), case.about));
    }
}

/// Writes the report wherever it is wanted, and judges the run.
pub(super) fn hand_out(report: &Report, judge: &Judge) -> Result<Exit, String> {
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
