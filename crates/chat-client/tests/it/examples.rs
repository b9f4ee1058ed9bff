//! Runs the examples, which `cargo test` builds before the tests.

use std::{path::PathBuf, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::scripted_server::{Server, listen, within};

fn start(example: &str, args: &[&str]) -> Child {
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.extend(["examples", example]);
    path.set_extension(std::env::consts::EXE_EXTENSION);
    Command::new(path).args(args).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap()
}

#[tokio::test]
async fn echo_answers_and_stops() {
    let (listener, address) = listen().await;
    let mut child = start("echo", &[&address]);
    let mut server = Server::accept(&listener).await;
    server.welcome("echo").await;
    server.send_lines("FROM al MSG hi").await;
    server.expect("MSG hi").await;
    server.send_lines("OK\nFROM al MSG stop").await;
    server.answer_bye().await;
    assert!(within(child.wait()).await.unwrap().success());
}

#[tokio::test]
async fn bridge_copies_both_ways() {
    let ((near, here), (far, there)) = (listen().await, listen().await);
    let _child = start("bridge", &[&here, &there]);
    let (mut near, mut far) = (Server::accept(&near).await, Server::accept(&far).await);
    near.welcome("bridge").await;
    far.welcome("bridge").await;
    // Wait until both sides are connected.
    for server in [&mut near, &mut far] {
        server.send_lines("PING").await;
        server.expect("PONG").await;
    }
    near.send_lines("FROM al MSG hi").await;
    far.expect("MSG al: hi").await;
    far.send_lines("OK\nFROM bo MSG hello").await;
    near.expect("MSG bo: hello").await;
}

#[tokio::test]
async fn logbook_marks_gaps() {
    let (listener, address) = listen().await;
    let mut child = start("logbook", &[&address]);
    let mut book = BufReader::new(child.stdout.take().unwrap()).lines();
    for text in ["one", "two"] {
        let mut server = Server::accept(&listener).await;
        server.welcome("logbook").await;
        server.send_lines(&format!("FROM al MSG {text}")).await;
        if text == "two" {
            let line = within(book.next_line()).await.unwrap().unwrap();
            assert!(line.starts_with("# nothing was received for "), "{line}");
        }
        assert_eq!(within(book.next_line()).await.unwrap().unwrap(), format!("<al> {text}"));
    }
}
