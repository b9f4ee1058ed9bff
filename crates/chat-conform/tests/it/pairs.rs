//! The Python client passes, named and as a guest, and talks with the Python server and with ours.

use std::{
    io::Write,
    net::SocketAddr,
    process::{Command, Stdio},
    time::Duration,
};

use chat_conform::{ExpectedFailures, Patience, Select, Side, Suite, judge_client};
use chat_server::ChatServer;
use tokio::net::TcpListener;

use crate::python::{CLIENT, PythonServer, installed};

#[tokio::test]
async fn the_python_client_passes_all() {
    if !installed() {
        return;
    }
    passes(&["python3", "-B", CLIENT, "--name", "{name}"], None).await;
    passes(&["python3", "-B", CLIENT], Some(chat_conform::Level::Plain)).await;
}

async fn passes(command: &[&str], level: Option<chat_conform::Level>) {
    let command = chat_conform::Command::new(command.iter().map(ToString::to_string).collect()).unwrap();
    let suite = Suite::embedded().unwrap();
    let cases = suite.select(Side::Client, &Select::new(None, level));
    let patience = Patience { line: Duration::from_secs(20), person: Duration::ZERO };
    let known = ExpectedFailures::default();
    let report = judge_client("127.0.0.1:0", Some(&command), &cases, patience, &known, |_| {}, |_| {}).await.unwrap();
    let failures: Vec<_> = report.cases.iter().filter(|case| case.failure.is_some()).map(ToString::to_string).collect();
    assert!(report.passed(true), "{}", failures.join("\n"));
}

/// Says two lines and leaves. Its exit code says that both were accepted.
fn says_two_lines(address: SocketAddr, name: &str) {
    let mut command = Command::new("python3");
    command.args(["-B", CLIENT, "--name", name, &address.to_string()]);
    let mut client = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    client.stdin.take().unwrap().write_all("one\ncafé\n".as_bytes()).unwrap();
    let ended = client.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
}

#[test]
fn a_python_client_at_a_python_server() {
    if installed() {
        says_two_lines(PythonServer::start(None).address, "ann");
    }
}

#[tokio::test]
async fn a_python_client_at_our_server() {
    if !installed() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = ChatServer::builder().build();
    let mut ear = server.local("ear").await.unwrap();
    tokio::spawn(server.serve(listener).into_future());
    tokio::task::spawn_blocking(move || says_two_lines(address, "ann")).await.unwrap();
    let mut heard = Vec::new();
    while let Ok(event) = ear.recv().await {
        let line = format!("{event:?}");
        let last = line.contains("Left") || line.contains("Logout");
        heard.push(line);
        if last {
            break;
        }
    }
    assert!(heard.iter().any(|line| line.contains("café")), "{heard:?}");
    server.cut();
}
