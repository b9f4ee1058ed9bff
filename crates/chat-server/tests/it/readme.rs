//! What the README shows works as it is shown. Its Rust code is compiled as a documentation test.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use chat_server::ChatServer;

use crate::support::{Peer, start};

fn readme() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap()
}

/// The code block that follows this opening.
fn block(readme: &str, opening: &str) -> String {
    let (_, rest) = readme.split_once(opening).unwrap_or_else(|| panic!("no {opening:?} in the README"));
    rest.split_once("```").unwrap().0.to_owned()
}

/// Whether a program that the README speaks of is on this machine.
fn installed(program: &str, ask: &str) -> bool {
    let there = Command::new(program).arg(ask).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    assert!(there || std::env::var_os("CI").is_none() || cfg!(windows), "{program} must be there in CI");
    there
}

/// Typed lines with their `>` taken off, and what the server says.
fn session(readme: &str) -> (Vec<String>, Vec<String>) {
    let session = block(readme, "```console\n$ nc localhost 2222\n");
    let typed = |line: &&str| line.starts_with("> ");
    let (typed, said): (Vec<_>, Vec<_>) = session.lines().partition(typed);
    (typed.iter().map(|line| line[2..].to_owned()).collect(), said.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn the_netcat_session() {
    let (typed, said) = session(&readme());
    let (server, address) = start(ChatServer::builder()).await;
    let mut peer = Peer::tcp(address).await;
    for (typed, said) in typed.iter().zip(&said) {
        peer.raw(format!("{typed}\n").as_bytes()).await;
        assert_eq!(peer.line_bytes().await, format!("{said}\n").as_bytes());
    }
    peer.expect_end().await;
    assert_eq!(typed.len(), said.len());
    server.cut();
}

#[cfg(unix)]
#[tokio::test]
async fn the_netcat_session_with_netcat() {
    if !installed("nc", "-h") {
        return;
    }
    let (typed, said) = session(&readme());
    let (server, address) = start(ChatServer::builder()).await;
    let answered = tokio::task::spawn_blocking(move || {
        let mut nc = Command::new("nc");
        nc.args([address.ip().to_string(), address.port().to_string()]);
        let mut nc = nc.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        nc.stdin.as_mut().unwrap().write_all((typed.join("\n") + "\n").as_bytes()).unwrap();
        String::from_utf8(nc.wait_with_output().unwrap().stdout).unwrap()
    });
    assert_eq!(answered.await.unwrap().lines().collect::<Vec<_>>(), said);
    server.cut();
}

#[tokio::test]
async fn the_python_program() {
    if !installed("python3", "--version") {
        return;
    }
    let (server, address) = start(ChatServer::builder()).await;
    let mut ann = Peer::tcp(address).await.join("ann").await;
    let program = block(&readme(), "```python\n");
    let here = format!("(\"{}\", {})", address.ip(), address.port());
    let program = program.replace("(\"localhost\", 2222)", &here);
    assert!(program.contains(&here));
    let python = tokio::task::spawn_blocking(move || {
        let output = Command::new("python3").args(["-c", &program]).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    });
    ann.expect("JOIN monty").await;
    ann.expect("FROM monty MSG hello from Python").await;
    ann.send("MSG hello, monty").await;
    ann.expect("OK").await;
    ann.expect("LOGOUT monty").await;
    let printed = python.await.unwrap();
    assert_eq!(printed.lines().collect::<Vec<_>>(), ["NAME OK", "WELCOME", "OK", "FROM ann MSG hello, monty", "BYE"]);
    server.cut();
}
