//! Commands of cargo that a document shows name what exists: programs, packages, examples, tasks.

use std::collections::BTreeSet;

use super::{File, Finding, Tree, markdown, shell};

pub(super) fn check(document: &File, tree: &Tree, tasks: &[&str]) -> Vec<Finding> {
    let (programs, packages) = (programs(tree), packages(tree));
    let mut findings = Vec::new();
    for line in markdown::lines(&document.text) {
        let commands = shell::commands(line).into_iter();
        for command in commands.filter_map(|command| command.find("cargo ").map(|at| &command[at..])) {
            let mut found = |what: &str, name: &str| {
                let advice = format!("show a command that works: there is no {what} `{name}`");
                findings.push(Finding::new(&document.path, line.number, advice));
            };
            // What stands behind `--` is for the program.
            let words: Vec<_> = command.split_whitespace().take_while(|word| *word != "--").collect();
            for pair in words.windows(2) {
                match pair {
                    ["--bin", name] if !programs.contains(*name) => found("program", name),
                    ["-p" | "--package", name] if !packages.contains(*name) => found("package", name),
                    ["--example", name] if !has_example(tree, name) => found("example", name),
                    ["xtask", name] if !tasks.contains(name) && !name.starts_with('<') => found("task", name),
                    _ => {}
                }
            }
        }
    }
    findings
}

/// The names of all programs: those that manifests name, and each package that has a main.rs.
fn programs(tree: &Tree) -> BTreeSet<String> {
    let mut programs = BTreeSet::new();
    for (folder, text) in manifests(tree) {
        let tables = text.split("\n[[bin]]").skip(1);
        programs.extend(tables.filter_map(name).map(str::to_owned));
        if tree.has(&format!("{folder}src/main.rs")) {
            programs.extend(name(text).map(str::to_owned));
        }
    }
    programs
}

fn packages(tree: &Tree) -> BTreeSet<&str> {
    manifests(tree).filter_map(|(_, text)| name(text)).collect()
}

fn has_example(tree: &Tree, name: &str) -> bool {
    let places = [format!("/examples/{name}.rs"), format!("/examples/{name}/main.rs")];
    tree.paths().any(|path| places.iter().any(|place| path.ends_with(place)))
}

/// The folder, with `/`, and the text of each package's manifest.
fn manifests(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.files().iter().filter_map(|file| Some((file.path.strip_suffix("Cargo.toml")?, file.text.as_str())))
}

/// The first name of a table.
fn name(table: &str) -> Option<&str> {
    table.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{finding::assert_found, tree::file};

    #[track_caller]
    fn found(text: &str, missing: &[&str]) {
        let tree = Tree::of(&[
            ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n\n[[bin]]\nname = \"talk\"\n"),
            ("crates/b/Cargo.toml", "[package]\nname = \"b\"\n"),
            ("crates/b/src/main.rs", ""),
            ("crates/b/examples/bot.rs", ""),
        ]);
        let advice = |missing: &&str| format!("R.md:2: show a command that works: there is no {missing}");
        let expected: Vec<_> = missing.iter().map(advice).collect();
        let expected: Vec<_> = expected.iter().map(String::as_str).collect();
        let document = file("R.md", &format!("```sh\n{text}\n```\n"));
        assert_found(&check(&document, &tree, &["tidy"]), &expected);
        let document = file("R.md", &format!("\nType `{text}` now.\n"));
        assert_found(&check(&document, &tree, &["tidy"]), &expected);
    }

    #[test]
    fn what_does_not_exist_is_found() {
        found("cargo run --bin a", &["program `a`"]);
        found("cargo test -p c", &["package `c`"]);
        found("cargo run --example cat", &["example `cat`"]);
        found("cargo xtask bake", &["task `bake`"]);
        found("cargo run --bin x; cargo xtask y", &["program `x`", "task `y`"]);
    }

    #[test]
    fn what_exists_is_not() {
        found("cargo run --bin talk -- --bin x", &[]);
        found("cargo run --release --bin b", &[]);
        found("cargo run --package b --example bot", &[]);
        found("cargo xtask tidy && cargo xtask <command>", &[]);
        found("cargo test --workspace", &[]);
    }
}
