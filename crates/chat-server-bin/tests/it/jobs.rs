//! Tests of the program at a terminal, in a shell with job control.

use std::path::Path;

use pty_process::{Command, OwnedReadPty, OwnedWritePty};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    process::Child,
    time::timeout,
};

use crate::{
    program::{PROGRAM, TEST_TIMEOUT},
    support::{Peer, socket_path},
};

/// A shell at a pseudo-terminal. Dropping it kills the shell and the programs at its terminal.
struct Shell {
    reader: OwnedReadPty,
    writer: OwnedWritePty,
    /// Output that [`Shell::expect`] has not consumed.
    output: String,
    child: Child,
}

impl Shell {
    /// Runs a script. `$0` is the program, and `$1` is the address to listen on.
    fn run(script: &str, path: &Path) -> Self {
        let (pty, pts) = pty_process::open().unwrap();
        let address = format!("unix:{}", path.display());
        let command = Command::new("sh").args(["-c", script, PROGRAM, &address]);
        let child = command.kill_on_drop(true).spawn(pts).unwrap();
        let (reader, writer) = pty.into_split();
        Self { reader, writer, output: String::new(), child }
    }

    async fn press(&mut self, keys: &str) {
        timeout(TEST_TIMEOUT, self.writer.write_all(keys.as_bytes()))
            .await
            .expect("the terminal accepts input")
            .unwrap();
    }

    /// Waits for this output, and consumes all output up to its end.
    #[track_caller]
    fn expect(&mut self, expected: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let mut bytes = [0; 4_096];
            loop {
                if let Some(start) = self.output.find(expected) {
                    self.output.drain(..start + expected.len());
                    return;
                }
                let read = timeout(TEST_TIMEOUT / 2, self.reader.read(&mut bytes)).await;
                let Ok(Ok(count @ 1..)) = read else {
                    panic!("timeout at {caller}: no {expected:?} in {:?}", self.output)
                };
                self.output.push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        }
    }
}

/// Joins and leaves, to check that the server serves.
async fn visit(path: &Path) {
    let mut ann = Peer::over(UnixStream::connect(path).await.unwrap()).join("ann").await;
    ann.send("BYE").await;
    ann.expect("BYE").await;
    ann.expect_end().await;
}

#[tokio::test]
async fn a_suspended_server_runs_in_the_background_and_reads_bye_in_the_foreground() {
    let path = socket_path("bg");
    let mut shell = Shell::run(
        r#"set -m; "$0" --listen "$1"; echo suspended; bg; echo goes on; read line; echo "for the shell: $line"
        fg; echo "ended: $?""#,
        &path,
    );
    shell.expect("listening on").await;
    visit(&path).await;
    shell.press("\x1a").await;
    shell.expect("goes on").await;
    visit(&path).await;
    shell.press("BYE\r").await;
    shell.expect("for the shell: BYE").await;
    visit(&path).await;
    shell.press("bye\rBYE\r").await;
    shell.expect("ended: 0").await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_server_started_in_the_background_reads_bye_in_the_foreground() {
    let path = socket_path("fg");
    let mut shell = Shell::run(
        r#"set -m; "$0" --listen "$1" & read line; echo "for the shell: $line"; fg; echo "ended: $?""#,
        &path,
    );
    shell.expect("listening on").await;
    visit(&path).await;
    shell.press("BYE\r").await;
    shell.expect("for the shell: BYE").await;
    visit(&path).await;
    shell.press("BYE\r").await;
    shell.expect("ended: 0").await;
}

#[tokio::test]
async fn ctrl_d_does_not_end_the_reading_of_a_terminal() {
    let path = socket_path("ctrl-d");
    let mut shell = Shell::run(r#""$0" --listen "$1"; echo "ended: $?""#, &path);
    shell.expect("listening on").await;
    shell.press("\x04").await;
    visit(&path).await;
    shell.press("BYE\r").await;
    shell.expect("ended: 0").await;
}

/// `stty tostop` forbids background processes to write.
#[tokio::test]
async fn a_background_server_that_may_not_write_still_serves() {
    let path = socket_path("tostop");
    let mut shell = Shell::run(
        r#"stty tostop; set -m; "$0" --listen "$1"; echo suspended; bg; echo goes on; read line; fg; echo "ended: $?""#,
        &path,
    );
    shell.expect("listening on").await;
    shell.press("\x1a").await;
    shell.expect("goes on").await;
    visit(&path).await;
    shell.press("\r").await;
    visit(&path).await;
    shell.press("BYE\r").await;
    shell.expect("ended: 0").await;
}

/// A terminal that closes sends SIGHUP. Clients receive `BYE`, and the server removes its socket.
#[tokio::test]
async fn a_lost_terminal_stops_the_server_gracefully() {
    let path = socket_path("hangup");
    let mut shell = Shell::run(r#"exec "$0" --listen "$1""#, &path);
    shell.expect("listening on").await;
    let mut ann = Peer::over(UnixStream::connect(&path).await.unwrap()).join("ann").await;
    let Shell { reader, writer, mut child, .. } = shell;
    drop((reader, writer));
    ann.expect("BYE").await;
    drop(ann);
    assert_eq!(timeout(TEST_TIMEOUT, child.wait()).await.expect("it ends").unwrap().code(), Some(0));
    assert!(!path.exists());
}

#[tokio::test]
async fn a_server_under_nohup_outlives_its_terminal() {
    let path = socket_path("nohup");
    let mut shell = Shell::run(r#"trap "" HUP; exec "$0" --listen "$1""#, &path);
    shell.expect("listening on").await;
    let Shell { reader, writer, mut child, .. } = shell;
    drop((reader, writer));
    let pid = rustix::process::Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    visit(&path).await;
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(timeout(TEST_TIMEOUT, child.wait()).await.expect("it ends").unwrap().code(), Some(0));
}
