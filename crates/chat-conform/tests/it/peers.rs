//! The servers and clients in C, JavaScript and Go pass all cases, and their functions stand in one order. Those in Python
//! are tested with their mutants.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use chat_conform::{
    ClientOptions, Command, ExpectedFailures, Level, Report, Select, Side, Suite, judge_client, judge_server,
};

use crate::peer::{LANGUAGES, Language, PeerServer};

const LINE_TIMEOUT: Duration = Duration::from_secs(20);
/// Longer than a peer takes that answers.
const PEER_TIMEOUT: Duration = Duration::from_secs(240);

fn language(name: &str) -> &'static Language {
    LANGUAGES.iter().find(|language| language.name == name).unwrap()
}

/// Checks that the server and the client of a language pass all cases, SHOULD cases too.
async fn assert_full_score(name: &str) {
    tokio::time::timeout(PEER_TIMEOUT, judge(name)).await.unwrap();
}

async fn judge(name: &str) {
    let suite = Suite::embedded().unwrap();
    let known = ExpectedFailures::default();
    if let Some(command) = language(name).command("server") {
        let server = PeerServer::start(&command);
        let cases = suite.select(Side::Server, &Select::default());
        let target = server.address.to_string();
        assert_passed(&judge_server(&target, &cases, LINE_TIMEOUT, &known, |_| {}).await.unwrap());
    }
    let Some(guest) = language(name).command("client") else { return };
    let named = [&guest[..], &["--name".to_owned(), "{name}".to_owned()]].concat();
    for (command, level) in [(named, None), (guest, Some(Level::Plain))] {
        let command = Command::new(command).unwrap();
        let cases = suite.select(Side::Client, &Select::new(None, level));
        let options = ClientOptions { line: LINE_TIMEOUT, person: Duration::ZERO, verbose: false, fail_fast: false };
        let report = judge_client("127.0.0.1:0", Some(&command), &cases, options, &known, |_| {}, |_| {}).await;
        assert_passed(&report.unwrap());
    }
}

#[track_caller]
fn assert_passed(report: &Report) {
    let failures: Vec<_> = report.cases.iter().filter(|case| case.failure.is_some()).map(ToString::to_string).collect();
    assert!(report.passed(true), "{}", failures.join("\n"));
}

#[tokio::test]
async fn the_server_and_the_client_in_c_pass_all_cases() {
    assert_full_score("C").await;
}

#[tokio::test]
async fn the_server_and_the_client_in_javascript_pass_all_cases() {
    assert_full_score("JavaScript").await;
}

#[tokio::test]
async fn the_server_and_the_client_in_go_pass_all_cases() {
    assert_full_score("Go").await;
}

const LOGIN: &str = "PROT 0.1 CONNECT USER ann\r\n";
const WELCOME: &str = "NAME OK\r\nWELCOME\r\n";

/// Starts a server with these flags, and sends this. Returns the server and the connection.
fn connect(command: &[String], flags: &str, input: &str) -> (PeerServer, TcpStream) {
    let flags: Vec<_> = flags.split_whitespace().map(str::to_owned).collect();
    let server = PeerServer::start(&[command, &flags].concat());
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(LINE_TIMEOUT)).unwrap();
    stream.write_all(input.as_bytes()).unwrap();
    (server, stream)
}

/// What the server sends until it closes.
fn rest(mut stream: &TcpStream) -> String {
    let mut received = String::new();
    stream.read_to_string(&mut received).unwrap();
    received
}

#[test]
fn the_servers_keep_the_deadlines_and_limits_of_their_flags() {
    for language in LANGUAGES.iter().filter(|language| language.name != "Python") {
        let Some(command) = language.command("server") else { continue };
        for (flags, input, wanted) in [
            ("--max-clients 0", "", "BYE\r\n"),                                              // 2.6
            ("--login-deadline 0.2", "hello", ""),                                           // 2.5
            ("--no-plain", "hello\n", "BAD PROT\n"),                                         // 2.8
            ("--ping-after 0.2 --pong-within 0.2", LOGIN, "NAME OK\r\nWELCOME\r\nPING\r\n"), // 6.1
        ] {
            let (_server, stream) = connect(&command, flags, input);
            assert_eq!(rest(&stream), wanted, "{} {flags}", language.name);
        }
    }
}

#[test]
fn the_servers_say_bye_when_they_are_stopped() {
    for language in LANGUAGES.iter().filter(|language| language.name != "Python") {
        let Some(command) = language.command("server") else { continue };
        let (server, mut stream) = connect(&command, "", LOGIN);
        let mut welcome = vec![0; WELCOME.len()];
        stream.read_exact(&mut welcome).unwrap();
        server.terminate();
        assert_eq!(rest(&stream), "BYE\r\n", "{}", language.name); // 6.3
    }
}

/// The names of the functions in the order of a file, without underscores and in lower case.
fn functions(language: &Language, side: &str) -> Vec<String> {
    let name = |line: &str| {
        let is_function = match language.extension {
            "py" => line.trim_start().starts_with("def "),
            "js" => line.ends_with('{') && (line.starts_with("function ") || line.starts_with("  ")),
            "go" => line.starts_with("func "),
            // A declaration ends with a semicolon.
            _ => (line.contains("static ") || line.starts_with("int main")) && line.ends_with('{'),
        };
        // A method of Go has its receiver before its name.
        let line = line.strip_prefix("func (").and_then(|line| line.split_once(") ")).map_or(line, |(_, line)| line);
        let name = line.split_once('(').filter(|_| is_function)?.0.rsplit([' ', '*']).next()?;
        Some(name.trim_start_matches("client_").trim_start_matches("on_").replace('_', "").to_lowercase())
    };
    fs::read_to_string(language.file(side)).unwrap().lines().filter_map(name).collect()
}

#[test]
fn the_functions_of_all_servers_and_clients_stand_in_one_order() {
    for side in ["server", "client"] {
        let wanted = functions(language("Python"), side);
        for other in LANGUAGES.iter().filter(|language| language.name != "Python") {
            let found = functions(other, side);
            let common: Vec<_> = wanted.iter().filter(|name| found.contains(name)).collect();
            let in_order: Vec<_> = found.iter().filter(|name| wanted.contains(name)).collect();
            assert_eq!(common, in_order, "{side} in {}", other.name);
            assert!(common.len() > wanted.len() / 2, "{side} in {}: only {common:?}", other.name);
        }
    }
}

#[test]
fn the_readme_of_the_peers_names_every_file_in_both_languages() {
    let readme = include_str!("../../peers/README.md");
    for language in &LANGUAGES {
        for side in ["server", "client"] {
            let file = format!("{side}.{}", language.extension);
            assert!(readme.matches(&file).count() >= 2, "{file}");
        }
    }
}
