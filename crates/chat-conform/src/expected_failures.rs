//! Cases that are known to fail. The judge plays them too, and reports those that pass.

use std::collections::BTreeSet;

/// The names of cases that may fail without failing the run.
#[derive(Clone, Debug, Default)]
pub struct ExpectedFailures {
    names: BTreeSet<String>,
}

impl ExpectedFailures {
    /// Reads a list with one name on each line. Empty lines and lines that start with `#` are ignored.
    pub fn read(list: &str) -> Self {
        let lines = list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self { names: lines.map(str::to_owned).collect() }
    }

    /// Whether the case with this name may fail.
    pub fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The listed names that are not among `case_names`. The list is out of date, or a name is misspelled.
    pub fn unknown_names<'a>(&'a self, case_names: &BTreeSet<&str>) -> Vec<&'a str> {
        self.names.iter().map(String::as_str).filter(|name| !case_names.contains(name)).collect()
    }
}
