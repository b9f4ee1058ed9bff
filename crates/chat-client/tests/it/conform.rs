//! The judge has nothing to say against the program, with a name and as a guest; and it talks with a server in Python.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    time::Duration,
};

use chat_conform::{Book, Known, Level, Patience, Select, Side, judge_client};

const PROGRAM: &str = env!("CARGO_BIN_EXE_chat-client");
const PYTHON_SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../chat-conform/peers/server.py");

async fn passes(command: &[&str], level: Option<Level>) {
    let command = chat_conform::Command::new(command.iter().map(ToString::to_string).collect()).unwrap();
    let book = Book::embedded().unwrap();
    let cases = book.select(Side::Client, &Select::new(None, level));
    let patience = Patience { line: Duration::from_secs(20), person: Duration::ZERO };
    let known = Known::default();
    let report = judge_client("127.0.0.1:0", Some(&command), &cases, patience, &known, |_| {}, |_| {}).await.unwrap();
    let failures: Vec<_> = report.cases.iter().filter(|case| case.failure.is_some()).map(ToString::to_string).collect();
    assert!(report.passed(true), "{}", failures.join("\n"));
}

#[tokio::test]
async fn every_case_with_a_name() {
    passes(&[PROGRAM, "--name", "{name}"], None).await;
}

#[tokio::test]
async fn every_case_for_a_guest() {
    passes(&[PROGRAM], Some(Level::Plain)).await;
}

#[cfg(unix)]
#[test]
fn at_a_server_in_python() {
    let there = Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    assert!(there || std::env::var_os("CI").is_none(), "python3 must be there in CI");
    if !there {
        return;
    }
    let mut python = Command::new("python3");
    python.args(["-B", PYTHON_SERVER, "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut python = python.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(python.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();

    let mut command = Command::new(PROGRAM);
    command.args(["--name", "ann", &address]).env_remove("CHAT_NAME").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut client = command.stderr(Stdio::piped()).spawn().unwrap();
    client.stdin.take().unwrap().write_all("one\n/clients\ncafé\n".as_bytes()).unwrap();
    let ended = client.wait_with_output().unwrap();
    python.kill().unwrap();
    python.wait().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(String::from_utf8(ended.stdout).unwrap(), "* 1 here: ann\n");
}
