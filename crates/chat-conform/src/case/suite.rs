//! All cases: the dialogues and lines of `protocole.md`, the embedded files, and files that somebody adds.

use std::path::Path;

use chat_proto::contract::{Dialogue, Level};

use super::{Case, CaseError, Requirement, Side, Step, lines, read, step};
use crate::{clauses, text_file};

/// The files below `cases/`, found when this crate was built.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/case_files.rs"));

/// A collection of cases, in the order in which they are played.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    cases: Vec<Case>,
}

/// Which cases are wanted.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Select {
    /// Only those whose name contains this, or that are about the clause of this number.
    pub only: Option<String>,
    /// Only those up to this level.
    pub level: Option<Level>,
}

impl Select {
    /// All cases whose name contains `only`, or that are about it; up to `level`.
    pub fn new(only: Option<String>, level: Option<Level>) -> Self {
        Self { only, level }
    }

    fn takes(&self, case: &Case) -> bool {
        let named = |pattern: &String| case.name.contains(pattern.as_str()) || case.clauses.contains(pattern);
        self.only.as_ref().is_none_or(named) && self.level.is_none_or(|level| case.level <= level)
    }
}

impl Suite {
    /// All that is embedded.
    pub fn embedded() -> Result<Self, CaseError> {
        let contract = clauses::contract();
        let mut suite = Self::default();
        let dialogues = contract.dialogues().iter().map(of_document).collect::<Result<Vec<_>, _>>();
        suite.add(dialogues.map_err(|problem| CaseError::at("protocole.md", problem))?)?;
        for (file, text) in FILES {
            suite.add(read(file, text)?)?;
        }
        suite.add(lines::cases(contract))?;
        // What is simple first: a failure there explains those further on.
        suite.cases.sort_by_key(|case| case.level);
        Ok(suite)
    }

    /// The cases of one file.
    pub fn of_file(path: &Path) -> Result<Self, CaseError> {
        let name = path.display().to_string();
        let text =
            text_file::read(path).map_err(|error| CaseError::at(&name, format!("{error}: name a file of cases")))?;
        let mut suite = Self::default();
        suite.add(read(&name, &text)?)?;
        Ok(suite)
    }

    fn add(&mut self, cases: Vec<Case>) -> Result<(), CaseError> {
        for case in cases {
            if let Some(other) = self.cases.iter().find(|other| other.name == case.name) {
                let problem = format!("there is a case {} in {} too", case.name, other.place);
                return Err(CaseError::at(&case.place, problem));
            }
            self.cases.push(case);
        }
        Ok(())
    }

    /// The cases that judge this side.
    pub fn select(&self, side: Side, select: &Select) -> Vec<&Case> {
        self.cases.iter().filter(|case| case.side == side && select.takes(case)).collect()
    }
}

/// A dialogue of Annex B.
fn of_document(dialogue: &Dialogue) -> Result<Case, String> {
    let steps = dialogue.steps.iter().map(|step| {
        let act = step::of_document(&step.action)?;
        Ok(Step { who: step.client, act, clause: None, within: None, at: step.at })
    });
    Ok(Case {
        name: dialogue.name.clone(),
        side: Side::Server,
        level: dialogue.level,
        requirement: Requirement::Must,
        clauses: dialogue.clauses.clone(),
        about: "A dialogue of Annex B.".to_owned(),
        steps: steps.collect::<Result<_, String>>()?,
        place: format!("protocole.md:{}", dialogue.at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_embedded_can_be_read() {
        let suite = Suite::embedded().unwrap();
        let servers = suite.select(Side::Server, &Select::default());
        assert!(servers.len() > 100, "{}", servers.len());
        assert!(!suite.select(Side::Client, &Select::default()).is_empty());
        assert!(servers.iter().all(|case| case.clauses.iter().all(|clause| clauses::get(clause).is_some())));
    }

    #[test]
    fn cases_are_found_by_name_clause_and_level() {
        let suite = Suite::embedded().unwrap();
        let by = |only: &str| suite.select(Side::Server, &Select::new(Some(only.to_owned()), None));
        assert!(by("plain-hello").iter().all(|case| case.name == "plain-hello"));
        assert!(
            by("6.4").iter().all(|case| case.clauses.iter().any(|clause| clause == "6.4")) && !by("6.4").is_empty()
        );
        let plain = suite.select(Side::Server, &Select::new(None, Some(Level::Plain)));
        assert!(plain.iter().all(|case| case.level == Level::Plain) && !plain.is_empty());
    }
}
