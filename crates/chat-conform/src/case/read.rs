//! Reads case files. A case is a heading, a description, and steps. Blank lines separate cases. Lines that start with
//! `#` are comments.

use std::{error, fmt};

use chat_proto::contract::Level;

use super::{Case, Requirement, Side, Step, Wait, step};
use crate::clauses;

/// Why a case file cannot be read: the file and line, and a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseError {
    place: String,
    problem: String,
}

impl CaseError {
    pub(super) fn at(place: &str, problem: String) -> Self {
        Self { place: place.to_owned(), problem }
    }
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

impl error::Error for CaseError {}

/// Reads the cases in `text`. `file` is the file name in error messages and reports.
///
/// # Errors
///
/// The first line that cannot be read, or the first case without steps.
pub fn read(file: &str, text: &str) -> Result<Vec<Case>, CaseError> {
    let mut cases: Vec<Case> = Vec::new();
    let mut state = State::default();
    for (index, line) in text.lines().enumerate() {
        let at = index + 1;
        let failed = |problem| CaseError { place: format!("{file}:{at}"), problem };
        if line.starts_with('#') {
            continue;
        }
        if line.is_empty() {
            state = State::default();
            continue;
        }
        if !state.has_heading {
            let mut case = heading(line).map_err(failed)?;
            case.place = format!("{file}:{at}");
            if cases.iter().any(|other| other.name == case.name) {
                return Err(failed(format!("the file has two cases named {}", case.name)));
            }
            cases.push(case);
            state.has_heading = true;
        } else if let Some(case) = cases.last_mut() {
            state.line(case, line, at).map_err(failed)?;
        }
    }
    match cases.iter().find(|case| case.steps.is_empty()) {
        Some(empty) => {
            Err(CaseError { place: empty.place.clone(), problem: format!("the case {} has no steps", empty.name) })
        }
        None => Ok(cases),
    }
}

/// The state of the reader within a case.
#[derive(Default)]
struct State {
    has_heading: bool,
    /// From `clause`: applies to the rest of the case.
    clause: Option<String>,
    /// From `within`: applies to the next step.
    within: Option<Wait>,
}

impl State {
    /// Reads a line after the heading.
    fn line(&mut self, case: &mut Case, line: &str, at: usize) -> Result<(), String> {
        if let Some(about) = line.strip_prefix(": ") {
            if !case.about.is_empty() {
                case.about.push(' ');
            }
            case.about.push_str(about);
        } else if let Some(number) = line.strip_prefix("clause ") {
            self.clause = Some(clause(number)?);
        } else if let Some(time) = line.strip_prefix("within ") {
            self.within = Some(Wait::read(time)?);
        } else if line == "slow" {
            case.slow = true;
        } else {
            let within = self.within.take();
            let steps = step::read(line, case.side)?.into_iter();
            case.steps.extend(steps.map(|(who, act)| Step { who, act, clause: self.clause.clone(), within, at }));
        }
        Ok(())
    }
}

/// Reads `case NAME LEVEL MUST CLAUSE…` or `client NAME LEVEL MUST CLAUSE…`.
fn heading(line: &str) -> Result<Case, String> {
    let malformed = || format!("`{line}` is not a heading: case NAME LEVEL MUST CLAUSE…, or client …");
    let mut words = line.split(' ');
    let side = match words.next() {
        Some("case") => Side::Server,
        Some("client") => Side::Client,
        _ => return Err(malformed()),
    };
    let (Some(name), Some(level), Some(requirement)) = (words.next(), words.next(), words.next()) else {
        return Err(malformed());
    };
    let level: Level = level.parse()?;
    let requirement = match requirement {
        "MUST" => Requirement::Must,
        "SHOULD" => Requirement::Should,
        other => return Err(format!("`{other}` is neither MUST nor SHOULD")),
    };
    let clauses = words.map(clause).collect::<Result<Vec<_>, _>>()?;
    if clauses.is_empty() {
        return Err("the heading cites no clause".to_owned());
    }
    let (name, about, place) = (name.to_owned(), String::new(), String::new());
    Ok(Case { name, side, level, requirement, clauses, about, slow: false, steps: Vec::new(), place })
}

/// Checks that the clause exists.
fn clause(number: &str) -> Result<String, String> {
    match clauses::get(number) {
        Some(_) => Ok(number.to_owned()),
        None => Err(format!("protocole.md has no clause {number}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn fails_with(text: &str, message: &str) {
        assert_eq!(read("f", text).unwrap_err().to_string(), message);
    }

    #[test]
    fn a_case_has_a_heading_a_description_and_steps() {
        let text = "# Two.\n\ncase one plain MUST 2.3 4.1\n: It\n: speaks.\nA> hi\nclause 5.1\nwithin 1s\nA< OK\n\
                    A<EOF\n\n\
                    client two named SHOULD 7.1\nS login\n";
        let cases = read("f", text).unwrap();
        assert_eq!((cases[0].about.as_str(), cases[0].place.as_str()), ("It speaks.", "f:3"));
        assert_eq!(cases[0].clauses, ["2.3", "4.1"]);
        let steps = &cases[0].steps;
        assert_eq!((steps[0].clause.as_deref(), steps[1].clause.as_deref()), (None, Some("5.1")));
        assert_eq!((steps[1].within, steps[2].within), (Wait::read("1s").ok(), None));
        assert_eq!(
            (cases[1].side, cases[1].requirement, cases[1].level),
            (Side::Client, Requirement::Should, Level::Named)
        );
    }

    #[test]
    fn errors_name_the_line() {
        fails_with("\nA> hi\n", "f:2: `A> hi` is not a heading: case NAME LEVEL MUST CLAUSE…, or client …");
        fails_with("case a plain MAY 1.1\n", "f:1: `MAY` is neither MUST nor SHOULD");
        fails_with("case a best MUST 1.1\n", "f:1: `best` is no level: plain, named or robust");
        fails_with("case a plain MUST\n", "f:1: the heading cites no clause");
        fails_with("case a plain MUST 1.99\n", "f:1: protocole.md has no clause 1.99");
        fails_with("case a plain MUST 1.1\n", "f:1: the case a has no steps");
        fails_with("case a plain MUST 1.1\nA> x\n\ncase a plain MUST 1.1\n", "f:4: the file has two cases named a");
        fails_with("case a plain MUST 1.1\nhello\n", "f:2: `hello` is not a step");
    }
}
