//! All documents: what they point at exists, and so do the programs, packages and examples of the commands that they show.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// All files with this ending, but those of hidden folders and of builds. `.github` is looked into.
fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if name == ".github" || !(name.starts_with('.') || name == "target" || name == "fuzz") {
                files(&path, ending, found);
            }
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

fn all(ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files(&root(), ending, &mut found);
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// The text without its code, in which nothing is a link.
fn prose(document: &str) -> String {
    let parts = document.split("```").step_by(2);
    parts.collect()
}

/// A heading as forges make an anchor of it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for (path, text) in all(".md") {
        let prose = prose(&text);
        for target in prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)) {
            if target.contains("://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let is_there = file.exists()
                && (heading.is_empty()
                    || fs::read_to_string(&file)
                        .is_ok_and(|text| text.lines().any(|line| line.starts_with('#') && anchor(line) == heading)));
            if !is_there {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The names that manifests give to packages and programs.
fn names() -> BTreeSet<String> {
    let manifests = all("Cargo.toml");
    let lines = manifests.iter().flat_map(|(_, manifest)| manifest.lines());
    lines.filter_map(|line| Some(line.strip_prefix("name = \"")?.strip_suffix('"')?.to_owned())).collect()
}

fn examples() -> BTreeSet<String> {
    let sources = all(".rs");
    let examples = sources.iter().filter(|(path, _)| path.parent().unwrap().ends_with("examples"));
    examples.map(|(path, _)| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn commands_name_what_exists() {
    let (names, examples, mut wrong) = (names(), examples(), Vec::new());
    for (path, text) in all(".md") {
        for command in text.lines().filter_map(|line| Some(&line[line.find("cargo ")?..])) {
            // What stands behind `--` is for the program.
            let words: Vec<_> = command.split([' ', '`', '|']).take_while(|word| *word != "--").collect();
            for pair in words.windows(2) {
                let exists = match pair[0] {
                    "--bin" | "-p" | "--package" => names.contains(pair[1]),
                    "--example" => examples.contains(pair[1]),
                    _ => true,
                };
                if !exists {
                    wrong.push(format!("{}: {command}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A package of one crate has nothing from the root of the repository.
#[test]
fn crates_that_are_published_carry_readme_and_licences() {
    for (path, manifest) in all("Cargo.toml") {
        let folder = path.parent().unwrap();
        if manifest.contains("[workspace]")
            || !folder.parent().unwrap().ends_with("crates")
            || manifest.contains("publish = false")
        {
            continue;
        }
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(folder.join(file).exists(), "{} has no {file}", folder.display());
        }
    }
}
