//! The examples of the README work, and show what the judge prints.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
    time::Duration,
};

use chat_conform::{ServerOptions, Side, play, read};
use chat_server::ChatServer;
use tokio::net::TcpListener;

use crate::python::{PythonServer, python_installed};

const README: &str = include_str!("../../README.md");
const PROGRAM: &str = env!("CARGO_BIN_EXE_chat-conform");

/// The first code block in this language, without the indentation of its list.
fn code_block(language: &str) -> String {
    let (before, rest) = README.split_once(&format!("```{language}\n")).unwrap();
    let indentation = &before[before.rfind('\n').unwrap() + 1..];
    let lines = rest.split_once(&format!("{indentation}```")).unwrap().0.split_inclusive('\n');
    lines.map(|line| line.strip_prefix(indentation).unwrap_or(line)).collect()
}

/// Starts a `chat-server` on a free port.
async fn start_server() -> (ChatServer, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = ChatServer::builder().build();
    tokio::spawn(server.serve(listener).into_future());
    (server, address)
}

#[test]
fn the_failure_is_what_the_judge_prints() {
    if !python_installed() {
        return;
    }
    let server = PythonServer::start(Some("relays-to-sender"));
    let mut command = Command::new(PROGRAM);
    let output = command.args(["server", &server.address.to_string(), "--only", "message-not"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8(output.stdout).unwrap();
    let (name, _) = printed.split_once("CONNECT USER ").unwrap().1.split_once("\\r").unwrap();
    let printed = printed.replace(name, "ann0123456");
    assert!(printed.starts_with(&code_block("text")), "{printed}");
}

#[tokio::test]
async fn the_case_passes() {
    let cases = read("README.md", &code_block("case")).unwrap();
    assert_eq!(cases[0].side, Side::Server);
    let (server, address) = start_server().await;
    let played = play(address, ServerOptions::new(Duration::from_secs(20)), &cases[0], 1).await;
    assert!(played.is_ok(), "{}", played.unwrap_err().what);
    server.cut();
}

#[tokio::test]
async fn the_python_client_works() {
    if !python_installed() {
        return;
    }
    let (server, address) = start_server().await;
    let target = format!("(\"{}\", {})", address.ip(), address.port());
    let program = code_block("python").replace("(\"localhost\", 4444)", &target);
    assert!(program.contains(&target));
    let (received, printed) = tokio::task::spawn_blocking(move || {
        let mut ann = TcpStream::connect(address).unwrap();
        ann.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        ann.write_all(b"PROT 0.1 CONNECT USER ann\r\n").unwrap();
        let mut lines = BufReader::new(ann.try_clone().unwrap()).lines().map(Result::unwrap);
        let welcome: Vec<_> = lines.by_ref().take(2).collect();
        assert_eq!(welcome, ["NAME OK", "WELCOME"]);
        let python = Command::new("python3").args(["-c", &program]).stdout(Stdio::piped()).spawn().unwrap();
        let mut received: Vec<_> = lines.by_ref().take(2).collect();
        ann.write_all(b"MSG hello, monty\r\n").unwrap();
        received.extend(lines.take(2));
        let output = python.wait_with_output().unwrap();
        assert!(output.status.success());
        (received, String::from_utf8(output.stdout).unwrap())
    })
    .await
    .unwrap();
    assert_eq!(received, ["JOIN monty", "FROM monty MSG hello from Python", "OK", "LOGOUT monty"]);
    assert_eq!(printed.lines().collect::<Vec<_>>(), ["NAME OK", "WELCOME", "OK", "FROM ann MSG hello, monty", "BYE"]);
    server.cut();
}

/// Each command line is valid. `--help` keeps the judge from running it.
#[test]
fn the_command_lines_are_valid() {
    let command_lines: BTreeSet<_> =
        README.lines().filter_map(|line| line.trim().split_once("--bin chat-conform -- ")).collect();
    assert_eq!(command_lines.len(), 6, "{command_lines:?}");
    for (_, words) in command_lines {
        let (judge_args, client) = words.split_once(" -- ").unwrap_or((words, ""));
        let output = Command::new(PROGRAM).args(judge_args.split(' ')).arg("--help").output().unwrap();
        assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
        let peers = client.split(' ').filter(|word| word.contains("/peers/"));
        for peer in peers.map(|peer| peer.strip_prefix("crates/chat-conform/").unwrap()) {
            assert!(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(peer).exists(), "{peer}");
        }
    }
}

/// Each flag in the text is in the help of a command. The exit codes in the table are those of the help.
#[test]
fn the_flags_and_exit_codes_are_those_of_the_help() {
    let help =
        |command: &str| String::from_utf8(Command::new(PROGRAM).args([command, "--help"]).output().unwrap().stdout);
    let help: String = ["server", "client", "class", "proxy"].map(|command| help(command).unwrap()).concat();
    for span in README.split('`').skip(1).step_by(2).filter(|span| span.starts_with("--")) {
        let flag = span.split(' ').next().unwrap();
        assert!(help.contains(&format!("      {flag} ")) || help.contains(&format!("      {flag}\n")), "{flag}");
    }
    let (_, codes) = README.split_once("| exit code | meaning |\n|---|---|\n").unwrap();
    let codes = codes.lines().take_while(|line| line.starts_with('|'));
    let codes = codes.map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join(" "));
    assert!(help.contains(&format!("Exit code: {}.", codes.collect::<Vec<_>>().join(", "))), "{help}");
}

/// The table of a class can be read. Its servers do not exist, so that each gets a remark.
#[test]
fn the_table_of_a_class_can_be_read() {
    let path = std::env::temp_dir().join(format!("chat-conform-{}-readme.csv", std::process::id()));
    let table = code_block("csv").replace("192.0.2.7:2222", "127.0.0.1:1").replace("192.0.2.8:2222", "127.0.0.1:1");
    std::fs::write(&path, table).unwrap();
    let output = Command::new(PROGRAM).args(["class", path.to_str().unwrap()]).output().unwrap();
    std::fs::remove_file(path).unwrap();
    let scores = String::from_utf8(output.stdout).unwrap();
    for name in ["Ann", "Bob"] {
        assert!(
            scores.lines().any(|line| line.starts_with(name)),
            "{scores}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
