//! README.md and crates/ARCHITECTURE.md in step with the code: what they tell one to type works, and what they point at
//! exists.

mod commands;
mod flags;
mod links;
mod setup;
mod shell;

use super::{File, Finding, Tree, markdown, rust};

const README: &str = "README.md";
const DOCUMENTS: &[&str] = &[README, "crates/ARCHITECTURE.md"];

/// `tasks` are the names that `cargo xtask` knows.
pub(super) fn check(tree: &Tree, tasks: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in DOCUMENTS {
        let Some(document) = tree.file(path) else {
            findings.push(Finding::new(path, 1, "write it"));
            continue;
        };
        findings.extend(commands::check(document, tree, tasks));
        findings.extend(flags::check(document, tree));
        findings.extend(links::check(document, tree));
        if *path == README {
            findings.extend(setup::check(document));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::assert_found;

    #[test]
    fn a_document_that_is_missing_is_found() {
        let findings = check(&Tree::of(&[]), &[]);
        assert_found(&findings, &["README.md:1: write it", "crates/ARCHITECTURE.md:1: write it"]);
    }
}
