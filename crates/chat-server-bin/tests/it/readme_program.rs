//! What the README says of the program.

use std::{collections::BTreeSet, process::Command};

fn readme() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap()
}

/// The table of flags, line by line, against `--help`.
#[test]
fn the_table_of_flags() {
    let help = Command::new(env!("CARGO_BIN_EXE_chat-server")).arg("--help").output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    let flags = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '-'));
        words.filter(|word| word.len() > 2 && word.starts_with("--")).map(str::to_owned).collect()
    };
    let readme = readme();
    let table: Vec<_> = readme.lines().filter(|line| line.starts_with("| `-")).collect();
    let in_table: BTreeSet<_> = table.iter().flat_map(|line| flags(line.split('|').nth(1).unwrap())).collect();
    let in_help: BTreeSet<_> = flags(help.split("Examples:").next().unwrap());
    let standard = ["--help", "--version"].map(str::to_owned).into();
    assert_eq!(in_table, &in_help - &standard);

    for line in table {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, flag, default, ..] = cells.as_slice() else { panic!("{line}") };
        let flag = flag.split('`').nth(1).unwrap();
        let default = default.trim_matches('`');
        if !default.is_empty() {
            let long = flag.split(' ').next().unwrap();
            let described = help.split(&format!("{long} <")).nth(1).unwrap();
            let said = described.split("[default: ").nth(1).and_then(|rest| rest.split(']').next());
            assert_eq!(said, Some(default), "{long}");
        }
    }
}
