//! Every clause that a comment or a document of the workspace cites exists in `protocole.md`.
#![allow(clippy::unwrap_used, reason = "a panic is how a test says no")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use chat_proto::contract::Contract;

/// All Rust files and documents below a folder, without what is built or hidden.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap_or_default());
        if entry.file_type().unwrap().is_dir() {
            if !name.starts_with('.') && name != "target" {
                files(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "md") {
            found.push(path);
        }
    }
}

/// `3` or `3.4`, maybe with marks around it.
fn number(word: &str) -> Option<&str> {
    let number = word.trim_matches(|c: char| !c.is_alphanumeric());
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (number.split('.').all(digits) && number.split('.').count() <= 2).then_some(number)
}

/// The numbers behind "clause", "clauses 1.2 and 3.4", "section" and the like.
fn citations(prose: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut citing = false;
    for word in prose.split_whitespace() {
        let plain = word.trim_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
        if let Some(number) = number(word).filter(|_| citing) {
            found.push(number);
            // The end of a sentence or of a bracket ends the list.
            let marks = word.rsplit(|c: char| c.is_alphanumeric()).next().unwrap_or_default();
            citing = !marks.contains(['.', ')', ';', ':']);
        } else {
            let lists = matches!(&*plain, "and" | "or" | "to");
            citing = matches!(&*plain, "clause" | "clauses" | "section" | "sections") || (citing && lists);
        }
    }
    found
}

/// The text of a Rust file's comments, so that a citation may go on in the next line.
fn comments(code: &str) -> String {
    let comments = code.lines().filter_map(|line| Some(line.split_once("//")?.1));
    comments.map(|comment| comment.trim_start_matches(['/', '!'])).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_clause_that_is_cited_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let contract = Contract::parse(&fs::read_to_string(root.join("protocole.md")).unwrap()).unwrap();
    let section =
        |number: &str| contract.clauses().iter().any(|clause| clause.number.starts_with(&format!("{number}.")));
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let mut cited = 0;
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let prose = if path.extension().is_some_and(|extension| extension == "rs") { comments(&text) } else { text };
        for number in citations(&prose) {
            assert!(contract.has_clause(number) || section(number), "{} cites {number}", path.display());
            cited += 1;
        }
    }
    assert!(cited > 100, "only {cited} citations found");
}

/// The tables whose last column is `clause`.
#[test]
fn every_clause_in_a_table_exists() {
    let document = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../protocole.md")).unwrap();
    let contract = Contract::parse(&document).unwrap();
    let mut in_column = false;
    for line in document.lines() {
        let last = line.strip_suffix('|').and_then(|row| row.rsplit('|').next()).map(str::trim);
        match last {
            Some("clause") => in_column = true,
            Some(cell) if in_column && !cell.starts_with('-') => {
                assert!(cell.split(", ").all(|number| contract.has_clause(number)), "{line}");
            }
            Some(_) => {}
            None => in_column = false,
        }
    }
}

#[test]
fn citations_are_found() {
    assert_eq!(citations("See clauses 1.1, 9.9 and 3.4). Then 7.7 of it; section 3."), ["1.1", "9.9", "3.4", "3"]);
    assert_eq!(citations(&comments("f(\"clause 9.9\"); // Clauses 1.1 and\n/// 1.9\n")), ["1.1", "1.9"]);
    assert!(citations("A clause of 8 words, and the clause is 3").is_empty());
}
