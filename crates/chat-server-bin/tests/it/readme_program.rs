//! Compares the README of the program with the program.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use crate::program::{PROGRAM, start};

/// The directory of this package.
const DIRECTORY: &str = env!("CARGO_MANIFEST_DIR");

fn readme() -> String {
    fs::read_to_string(Path::new(DIRECTORY).join("README.md")).unwrap()
}

/// The lines of all code blocks in this language.
fn code_lines(language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let readme = readme();
    let blocks = readme.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

#[test]
fn the_table_of_flags_matches_the_help() {
    let help = Command::new(PROGRAM).arg("--help").output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    let flags = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '-'));
        words.filter(|word| word.len() > 2 && word.starts_with("--")).map(str::to_owned).collect()
    };
    let readme = readme();
    let table: Vec<_> = readme.lines().filter(|line| line.starts_with("| `-")).collect();
    let in_table: BTreeSet<_> = table.iter().flat_map(|line| flags(line.split('|').nth(1).unwrap())).collect();
    let in_help: BTreeSet<_> = flags(help.split("Examples:").next().unwrap());
    let not_in_table = ["--help", "--version"].map(str::to_owned).into();
    assert_eq!(in_table, &in_help - &not_in_table);

    for line in table {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, flag, default, ..] = cells.as_slice() else { panic!("{line}") };
        let flag = flag.split('`').nth(1).unwrap();
        let default = default.trim_matches('`');
        if !default.is_empty() {
            let long = flag.split(' ').next().unwrap();
            let description = help.split(&format!("{long} <")).nth(1).unwrap();
            let in_help = description.split("[default: ").nth(1).and_then(|rest| rest.split(']').next());
            assert_eq!(in_help, Some(default), "{long}");
        }
    }
}

/// With `--version`, the program parses all flags but does not listen.
#[test]
fn the_program_accepts_the_example_command_lines() {
    let lines = code_lines("sh");
    let examples: Vec<_> =
        lines.iter().filter(|line| line.contains("chat-server -") || line.starts_with("CHAT_")).collect();
    assert_eq!(examples.len(), 5, "{examples:?}");
    for line in examples {
        let mut command = Command::new(PROGRAM);
        for word in line.split(' ').filter(|word| *word != "chat-server") {
            match word.split_once('=') {
                Some((variable, value)) if word.starts_with("CHAT_") => command.env(variable, value),
                _ => command.arg(word.trim_matches('\'')),
            };
        }
        let output = command.arg("--version").output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_program_prints_the_example_output() {
    let example = code_lines("text");
    let mut server = start(&["--listen", "127.0.0.1:0"]);
    let address = server.address();
    assert_eq!(example, [format!("listening on {address}").replace(&address.port().to_string(), "2222")]);
    server.type_line("BYE");
    assert_eq!(server.end().0.code(), Some(0));
}

/// Systemd must not kill the server before its drain timeout.
#[test]
fn the_deployment_files_exist_and_the_unit_waits_for_the_drain_timeout() {
    let directory = Path::new(DIRECTORY);
    for file in ["Containerfile", "systemd/chat-server.service"] {
        assert!(readme().contains(file) && directory.join(file).exists(), "{file}");
    }
    let unit = fs::read_to_string(directory.join("systemd/chat-server.service")).unwrap();
    let stop_timeout: u64 = unit.split("TimeoutStopSec=").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    let readme = readme();
    let drain_timeout = readme.lines().find(|line| line.starts_with("| `--drain-timeout")).unwrap();
    let drain_timeout: u64 = drain_timeout.split('`').nth(3).unwrap().parse().unwrap();
    assert!(stop_timeout > drain_timeout, "{stop_timeout} s, {drain_timeout} s");
}
