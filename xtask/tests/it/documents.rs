//! Checks that what the documents name exists: linked files, paths in backticks, and the programs, packages, examples,
//! tasks and flags in commands.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{root, workspace_packages};

/// All files below a directory, except those of git and of the target directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let kept = entries.filter(|path| !path.ends_with("target") && !path.ends_with(".git"));
    kept.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// All Markdown files, with their text.
fn documents() -> impl Iterator<Item = (PathBuf, String)> {
    let documents = files(&root()).into_iter().filter(|path| has_extension(path, "md"));
    documents.map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

/// The text without its code blocks.
fn prose(text: &str) -> String {
    text.split("\n```").step_by(2).collect()
}

/// The anchor that a forge such as GitHub generates for a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_point_to_existing_files_and_headings() {
    let mut broken = Vec::new();
    for (path, text) in documents() {
        for target in prose(&text).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let text = || prose(&fs::read_to_string(&file).unwrap_or_default());
            let has_heading = || text().lines().any(|line| line.starts_with('#') && anchor(line) == heading);
            let exists = file.exists() && (heading.is_empty() || has_heading());
            if !exists && !target.contains(':') {
                broken.push(format!("{}: no {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// A path in backticks is relative to the root, or is the end of a path, such as `hub/task.rs`.
#[test]
fn paths_in_backticks_exist() {
    let files = files(&root());
    let mut missing = Vec::new();
    for (path, text) in documents() {
        for span in prose(&text).split('`').skip(1).step_by(2).filter(|span| is_path(span)) {
            if !root().join(span).exists() && !files.iter().any(|file| file.ends_with(span)) {
                missing.push(format!("{}: no {span}", path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Whether the text in backticks is a path.
fn is_path(span: &str) -> bool {
    let has_path_characters = span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    has_path_characters && (span.starts_with("crates/") || has_extension(Path::new(span), "rs"))
}

/// Arguments that name a program, package, example, bench or task of the workspace, such as `--bin chat-server`.
fn known_arguments() -> BTreeSet<String> {
    let name = |item: &Value| item["name"].as_str().unwrap().to_owned();
    let mut known = BTreeSet::new();
    for package in workspace_packages() {
        known.insert(format!("--package {}", name(&package)));
        let targets = package["targets"].as_array().unwrap().iter();
        known.extend(targets.map(|target| format!("--{} {}", target["kind"][0].as_str().unwrap(), name(target))));
    }
    let help = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("--help").output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    known.extend(help.lines().filter_map(|line| line.split_whitespace().next()).map(|task| format!("xtask {task}")));
    known
}

#[test]
fn commands_name_existing_programs_packages_and_tasks() {
    let known = known_arguments();
    for (path, text) in documents() {
        for command in text.lines().flat_map(|line| line.split("cargo ").skip(1)) {
            let words: Vec<_> = command.split(' ').take_while(|word| *word != "--").collect();
            for pair in words.windows(2) {
                let flag = if pair[0] == "-p" { "--package" } else { pair[0] };
                let name = pair[1].trim_matches(|c: char| !c.is_ascii_alphanumeric());
                let takes_name = matches!(flag, "--bin" | "--package" | "--example" | "--bench" | "xtask");
                assert!(!takes_name || known.contains(&format!("{flag} {name}")), "{}: {command}", path.display());
            }
        }
    }
}

/// The snapshot of the program's `--help` must contain the flags after `--bin PROGRAM --`.
#[test]
fn commands_use_existing_flags() {
    let snapshots = files(&root()).into_iter().filter(|path| path.ends_with("snapshots/help.txt"));
    let helps: Vec<_> = snapshots.map(|path| fs::read_to_string(path).unwrap()).collect();
    assert!(helps.len() >= 2, "no snapshots of --help found");
    for (path, text) in documents() {
        for command in text.lines().flat_map(|line| line.split("--bin ").skip(1)) {
            let Some((program, arguments)) = command.split_once(" -- ") else { continue };
            let Some(help) = helps.iter().find(|help| help.contains(&format!("Usage: {program} "))) else { continue };
            let arguments = arguments.split(['|', '`', '#']).next().unwrap();
            for flag in arguments.split([' ', '=']).filter(|word| word.starts_with("--")) {
                let exists = help.split(|c: char| c != '-' && !c.is_ascii_alphanumeric()).any(|word| word == flag);
                assert!(exists, "{}: {program} has no {flag}", path.display());
            }
        }
    }
}
