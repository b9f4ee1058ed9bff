//! The report of a run: a verdict for each case and a score for each level, as text, JSON or `JUnit` XML.

mod junit;
mod text;

use std::time::Duration;

pub(crate) use self::junit::escaped;

use serde::Serialize;

use crate::{
    case::{Case, Level, Requirement},
    clauses,
    expected_failures::ExpectedFailures,
    play::Failure,
    transcript::Transcript,
};

/// The results of a run.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The address of the server, or the command of the client.
    pub target: String,
    /// How long the run took.
    pub seconds: f64,
    /// The score of each level that was played.
    pub scores: Vec<Score>,
    /// The results of the cases, in the order in which they were played.
    pub cases: Vec<CaseReport>,
}

/// How many cases of a level passed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Score {
    /// The level.
    pub level: String,
    /// How many MUST cases passed.
    pub passed: usize,
    /// How many MUST cases were played.
    pub of: usize,
    /// How many SHOULD cases passed.
    pub should_passed: usize,
    /// How many SHOULD cases were played.
    pub should_of: usize,
}

/// The result of one case.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CaseReport {
    /// The name of the case.
    pub name: String,
    /// The level of the case.
    pub level: String,
    /// Whether a failure fails the run.
    pub requirement: Requirement,
    /// The clauses that the case tests.
    pub clauses: Vec<String>,
    /// The result.
    pub verdict: Verdict,
    /// How long the case took.
    pub seconds: f64,
    /// Why the case failed.
    pub failure: Option<FailureReport>,
    /// The lines that were exchanged in a case that passed, if the run keeps them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transcript: Vec<String>,
}

/// The result of a case, in a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// It passed.
    Passed,
    /// A MUST case failed.
    Failed,
    /// A SHOULD case failed.
    Warned,
    /// It failed, and is on the list of expected failures.
    KnownFailure,
    /// It passed, and can be removed from the list of expected failures.
    Fixed,
}

/// Why a case failed.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct FailureReport {
    /// The broken clause.
    pub clause: String,
    /// The text of the clause.
    pub asks: String,
    /// The difference from what was expected.
    pub what: String,
    /// The file and line of the step that failed.
    pub place: String,
    /// The lines that were exchanged. The wrong line starts with `!`. Unless the run is verbose, many lines of other
    /// clients are left out.
    pub transcript: Vec<String>,
}

impl Report {
    pub(crate) fn new(target: &str) -> Self {
        Self { target: target.to_owned(), seconds: 0.0, scores: Vec::new(), cases: Vec::new() }
    }

    pub(crate) fn add(&mut self, case: CaseReport) {
        let index = self.scores.iter().position(|score| score.level == case.level);
        let index = index.unwrap_or_else(|| {
            let level = case.level.clone();
            self.scores.push(Score { level, passed: 0, of: 0, should_passed: 0, should_of: 0 });
            self.scores.len() - 1
        });
        let score = &mut self.scores[index];
        let (passed, of) = match case.requirement {
            Requirement::Must => (&mut score.passed, &mut score.of),
            Requirement::Should => (&mut score.should_passed, &mut score.should_of),
        };
        *of += 1;
        *passed += usize::from(matches!(case.verdict, Verdict::Passed | Verdict::Fixed));
        self.cases.push(case);
    }

    pub(crate) fn set_duration(&mut self, taken: Duration) {
        self.seconds = taken.as_secs_f64();
    }

    /// Whether no case failed. With `strict`, failed SHOULD cases and known failures that pass count as failures.
    pub fn passed(&self, strict: bool) -> bool {
        self.cases.iter().all(|case| match case.verdict {
            Verdict::Passed | Verdict::KnownFailure => true,
            Verdict::Failed => false,
            Verdict::Warned | Verdict::Fixed => !strict,
        })
    }

    /// Whether the server knows no named sessions: most cases of level named fail by a `BAD PROT`, and in no failed one a
    /// client is welcome.
    pub(crate) fn has_plain_sessions_only(&self) -> bool {
        let named: Vec<_> = self.cases.iter().filter(|case| case.level == Level::Named.as_str()).collect();
        let failures = named.iter().filter_map(|case| case.failure.as_ref());
        let is_refusal = |line: &String| line.starts_with('!') && line.ends_with("< BAD PROT\\r\\n");
        let refused = failures.clone().filter(|failure| failure.transcript.iter().any(is_refusal)).count();
        let mut lines = failures.flat_map(|failure| &failure.transcript);
        2 * refused > named.len() && !lines.any(|line| line.ends_with("< WELCOME\\r\\n"))
    }

    /// The score of this level. `None` if none of its cases was played.
    pub fn score(&self, level: Level) -> Option<&Score> {
        self.scores.iter().find(|score| score.level == level.as_str())
    }

    /// The whole report as JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("strings and numbers always serialize")
    }
}

impl CaseReport {
    pub(crate) fn new(
        case: &Case,
        result: Result<Transcript, Failure>,
        known: &ExpectedFailures,
        taken: Duration,
        verbose: bool,
    ) -> Self {
        let transcript = result.as_ref().ok().filter(|_| verbose).map(|transcript| transcript.all_lines().collect());
        let transcript = transcript.unwrap_or_default();
        let result = result.map(drop);
        let verdict = match (&result, known.contains(&case.name), case.requirement) {
            (Ok(()), false, _) => Verdict::Passed,
            (Ok(()), true, _) => Verdict::Fixed,
            (Err(_), true, _) => Verdict::KnownFailure,
            (Err(_), false, Requirement::Must) => Verdict::Failed,
            (Err(_), false, Requirement::Should) => Verdict::Warned,
        };
        Self {
            name: case.name.clone(),
            level: case.level.to_string(),
            requirement: case.requirement,
            clauses: case.clauses.clone(),
            verdict,
            seconds: taken.as_secs_f64(),
            failure: result.err().map(|failure| FailureReport::new(failure, verbose)),
            transcript,
        }
    }
}

impl FailureReport {
    fn new(failure: Failure, verbose: bool) -> Self {
        let transcript = &failure.transcript;
        let transcript = if verbose { transcript.all_lines().collect() } else { transcript.lines().collect() };
        Self {
            asks: clauses::asks(&failure.clause),
            clause: failure.clause,
            what: failure.what,
            place: failure.place,
            transcript,
        }
    }
}
