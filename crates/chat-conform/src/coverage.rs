//! Counts which clauses the cases test, for `--list --clauses`. A clause without a case has a reason, in
//! `cases/uncovered.txt`.

use std::fmt;

use crate::{
    Case, Select, Side, Suite,
    clauses::{self, contract},
};

/// For each clause and side without a case: why there is none.
const REASONS: &str = include_str!("../cases/uncovered.txt");

/// What the cases test.
#[derive(Clone, Debug)]
pub struct Coverage<'a> {
    clauses: Vec<Clause<'a>>,
}

#[derive(Clone, Debug)]
struct Clause<'a> {
    number: &'a str,
    musts: usize,
    shoulds: usize,
    server: Covered<'a>,
    client: Covered<'a>,
}

/// How one side of a clause is tested.
#[derive(Clone, Debug)]
enum Covered<'a> {
    /// By these cases.
    Cases(Vec<&'a str>),
    /// By none, for this reason.
    Not(&'a str),
    /// By none, and nobody has said why.
    Open,
}

impl<'a> Coverage<'a> {
    /// The coverage of all cases of the suite, slow ones too.
    pub fn of(suite: &'a Suite) -> Self {
        let all = |side| {
            let usual = suite.select(side, &Select::default().with_slow(true));
            let mut refusing = suite.select(side, &Select::default().without_plain(true));
            // Both selections have the cases that open no plain session.
            refusing.retain(|case| !usual.iter().any(|other| other.name == case.name));
            [usual, refusing].concat()
        };
        let (servers, clients) = (all(Side::Server), all(Side::Client));
        let clauses = contract().clauses().iter().map(|clause| Clause {
            number: &clause.number,
            musts: count_word(&clause.text, "MUST"),
            shoulds: count_word(&clause.text, "SHOULD"),
            server: covered(&servers, &clause.number, "server"),
            client: covered(&clients, &clause.number, "client"),
        });
        Self { clauses: clauses.collect() }
    }

    /// The sides of clauses that have neither a case nor a reason, and the reasons that are no longer needed.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for clause in &self.clauses {
            for (side, covered) in [("server", &clause.server), ("client", &clause.client)] {
                match covered {
                    Covered::Open => {
                        problems.push(format!("{} has neither a case for a {side} nor a reason", clause.number));
                    }
                    Covered::Cases(_) if reason(clause.number, side).is_some() => {
                        problems
                            .push(format!("{} has cases for a {side}, and a reason why it has none", clause.number));
                    }
                    _ => {}
                }
            }
        }
        for line in reasons() {
            let (number, _) = line.split_once(' ').unwrap_or((line, ""));
            if clauses::get(number).is_none() {
                problems.push(format!("cases/uncovered.txt: protocole.md has no clause {number}"));
            }
        }
        problems
    }
}

impl fmt::Display for Coverage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for clause in &self.clauses {
            writeln!(f, "{:<5} MUST {}  SHOULD {}", clause.number, clause.musts, clause.shoulds)?;
            writeln!(f, "      server: {}", clause.server)?;
            writeln!(f, "      client: {}", clause.client)?;
        }
        Ok(())
    }
}

impl fmt::Display for Covered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// More cases than these are only counted.
        const SHOWN: usize = 4;
        match self {
            Self::Cases(names) => {
                write!(f, "{} {}: ", names.len(), if names.len() == 1 { "case" } else { "cases" })?;
                f.write_str(&names[..names.len().min(SHOWN)].join(", "))?;
                if names.len() > SHOWN { f.write_str(", …") } else { Ok(()) }
            }
            Self::Not(reason) => write!(f, "none: {reason}"),
            Self::Open => f.write_str("none"),
        }
    }
}

fn covered<'a>(cases: &[&'a Case], number: &str, side: &str) -> Covered<'a> {
    let tests = |case: &&&Case| {
        case.clauses.iter().any(|clause| clause == number)
            || case.steps.iter().any(|step| step.clause.as_deref() == Some(number))
    };
    let names: Vec<_> = cases.iter().filter(tests).map(|case| case.name.as_str()).collect();
    if !names.is_empty() {
        return Covered::Cases(names);
    }
    reason(number, side).map_or(Covered::Open, Covered::Not)
}

fn reasons() -> impl Iterator<Item = &'static str> {
    REASONS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Why the clause has no case for this side.
fn reason(number: &str, side: &str) -> Option<&'static str> {
    reasons().find_map(|line| line.strip_prefix(number)?.strip_prefix(' ')?.strip_prefix(side)?.strip_prefix(' '))
}

fn count_word(text: &str, word: &str) -> usize {
    text.split(|c: char| !c.is_ascii_alphabetic()).filter(|other| *other == word).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clause_has_cases_or_a_reason() {
        let suite = Suite::embedded().unwrap();
        let problems = Coverage::of(&suite).problems();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }

    #[test]
    fn a_case_counts_once_for_a_clause() {
        let suite = Suite::embedded().unwrap();
        for clause in Coverage::of(&suite).clauses {
            for covered in [clause.server, clause.client] {
                let Covered::Cases(names) = covered else { continue };
                let unique: std::collections::BTreeSet<_> = names.iter().collect();
                assert_eq!(unique.len(), names.len(), "{}: {names:?}", clause.number);
            }
        }
    }

    #[test]
    fn words_are_counted() {
        assert_eq!(count_word("It MUST, and MUST NOT; it SHOULD. MUSTARD", "MUST"), 2);
    }
}
