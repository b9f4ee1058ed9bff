//! What somebody sees who opens the repository: a few things, always the same.

use std::collections::BTreeSet;

use super::{Finding, Tree};

const VISIBLE: &[&str] = &["Cargo.lock", "Cargo.toml", "README.md", "crates", "protocole.md", "xtask"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let tops = tree.paths().filter_map(|path| path.split('/').next()).filter(|top| !top.starts_with('.'));
    let there: BTreeSet<_> = tops.collect();
    let missing = VISIBLE.iter().filter(|top| !there.contains(*top));
    let missing = missing.map(|top| Finding::new(top, 1, "bring it back: it belongs to the top level"));
    let extra = there.iter().filter(|top| !VISIBLE.contains(*top));
    let extra = extra.map(|top| {
        let allowed = VISIBLE.join(", ");
        Finding::new(top, 1, format!("move it below one of these, which are all of the visible top level: {allowed}"))
    });
    missing.chain(extra).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::assert_found;

    #[test]
    fn one_thing_more_and_one_less_are_found() {
        let paths = ["Cargo.lock", "Cargo.toml", "README.md", "crates/a/b", "protocole.md", "xtask/c", ".hidden"];
        let files: Vec<_> = paths.iter().map(|&path| (path, "")).collect();
        assert_found(&check(&Tree::of(&files)), &[]);

        let (_, fewer) = files.split_first().unwrap();
        let more: Vec<_> = fewer.iter().copied().chain([("notes/a.md", "")]).collect();
        let allowed = "Cargo.lock, Cargo.toml, README.md, crates, protocole.md, xtask";
        let found = [
            "Cargo.lock:1: bring it back: it belongs to the top level".to_owned(),
            format!("notes:1: move it below one of these, which are all of the visible top level: {allowed}"),
        ];
        assert_found(&check(&Tree::of(&more)), &found.each_ref().map(String::as_str));
    }
}
