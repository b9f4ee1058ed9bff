//! Collections of cases: the dialogues and lines of `protocole.md`, the embedded files, and the files of users.

use std::path::Path;

use chat_proto::contract::{Dialogue, Level};

use super::{Case, CaseError, Requirement, Side, Step, lines, read, step};
use crate::{clauses, text_file};

/// The files below `cases/`, embedded by `build.rs`: file name and text.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/case_files.rs"));

/// A collection of cases, in the order in which they are played.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    cases: Vec<Case>,
}

/// Selects cases by name, clause and level.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Select {
    /// Selects cases whose name contains this text, or that cite the clause with this number.
    pub only: Option<String>,
    /// Selects cases up to this level.
    pub level: Option<Level>,
    /// Selects also slow cases.
    pub slow: bool,
    /// Leaves out the cases with plain sessions, for a server that refuses them (clause 2.8).
    pub no_plain: bool,
}

impl Select {
    /// Selects cases whose name contains `only` or that cite the clause `only`, up to `level`. `None` selects all.
    pub fn new(only: Option<String>, level: Option<Level>) -> Self {
        Self { only, level, ..Self::default() }
    }

    /// Selects also slow cases.
    #[must_use]
    pub fn with_slow(self, slow: bool) -> Self {
        Self { slow, ..self }
    }

    /// Leaves out the cases with plain sessions.
    #[must_use]
    pub fn without_plain(self, no_plain: bool) -> Self {
        Self { no_plain, ..self }
    }

    fn selects(&self, case: &Case) -> bool {
        let matches = |pattern: &String| case.name.contains(pattern.as_str()) || case.clauses.contains(pattern);
        self.only.as_ref().is_none_or(matches)
            && self.level.is_none_or(|level| case.level <= level)
            && (self.slow || !case.slow)
            && if self.no_plain { !case.opens_plain() } else { !case.refuses_plain() }
    }
}

impl Suite {
    /// All embedded cases, sorted by level.
    ///
    /// # Errors
    ///
    /// An embedded case cannot be read. A test checks that this does not happen.
    pub fn embedded() -> Result<Self, CaseError> {
        let contract = clauses::contract();
        let mut suite = Self::default();
        let dialogues = contract.dialogues().iter().map(from_dialogue).collect::<Result<Vec<_>, _>>();
        suite.add(dialogues.map_err(|problem| CaseError::at("protocole.md", problem))?)?;
        for (file, text) in FILES {
            suite.add(read(file, text)?)?;
        }
        suite.add(lines::cases(contract))?;
        // Simple cases go first: their failures explain those of later cases.
        suite.cases.sort_by_key(|case| case.level);
        Ok(suite)
    }

    /// The cases in one file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a line of it is malformed.
    pub fn from_file(path: &Path) -> Result<Self, CaseError> {
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
                let problem = format!("the case {} is also in {}", case.name, other.place);
                return Err(CaseError::at(&case.place, problem));
            }
            self.cases.push(case);
        }
        Ok(())
    }

    /// The selected cases that judge this side.
    pub fn select(&self, side: Side, select: &Select) -> Vec<&Case> {
        self.cases.iter().filter(|case| case.side == side && select.selects(case)).collect()
    }
}

/// Makes a case from a dialogue of Annex B.
fn from_dialogue(dialogue: &Dialogue) -> Result<Case, String> {
    let steps = dialogue.steps.iter().map(|step| {
        let act = step::from_contract(&step.action)?;
        Ok(Step { who: step.client, act, clause: None, within: None, at: step.at })
    });
    Ok(Case {
        name: dialogue.name.clone(),
        side: Side::Server,
        level: dialogue.level,
        requirement: Requirement::Must,
        clauses: dialogue.clauses.clone(),
        about: "A dialogue of Annex B.".to_owned(),
        slow: false,
        steps: steps.collect::<Result<_, String>>()?,
        place: format!("protocole.md:{}", dialogue.at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_cases_can_be_read() {
        let suite = Suite::embedded().unwrap();
        let servers = suite.select(Side::Server, &Select::default());
        assert!(servers.len() > 100, "{}", servers.len());
        assert!(!suite.select(Side::Client, &Select::default()).is_empty());
        assert!(servers.iter().all(|case| case.clauses.iter().all(|clause| clauses::get(clause).is_some())));
    }

    #[test]
    fn cases_are_selected_by_name_clause_and_level() {
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
