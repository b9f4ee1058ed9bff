//! What came out: for each case a verdict, for each level a score; as text, JSON or `JUnit`.

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
};

/// The outcome of a run.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// What was judged.
    pub target: String,
    /// How long it took.
    pub seconds: f64,
    /// Each level's score, of those that were played.
    pub scores: Vec<Score>,
    /// The cases, in the order in which they were played.
    pub cases: Vec<Judged>,
}

/// How many cases of a level were passed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Score {
    /// The level.
    pub level: String,
    /// Of those that MUST be passed, how many were.
    pub passed: usize,
    /// How many MUST be passed.
    pub of: usize,
    /// Of those that SHOULD be passed, how many were.
    pub should_passed: usize,
    /// How many SHOULD be passed.
    pub should_of: usize,
}

/// A case and its verdict.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Judged {
    /// Its name.
    pub name: String,
    /// Its level.
    pub level: String,
    /// How binding it is.
    pub requirement: Requirement,
    /// The clauses that it shows.
    pub clauses: Vec<String>,
    /// How it went.
    pub verdict: Verdict,
    /// How long it took.
    pub seconds: f64,
    /// Why it failed.
    pub failure: Option<Told>,
}

/// How a case went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Verdict {
    /// As it should.
    Passed,
    /// Not as it MUST.
    Failed,
    /// Not as it SHOULD.
    Warned,
    /// It failed, and was known to.
    ExpectedFailures,
    /// It passed, and was known to fail: it can come off the list.
    Fixed,
}

/// A failure as it is told.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Told {
    /// The clause that is broken.
    pub clause: String,
    /// What the clause asks.
    pub asks: String,
    /// What was wrong.
    pub what: String,
    /// Where the step stands that it happened at.
    pub place: String,
    /// What went over the wires; the wrong line starts with `!`.
    pub transcript: Vec<String>,
}

impl Report {
    pub(crate) fn new(target: &str) -> Self {
        Self { target: target.to_owned(), seconds: 0.0, scores: Vec::new(), cases: Vec::new() }
    }

    pub(crate) fn add(&mut self, judged: Judged) {
        let place = self.scores.iter().position(|score| score.level == judged.level);
        let place = place.unwrap_or_else(|| {
            let level = judged.level.clone();
            self.scores.push(Score { level, passed: 0, of: 0, should_passed: 0, should_of: 0 });
            self.scores.len() - 1
        });
        let score = &mut self.scores[place];
        let (passed, of) = match judged.requirement {
            Requirement::Must => (&mut score.passed, &mut score.of),
            Requirement::Should => (&mut score.should_passed, &mut score.should_of),
        };
        *of += 1;
        *passed += usize::from(matches!(judged.verdict, Verdict::Passed | Verdict::Fixed));
        self.cases.push(judged);
    }

    pub(crate) fn end(&mut self, taken: Duration) {
        self.seconds = taken.as_secs_f64();
    }

    /// Whether nothing failed; if `strict`, warnings and lists that are out of date count too.
    pub fn passed(&self, strict: bool) -> bool {
        self.cases.iter().all(|case| match case.verdict {
            Verdict::Passed | Verdict::ExpectedFailures => true,
            Verdict::Failed => false,
            Verdict::Warned | Verdict::Fixed => !strict,
        })
    }

    /// The score of this level, if any of its cases was played.
    pub fn score(&self, level: Level) -> Option<&Score> {
        self.scores.iter().find(|score| score.level == level.as_str())
    }

    /// The whole report as JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("strings and numbers can be written as JSON")
    }
}

impl Judged {
    pub(crate) fn new(case: &Case, result: Result<(), Failure>, known: &ExpectedFailures, taken: Duration) -> Self {
        let verdict = match (&result, known.has(&case.name), case.requirement) {
            (Ok(()), false, _) => Verdict::Passed,
            (Ok(()), true, _) => Verdict::Fixed,
            (Err(_), true, _) => Verdict::ExpectedFailures,
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
            failure: result.err().map(Told::new),
        }
    }
}

impl Told {
    fn new(failure: Failure) -> Self {
        Self {
            asks: clauses::asks(&failure.clause),
            clause: failure.clause,
            what: failure.what,
            place: failure.place,
            transcript: failure.transcript.lines().collect(),
        }
    }
}
