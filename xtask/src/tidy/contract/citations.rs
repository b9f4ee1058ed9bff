//! Clauses and sections that are cited, in comments and documents, exist.

use chat_proto::contract::Contract;

use super::{
    File, Finding, PATH, markdown,
    rust::{self, Kind},
};

pub(super) fn check(file: &File, contract: &Contract) -> Vec<Finding> {
    let prose = match file.extension() {
        Some("rs") => rust::only(&file.text, &[Kind::Comment]),
        Some("md") => file.text.clone(),
        _ => return Vec::new(),
    };
    let mut cited = citations(&prose);
    if file.path == PATH {
        cited.extend(clause_columns(&file.text));
    }
    let missing = cited.into_iter().filter(|(_, number)| !exists(number, contract));
    missing
        .map(|(line, number)| Finding::new(&file.path, line, format!("cite what exists: {PATH} has no {number}")))
        .collect()
}

fn exists(number: &str, contract: &Contract) -> bool {
    let section = format!("{number}.");
    contract.has_clause(number) || contract.clauses().iter().any(|clause| clause.number.starts_with(&section))
}

/// The numbers behind "clause", "clauses 1.2 and 3.4", "section" and the like, with their lines.
fn citations(prose: &str) -> Vec<(usize, String)> {
    let lines = prose.lines().enumerate();
    // A citation may go on in the next line, behind the signs of a comment.
    let words = lines.flat_map(|(index, line)| line.split_whitespace().map(move |word| (index + 1, word)));
    let words = words.filter(|(_, word)| !matches!(*word, "//" | "///" | "//!" | "*"));
    let mut found = Vec::new();
    let mut citing = false;
    for (line, word) in words {
        let plain = word.trim_matches(|c: char| !c.is_alphanumeric());
        if let Some(number) = number(word).filter(|_| citing) {
            found.push((line, number.to_owned()));
            // The end of a sentence or of a bracket ends the list.
            let marks = word.rsplit(|c: char| c.is_alphanumeric()).next().unwrap_or_default();
            citing = !marks.contains(['.', ')', ';', ':']);
        } else {
            let lists = matches!(plain, "and" | "or" | "to");
            citing = matches!(plain.to_ascii_lowercase().as_str(), "clause" | "clauses" | "section" | "sections")
                || (citing && lists);
        }
    }
    found
}

/// `3` or `3.4`, maybe with marks around it.
fn number(word: &str) -> Option<&str> {
    let number = word.trim_matches(|c: char| !c.is_alphanumeric());
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_digit());
    number.split('.').all(digits).then_some(number).filter(|number| number.split('.').count() <= 2)
}

/// The last columns of the tables whose heading is `clause`.
fn clause_columns(text: &str) -> Vec<(usize, String)> {
    let mut in_column = false;
    let mut found = Vec::new();
    for line in markdown::lines(text).filter(|line| !line.is_code) {
        let Some(cells) = markdown::cells(line.text) else {
            in_column = false;
            continue;
        };
        let last = cells.last().copied().unwrap_or_default();
        if in_column && !last.starts_with('-') {
            found.extend(last.split(", ").map(|number| (line.number, number.to_owned())));
        }
        in_column |= last == "clause";
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{finding::assert_found, tree::file};

    #[track_caller]
    fn found(path: &str, text: &str, expected: &[&str]) {
        let contract = Contract::parse("**1.1** a\n\n**1.2** b\n\n**3.4** c\n").unwrap();
        assert_found(&check(&file(path, text), &contract), expected);
    }

    #[test]
    fn what_does_not_exist_is_found() {
        found("a.rs", "//! See clause 1.3.\n", &["a.rs:1: cite what exists: protocole.md has no 1.3"]);
        found("a.rs", "/// (clauses 1.1, 9.9 and 3.4)\n", &["a.rs:1: cite what exists: protocole.md has no 9.9"]);
        found("a.rs", "// Clauses 1.1 and\n// 1.9.\n", &["a.rs:2: cite what exists: protocole.md has no 1.9"]);
        found("a.md", "Sections 1 to 4 say so.\n", &["a.md:1: cite what exists: protocole.md has no 4"]);
        found(
            "protocole.md",
            "| x | clause |\n|---|---|\n| y | 1.1, 2.2 |\n",
            &["protocole.md:3: cite what exists: protocole.md has no 2.2"],
        );
    }

    #[test]
    fn what_exists_or_is_no_citation_is_not() {
        found("a.rs", "//! Clause 1.1; section 3. Then 7.7 of it. A clause of 8 words\nf(\"clause 9.9\");\n", &[]);
        found("a.md", "(clauses 1.1 and 1.2), 0.1 and the clause is 3\n", &[]);
        found("a.toml", "# clause 9.9\n", &[]);
        found("protocole.md", "| x | y |\n|---|---|\n| 1 | 2.2 |\n", &[]);
    }
}
