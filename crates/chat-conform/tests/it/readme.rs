//! What the README shows of the judge is what it says and plays.

use std::{process::Command, time::Duration};

use chat_conform::{Side, play, read};
use chat_server::ChatServer;
use tokio::net::TcpListener;

use crate::python::{PythonServer, installed};

/// The block of this kind, with the indentation of its list taken off.
fn block(kind: &str) -> String {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let (_, rest) = readme.split_once(&format!("   ```{kind}\n")).unwrap();
    let lines = rest.split_once("   ```").unwrap().0.split_inclusive('\n');
    lines.map(|line| line.strip_prefix("   ").unwrap_or(line)).collect()
}

#[test]
fn the_failure() {
    if !installed() {
        return;
    }
    let server = PythonServer::start(Some("relays-to-sender"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-conform"));
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
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = ChatServer::builder().build();
    tokio::spawn(server.serve(listener).into_future());
    let played = play(address, Duration::from_secs(20), &cases[0], 1).await;
    assert!(played.is_ok(), "{}", played.unwrap_err().what);
    server.cut();
}
