//! Runs the program as a process.

use std::{ffi::OsStr, process::Stdio};

use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    process::{Child, Command},
};

use crate::scripted_server::{Server, listen, within};

pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) status: String,
}

/// An environment without the settings of this machine.
pub(crate) fn hermetic() -> impl Iterator<Item = (&'static str, &'static str)> {
    [("XDG_CONFIG_HOME", "/nowhere"), ("XDG_STATE_HOME", "/nowhere"), ("TZ", "UTC")].into_iter()
}

pub(crate) fn start<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Child {
    Command::new(env!("CARGO_BIN_EXE_chat-client"))
        .args(args)
        .envs(hermetic())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

pub(crate) async fn end(child: Child) -> Ended {
    let ended = within(child.wait_with_output()).await.unwrap();
    let [output, status] = [ended.stdout, ended.stderr].map(|shown| String::from_utf8(shown).unwrap());
    assert!(!status.contains("panicked"), "{status}");
    Ended { code: ended.status.code(), output, status }
}

/// Runs the program with this input, up to its end.
pub(crate) async fn piped(args: &[&str], input: &str) -> Ended {
    let mut child = start(args);
    let mut stdin = child.stdin.take().unwrap();
    // Fails if the program ends before it reads.
    drop(stdin.write_all(input.as_bytes()).await);
    drop(stdin);
    end(child).await
}

/// Runs the program as `x` with this input. The server accepts it and then runs the script.
pub(crate) async fn served(input: &str, script: impl AsyncFnOnce(Server<TcpStream>)) -> Ended {
    let (listener, address) = listen().await;
    let args = ["--name", "x", &address];
    let serve = async {
        let mut server = Server::accept(&listener).await;
        server.welcome("x").await;
        script(server).await;
    };
    tokio::join!(piped(&args, input), serve).0
}
