//! The Python client passes all cases, named and plain. It also works with the Python server and with `chat-server`.

use std::{
    io::Write,
    net::SocketAddr,
    process::{Command, Stdio},
    time::Duration,
};

use chat_conform::{ClientOptions, ExpectedFailures, Select, Side, Suite, judge_client};
use chat_server::ChatServer;
use tokio::net::TcpListener;

use crate::python::{CLIENT, PythonServer, python_installed};

#[tokio::test]
async fn the_python_client_passes_all_cases() {
    if !python_installed() {
        return;
    }
    assert_passes(&["python3", "-B", CLIENT, "--name", "{name}"], None).await;
    assert_passes(&["python3", "-B", CLIENT], Some(chat_conform::Level::Plain)).await;
}

/// Checks that a client passes all cases up to this level.
async fn assert_passes(command: &[&str], level: Option<chat_conform::Level>) {
    let command = chat_conform::Command::new(command.iter().map(ToString::to_string).collect()).unwrap();
    let suite = Suite::embedded().unwrap();
    let cases = suite.select(Side::Client, &Select::new(None, level));
    let options =
        ClientOptions { line: Duration::from_secs(20), person: Duration::ZERO, verbose: false, fail_fast: false };
    let known = ExpectedFailures::default();
    let report = judge_client("127.0.0.1:0", Some(&command), &cases, options, &known, |_| {}, |_| {}).await.unwrap();
    let failures: Vec<_> = report.cases.iter().filter(|case| case.failure.is_some()).map(ToString::to_string).collect();
    assert!(report.passed(true), "{}", failures.join("\n"));
}

/// Runs the Python client, which sends two messages and leaves. It exits with 0 only if the server accepted both.
fn send_two_messages(address: SocketAddr, name: &str) {
    let mut command = Command::new("python3");
    command.args(["-B", CLIENT, "--name", name, &address.to_string()]);
    let mut client = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    client.stdin.take().unwrap().write_all("one\ncafé\n".as_bytes()).unwrap();
    let output = client.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_python_client_works_with_the_python_server() {
    if python_installed() {
        send_two_messages(PythonServer::start(None).address, "ann");
    }
}

#[tokio::test]
async fn the_python_client_works_with_chat_server() {
    if !python_installed() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = ChatServer::builder().build();
    let mut member = server.local("ear").await.unwrap();
    tokio::spawn(server.serve(listener).into_future());
    tokio::task::spawn_blocking(move || send_two_messages(address, "ann")).await.unwrap();
    let mut events = Vec::new();
    while let Ok(event) = member.recv().await {
        let line = format!("{event:?}");
        let is_last = line.contains("Left") || line.contains("Logout");
        events.push(line);
        if is_last {
            break;
        }
    }
    assert!(events.iter().any(|line| line.contains("café")), "{events:?}");
    server.cut();
}
