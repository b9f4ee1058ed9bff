//! `protocole.md` in step with this crate: its limits are the constants, and its tables have every message.
#![allow(clippy::unwrap_used, reason = "a panic is how a test says no")]

use std::{collections::BTreeSet, fs, path::Path};

use chat_proto::{
    ClientMessage, DEFAULT_PORT, MAX_LINE, MAX_NAME, MAX_NAME_FAILURES, MAX_TEXT, MAX_UNTERMINATED, ServerMessage,
    Session, Stage, contract::Contract,
};

fn document() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../protocole.md")).unwrap()
}

/// The rows of the table whose first heading is this, as cells.
fn table<'a>(document: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let (_, table) = document.split_once(&format!("\n| {heading} |")).unwrap_or_else(|| panic!("no table {heading}"));
    let rows = table.lines().skip(2).map_while(|line| line.strip_prefix('|')?.strip_suffix('|'));
    rows.map(|row| row.split('|').map(str::trim).collect()).collect()
}

/// All numbers in a text; `8,192` is one.
fn numbers(text: &str) -> Vec<usize> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ',' | '.' | '+')));
    words.filter_map(|word| word.trim_matches([',', '.']).replace(',', "").parse().ok()).collect()
}

#[test]
fn limits_are_the_constants() {
    let document = document();
    let contract = Contract::parse(&document).unwrap();
    let rows = table(&document, "limit");
    for (number, limit, word) in [
        ("1.3", MAX_LINE, None),
        ("1.4", MAX_UNTERMINATED, None),
        ("1.5", MAX_TEXT, None),
        ("1.6", MAX_NAME, None),
        ("3.3", MAX_NAME_FAILURES as usize, Some("fifth")),
    ] {
        let row = rows.iter().find(|row| row.last() == Some(&number));
        let row = row.unwrap_or_else(|| panic!("no limit of clause {number}"));
        // `1 to 2,000 …` ends with the limit.
        assert_eq!(numbers(row[1]).last(), Some(&limit), "clause 8.1, limit of {number}");
        let clause = &contract.clause(number).unwrap().text;
        let says = numbers(clause).contains(&limit) || word.is_some_and(|word| clause.contains(word));
        assert!(says, "clause {number} does not say {limit}: {clause}");
    }
    assert!(numbers(&document).contains(&usize::from(DEFAULT_PORT)), "the default port is missing");
}

/// The formats in the first column of a table, such as `FROM <name> MSG <text>`.
fn formats<'a>(document: &'a str, heading: &str) -> Vec<&'a str> {
    let cells = table(document, heading).into_iter().map(|row| row[0]);
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

/// A line of this format.
fn example(format: &str) -> String {
    format.replace("<n> <name> …", "1 ann").replace("<name>", "ann").replace("<text>", "hello")
}

#[test]
fn formats_of_the_tables_are_messages() {
    let document = document();
    for format in formats(&document, "client sends").iter().filter(|format| !format.contains("<other version>")) {
        let stage = match *format {
            "<text>" => Stage::Later(Session::Plain),
            _ if format.starts_with("PROT ") => Stage::First,
            _ => Stage::Later(Session::Named),
        };
        ClientMessage::parse(stage, example(format)).unwrap_or_else(|error| panic!("{format}: {error}"));
    }
    for format in formats(&document, "server sends") {
        ServerMessage::parse(example(format)).unwrap_or_else(|error| panic!("{format}: {error}"));
    }
}

/// What a format has before its first field: `LIST CLIENTS` of `LIST CLIENTS <n> <name> …`.
fn verb(format: &str) -> &str {
    format[..format.find(['<', '…']).unwrap_or(format.len())].trim_end()
}

/// The docs of the variants begin with their format: ``/// `MSG <text>` …``.
#[test]
fn messages_stand_in_the_tables() {
    let document = document();
    let tables = ["client sends", "server sends"].map(|heading| formats(&document, heading)).concat();
    let told: BTreeSet<_> = tables.into_iter().map(verb).collect();
    let mut seen = 0;
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/message")).unwrap() {
        let code = fs::read_to_string(file.unwrap().path()).unwrap();
        let docs = code.lines().filter_map(|line| line.strip_prefix("    /// `")?.split_once('`'));
        for verb in docs.map(|(format, _)| verb(format)) {
            assert!(told.contains(verb), "no table of protocole.md has `{verb}`");
            seen += 1;
        }
    }
    assert!(seen >= 22, "only {seen} messages found");
}
