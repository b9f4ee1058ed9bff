//! Cases that are known to fail: they are played all the same, and it is told when one starts to pass.

use std::collections::BTreeSet;

/// The names of cases that may fail.
#[derive(Clone, Debug, Default)]
pub struct ExpectedFailures {
    names: BTreeSet<String>,
}

impl ExpectedFailures {
    /// Reads a list: a name on each line; empty lines, and those that start with `#`, say nothing.
    pub fn read(list: &str) -> Self {
        let lines = list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self { names: lines.map(str::to_owned).collect() }
    }

    /// Whether the case of this name may fail.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The names that are none of these, and so stand for nothing.
    pub fn strangers<'a>(&'a self, names: &BTreeSet<&str>) -> Vec<&'a str> {
        self.names.iter().map(String::as_str).filter(|name| !names.contains(name)).collect()
    }
}
