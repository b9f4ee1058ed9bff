//! Who may use what: the table, and how it is checked against code and manifests.

mod manifests;
mod table;

use std::collections::BTreeSet;

use self::table::{Part, TABLE};
use super::{
    File, Finding, Tree,
    rust::{self, Kind, Use},
};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let crates = manifests::known_crates(tree);
    let mut findings: Vec<_> = TABLE.iter().flat_map(|part| check_part(tree, part, &crates)).collect();
    findings.extend(manifests::check(tree));
    findings
}

fn check_part(tree: &Tree, part: &Part, crates: &BTreeSet<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for place in part.places.iter().filter(|place| !tree.has(place)) {
        let advice = format!("`{place}` is gone: tell the table of parts where {} is now", part.name);
        findings.push(Finding::new(table::PATH, 1, advice));
    }
    for file in tree.files().iter().filter(|file| part.holds(&file.path) && !is_test(&file.path)) {
        let foreign = foreign_uses(file, crates).into_iter().filter(|used| !part.may_use(&used.path));
        findings.extend(foreign.map(|Use { line, path }| {
            Finding::new(&file.path, line, format!("do without `{path}` here: {} {}", part.name, part.law))
        }));
    }
    findings
}

/// What a file uses of other modules and crates.
fn foreign_uses(file: &File, crates: &BTreeSet<String>) -> Vec<Use> {
    let code = rust::without_tests(&rust::only(&file.text, &[Kind::Code]));
    let mut uses = rust::uses(&code, &module(&file.path));
    uses.retain(|used| match used.path.split("::").next() {
        Some(first) => {
            matches!(first, "crate" | "std" | "core" | "alloc") || crates.contains(first) || first.ends_with('!')
        }
        None => false,
    });
    uses
}

/// `crates/a/src/hub/state.rs` is `crate::hub::state`.
fn module(path: &str) -> String {
    let inside = path.split_once("/src/").map_or(path, |(_, inside)| inside);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let inside = inside.strip_suffix("/mod").unwrap_or(inside);
    let segments = inside.split('/').filter(|segment| !matches!(*segment, "lib" | "main"));
    std::iter::once("crate").chain(segments).collect::<Vec<_>>().join("::")
}

/// Files that only tests are in may use what they need.
fn is_test(path: &str) -> bool {
    path.split('/').any(|piece| piece == "tests" || piece.ends_with("tests.rs"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{finding::assert_found, tree::file};

    const PURE: Part = Part {
        name: "the core",
        places: &["crates/a/src/core/"],
        without: &["crates/a/src/core/rim.rs"],
        only: &["std", "crate::core"],
        never: &["println!", "std::net", "std::time"],
        law: "is pure",
    };

    #[track_caller]
    fn found(path: &str, text: &str, expected: &[&str]) {
        let tree = Tree::of(&[("crates/a/src/core/mod.rs", "//! Empty.\n"), (path, text)]);
        let crates = ["tokio", "bytes"].map(str::to_owned).into();
        assert_found(&check_part(&tree, &PURE, &crates), expected);
    }

    #[test]
    fn what_a_part_may_not_use_is_found() {
        let path = "crates/a/src/core/b.rs";
        let advice = |line, used| format!("{path}:{line}: do without `{used}` here: the core is pure");
        found(path, "\nuse tokio::sync::mpsc;", &[&advice(2, "tokio::sync::mpsc")]);
        found(path, "use std::{fmt, net::IpAddr};", &[&advice(1, "std::net::IpAddr")]);
        found(path, "fn f() { std::time::Instant::now() }", &[&advice(1, "std::time::Instant::now")]);
        found(path, "use crate::shell;", &[&advice(1, "crate::shell")]);
        found(path, "use super::super::shell;", &[&advice(1, "crate::shell")]);
        found(path, "fn f() { println!() }", &[&advice(1, "println!")]);
    }

    #[test]
    fn what_it_may_use_is_not() {
        let path = "crates/a/src/core/b.rs";
        found(path, "use std::fmt; use super::c; use crate::core::d; fn f() { Local::new(); matches!(a, b) }", &[]);
        found(path, "//! tokio::net\nconst A: &str = \"tokio::net\"; // use tokio;", &[]);
        found(path, "#[cfg(test)]\nmod tests { use tokio::net; }", &[]);
        found("crates/a/src/core/tests.rs", "use tokio::net;", &[]);
        found("crates/a/src/shell.rs", "use tokio::net;", &[]);
        found("crates/a/src/core/rim.rs", "use tokio::net;", &[]);
    }

    #[test]
    fn a_place_that_is_gone_is_found() {
        let advice = "`crates/a/src/core/` is gone: tell the table of parts where the core is now";
        let findings = check_part(&Tree::of(&[("crates/a/src/pure.rs", "")]), &PURE, &BTreeSet::new());
        assert_found(&findings, &[&format!("{}:1: {advice}", table::PATH)]);
    }

    #[test]
    fn modules_follow_from_paths() {
        let of = |path| module(&file(path, "").path);
        assert_eq!(of("crates/a/src/lib.rs"), "crate");
        assert_eq!(of("crates/a/src/hub/mod.rs"), "crate::hub");
        assert_eq!(of("crates/a/src/hub/state.rs"), "crate::hub::state");
    }
}
