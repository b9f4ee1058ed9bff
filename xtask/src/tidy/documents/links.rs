//! Files that a document points at exist: by a link, or by a path in backticks.

use std::path::Path;

use super::{File, Finding, Tree, markdown};

/// A path in backticks that starts so is a path from the root.
const ROOTS: &[&str] = &["crates/", "xtask/", ".github/", ".cargo/", ".ci/"];

pub(super) fn check(document: &File, tree: &Tree) -> Vec<Finding> {
    let folder = document.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut findings = Vec::new();
    for line in markdown::lines(&document.text).filter(|line| !line.is_code) {
        let linked = targets(line.text).map(|target| (target, exists(tree, &join(folder, target))));
        let named = markdown::spans(line.text).filter(|span| is_path(span)).map(|path| (path, is_named(tree, path)));
        for (path, _) in linked.chain(named).filter(|(_, exists)| !exists) {
            let advice = format!("point at something that exists: there is no `{path}`");
            findings.push(Finding::new(&document.path, line.number, advice));
        }
    }
    findings
}

fn exists(tree: &Tree, path: &str) -> bool {
    path.is_empty() || tree.has(path)
}

/// The targets of links to files: `[text](target)`, without their anchors.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let inner = line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    let files = inner.filter(|target| !target.contains(':') && !target.starts_with('#'));
    files.map(|target| target.split_once('#').map_or(target, |(path, _)| path))
}

/// A path from the root, or some end of one, such as `hub/state.rs`; no pattern, and no part of an address.
fn is_path(span: &str) -> bool {
    let plain = span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let is_rust = Path::new(span).extension().is_some_and(|extension| extension == "rs");
    plain && (is_rust || ROOTS.iter().any(|root| span.starts_with(root)))
}

fn is_named(tree: &Tree, path: &str) -> bool {
    let end = format!("/{path}");
    tree.has(path) || tree.paths().any(|file| file.ends_with(&end))
}

/// A relative path, as seen from the root.
fn join(folder: &str, path: &str) -> String {
    let mut pieces: Vec<&str> = folder.split('/').filter(|piece| !piece.is_empty()).collect();
    for piece in path.split('/') {
        match piece {
            "" | "." => {}
            ".." => drop(pieces.pop()),
            piece => pieces.push(piece),
        }
    }
    pieces.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{finding::assert_found, tree::file};

    #[track_caller]
    fn found(text: &str, missing: &[&str]) {
        let tree = Tree::of(&[("README.md", ""), ("crates/a/src/hub/state.rs", ""), ("crates/B.md", "")]);
        let advice = |path: &&str| format!("crates/B.md:1: point at something that exists: there is no `{path}`");
        let expected: Vec<_> = missing.iter().map(advice).collect();
        let expected: Vec<_> = expected.iter().map(String::as_str).collect();
        assert_found(&check(&file("crates/B.md", text), &tree), &expected);
    }

    #[test]
    fn what_does_not_exist_is_found() {
        found("see [a](gone.md) and [b](../GONE.md#top)", &["gone.md", "../GONE.md"]);
        found("in `crates/a/src/gone.rs`, `xtask/src`", &["crates/a/src/gone.rs", "xtask/src"]);
        found("in `hub/gone.rs` and `ate.rs`", &["hub/gone.rs", "ate.rs"]);
    }

    #[test]
    fn what_exists_is_not() {
        found("see [a](../README.md), [b](a/src#x), [c](https://example.org/a), [d](#here)", &[]);
        found("in `crates/a`, `crates/a/src/`, `hub/state.rs`, `state.rs` and `crates/*/src`, `crates/<x>`", &[]);
        found("`x.md`, `a/b`", &[]);
    }
}
