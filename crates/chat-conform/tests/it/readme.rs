//! What the README shows of the judge is what it says and plays.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
    time::Duration,
};

use chat_conform::{Side, play, read};
use chat_server::ChatServer;
use tokio::net::TcpListener;

use crate::python::{PythonServer, installed};

const README: &str = include_str!("../../README.md");
const PROGRAM: &str = env!("CARGO_BIN_EXE_chat-conform");

/// The first block of this kind, with the indentation of its list taken off.
fn block(kind: &str) -> String {
    let (before, rest) = README.split_once(&format!("```{kind}\n")).unwrap();
    let indentation = &before[before.rfind('\n').unwrap() + 1..];
    let lines = rest.split_once(&format!("{indentation}```")).unwrap().0.split_inclusive('\n');
    lines.map(|line| line.strip_prefix(indentation).unwrap_or(line)).collect()
}

async fn server() -> (ChatServer, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = ChatServer::builder().build();
    tokio::spawn(server.serve(listener).into_future());
    (server, address)
}

#[test]
fn the_failure() {
    if !installed() {
        return;
    }
    let server = PythonServer::start(Some("relays-to-sender"));
    let mut command = Command::new(PROGRAM);
    let output = command.args(["server", &server.address.to_string(), "--only", "message-not"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    let (name, _) = said.split_once("CONNECT USER ").unwrap().1.split_once("\\r").unwrap();
    let said = said.replace(name, "ann0123456");
    assert!(said.starts_with(&block("text")), "{said}");
}

#[tokio::test]
async fn the_case() {
    let cases = read("README.md", &block("case")).unwrap();
    assert_eq!(cases[0].side, Side::Server);
    let (server, address) = server().await;
    let played = play(address, Duration::from_secs(20), &cases[0], 1).await;
    assert!(played.is_ok(), "{}", played.unwrap_err().what);
    server.cut();
}

#[tokio::test]
async fn the_client_in_python() {
    if !installed() {
        return;
    }
    let (server, address) = server().await;
    let here = format!("(\"{}\", {})", address.ip(), address.port());
    let program = block("python").replace("(\"localhost\", 2222)", &here);
    assert!(program.contains(&here));
    let (heard, printed) = tokio::task::spawn_blocking(move || {
        let mut ann = TcpStream::connect(address).unwrap();
        ann.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        ann.write_all(b"PROT 0.1 CONNECT USER ann\r\n").unwrap();
        let mut lines = BufReader::new(ann.try_clone().unwrap()).lines().map(Result::unwrap);
        let heard: Vec<_> = lines.by_ref().take(2).collect();
        assert_eq!(heard, ["NAME OK", "WELCOME"]);
        let python = Command::new("python3").args(["-c", &program]).stdout(Stdio::piped()).spawn().unwrap();
        let mut heard: Vec<_> = lines.by_ref().take(2).collect();
        ann.write_all(b"MSG hello, monty\r\n").unwrap();
        heard.extend(lines.take(2));
        let output = python.wait_with_output().unwrap();
        assert!(output.status.success());
        (heard, String::from_utf8(output.stdout).unwrap())
    })
    .await
    .unwrap();
    assert_eq!(heard, ["JOIN monty", "FROM monty MSG hello from Python", "OK", "LOGOUT monty"]);
    assert_eq!(printed.lines().collect::<Vec<_>>(), ["NAME OK", "WELCOME", "OK", "FROM ann MSG hello, monty", "BYE"]);
    server.cut();
}

/// Each command is understood: `--help` before what a client would take stops it there.
#[test]
fn the_command_lines() {
    let shown: BTreeSet<_> =
        README.lines().filter_map(|line| line.trim().split_once("--bin chat-conform -- ")).collect();
    assert_eq!(shown.len(), 5, "{shown:?}");
    for (_, words) in shown {
        let (ours, client) = words.split_once(" -- ").unwrap_or((words, ""));
        let output = Command::new(PROGRAM).args(ours.split(' ')).arg("--help").output().unwrap();
        assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
        let peers = client.split(' ').filter(|word| word.contains("/peers/"));
        for peer in peers.map(|peer| peer.strip_prefix("crates/chat-conform/").unwrap()) {
            assert!(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(peer).exists(), "{peer}");
        }
    }
}

/// Flags in the text are flags of a command.
#[test]
fn the_flags() {
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

/// The table of a class is read: its servers are not there, and that is what it says of each.
#[test]
fn the_table_of_a_class() {
    let path = std::env::temp_dir().join(format!("chat-conform-{}-readme.csv", std::process::id()));
    let table = block("csv").replace("192.0.2.7:2222", "127.0.0.1:1").replace("192.0.2.8:2222", "127.0.0.1:1");
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
