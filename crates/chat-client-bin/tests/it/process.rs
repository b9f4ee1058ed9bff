//! Runs the program as a child process.

use std::{ffi::OsStr, process::Stdio};

use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    process::{Child, Command},
};

use crate::scripted_server::{Server, listen, within};

/// The outcome of a run.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Environment variables that hide the settings of this machine.
pub(crate) fn hermetic() -> impl Iterator<Item = (&'static str, &'static str)> {
    [("XDG_CONFIG_HOME", "/nowhere"), ("XDG_STATE_HOME", "/dev/null"), ("TZ", "UTC")].into_iter()
}

/// Starts the program with pipes.
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

/// Waits until the program ends.
pub(crate) async fn end(child: Child) -> Ended {
    let ended = within(child.wait_with_output()).await.unwrap();
    let [stdout, stderr] = [ended.stdout, ended.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(!stderr.contains("panicked"), "{stderr}");
    Ended { code: ended.status.code(), stdout, stderr }
}

/// Runs the program with this input until it ends.
pub(crate) async fn piped(args: &[&str], input: &str) -> Ended {
    let mut child = start(args);
    let mut stdin = child.stdin.take().unwrap();
    // Fails if the program ends before it reads.
    drop(stdin.write_all(input.as_bytes()).await);
    drop(stdin);
    end(child).await
}

/// Runs the program as client `x` with these flags and this input, against a server that accepts the login and then runs
/// the script.
pub(crate) async fn served(flags: &[&str], input: &str, script: impl AsyncFnOnce(Server<TcpStream>)) -> Ended {
    let (listener, address) = listen().await;
    let args = [flags, &["--name", "x", &address]].concat();
    let serve = async {
        let mut server = Server::accept(&listener).await;
        server.welcome("x").await;
        script(server).await;
    };
    tokio::join!(piped(&args, input), serve).0
}
