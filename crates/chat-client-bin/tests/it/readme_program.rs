//! Checks the README of the program against the program. `terminal/readme.rs` checks its session at a terminal.

use std::collections::BTreeSet;

use crate::{
    process::{Ended, piped, served},
    scripted_server::{Server, listen},
};

const README: &str = include_str!("../../README.md");

/// The first code block of this kind.
pub(crate) fn block(kind: &str) -> &'static str {
    let (_, rest) = README.split_once(&format!("```{kind}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

/// The rows of the table with this heading, as pairs of the first and the second cell.
fn table(heading: &str) -> Vec<(&'static str, &'static str)> {
    let (_, rest) = README.split_once(&format!("| {heading} |")).unwrap();
    let rows = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split_once('|').unwrap()).map(|(a, b)| (a.trim(), b.trim())).collect()
}

/// All spans in backticks.
fn code_spans(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The input and the flags of the `printf` command that contains `part`.
fn command(part: &str) -> (String, Vec<&'static str>) {
    let line = README.lines().find(|line| line.starts_with("printf ") && line.contains(part)).unwrap();
    let input = line.split('\'').nth(1).unwrap().replace("\\n", "\n");
    (input, line.split_once(" -- ").unwrap().1.split(' ').collect())
}

/// Removes the time of each JSON line, and replaces the address by that of the README.
fn timeless(lines: &str, address: &str) -> String {
    let timeless = |line: &str| {
        let (before, after) = line.split_once(r#""time":""#).unwrap();
        let (time, after) = after.split_once('"').unwrap();
        assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
        format!("{before}{}\n", after.replace(address, "localhost:2222"))
    };
    lines.lines().map(timeless).collect()
}

/// Runs the command that contains `part`. Returns its outcome and the address of the server.
async fn run(part: &str, script: impl AsyncFnOnce(Server<tokio::net::TcpStream>)) -> (Ended, String) {
    let (input, flags) = command(part);
    let (listener, address) = listen().await;
    let serve = async {
        let mut server = Server::accept(&listener).await;
        server.welcome("ci").await;
        script(server).await;
    };
    let args = [flags, vec![&address]].concat();
    let (ended, ()) = tokio::join!(piped(&args, &input), serve);
    (ended, address)
}

#[tokio::test]
async fn the_script_example_ends_with_all_messages_acknowledged() {
    let script = async |mut server: Server<_>| {
        server.expect("MSG build 17\nMSG is green").await;
        server.send_lines("OK\nOK").await;
        server.answer_bye().await;
    };
    let (ended, _) = run("build 17", script).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn the_json_example_matches_the_output() {
    let script = async |mut server: Server<_>| {
        server.expect("MSG hi").await;
        server.send_lines("OK").await;
        server.answer_bye().await;
    };
    let (ended, address) = run("\"say\"", script).await;
    assert_eq!(timeless(&ended.stdout, &address), timeless(block("json"), &address));
}

#[test]
fn the_table_of_events_has_every_event_and_field_of_the_snapshot() {
    let table = table("event | fields");
    let fields = |event: &str| -> BTreeSet<&str> {
        let row = table.iter().find(|(events, _)| code_spans(events).any(|name| name == event));
        code_spans(row.unwrap_or_else(|| panic!("no {event} in the table")).1).collect()
    };
    for line in include_str!("snapshots/json.txt").lines() {
        let record: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        let expected = fields(record["event"].as_str().unwrap());
        for field in record.keys().filter(|key| !["v", "time", "event"].contains(&key.as_str())) {
            assert!(expected.contains(field.as_str()), "{field} of {line}");
        }
    }
}

#[tokio::test]
async fn the_tables_of_flags_and_exit_codes_match_help() {
    let help = piped(&["--help"], "").await.stdout;
    let (flags, codes) = help.split_once("Exit codes:\n").unwrap();
    for flag in table("flag | effect").into_iter().flat_map(|(flag, _)| code_spans(flag)) {
        let flag = flag.split(' ').next().unwrap();
        assert!(flags.contains(&format!("  {flag}")), "{flag}");
    }
    let expected = codes.lines().map(|line| line.trim().split_once(' ').unwrap());
    let expected: Vec<_> = expected.map(|(code, meaning)| (code, meaning.trim())).collect();
    let documented = table("exit code | meaning");
    assert_eq!(documented.len(), expected.len());
    for ((code, meaning), (expected, words)) in documented.into_iter().zip(expected) {
        // The remark in parentheses is longer in --help.
        assert_eq!(code, expected);
        let same = meaning.split(" (").next() == words.split(" (").next();
        assert!(same, "{code}: {meaning:?} in the README, {words:?} in --help");
    }
}

#[tokio::test]
async fn the_example_of_settings_is_read_and_printed_unchanged() {
    let file = std::env::temp_dir().join(format!("chat-client-{}-readme", std::process::id()));
    std::fs::write(&file, block("ini")).unwrap();
    let ended = piped(&["--config", file.to_str().unwrap(), "--print-config"], "").await;
    std::fs::remove_file(file).unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let settings = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.split("  #").next().unwrap().split(" #").next().unwrap().trim().to_owned())
            .collect()
    };
    assert_eq!(settings(&ended.stdout), settings(block("ini")));
}

/// Commands that exist only at a terminal. `terminal/people.rs` compares the table with the `/help` of the terminal.
const TERMINAL_ONLY: [&str; 5] = ["/me TEXT", "/name NAME", "/ignore NAME", "/unignore NAME", "/reconnect"];

/// The commands of the table.
pub(crate) fn commands() -> impl Iterator<Item = &'static str> {
    table("type | to").into_iter().flat_map(|(typed, _)| code_spans(typed))
}

#[tokio::test]
async fn the_help_in_a_pipe_lists_the_commands_of_the_table() {
    let ended = served(&["--commands"], "/help\n", async |server| server.answer_bye().await).await;
    for command in commands().filter(|command| !TERMINAL_ONLY.contains(command)) {
        assert!(ended.stderr.contains(command), "{command} is not in {}", ended.stderr);
    }
}
