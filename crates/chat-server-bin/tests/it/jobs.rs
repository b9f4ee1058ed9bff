//! The program at a terminal, below a shell with job control: who may read what is typed changes while it serves.

use std::path::Path;

use pty_process::{Command, OwnedReadPty, OwnedWritePty};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    process::Child,
    time::timeout,
};

use crate::{
    abuse::{PATIENCE, PROGRAM},
    support::{Peer, socket_path},
};

/// A shell at a pseudo-terminal, and all that it has shown.
struct Shell {
    reader: OwnedReadPty,
    writer: OwnedWritePty,
    shown: String,
    /// Ended with the test, and with it all that is at its terminal.
    _child: Child,
}

impl Shell {
    /// Runs a script in which `$0` is the program, and `$1` where it is to listen.
    fn run(script: &str, path: &Path) -> Self {
        let (pty, pts) = pty_process::open().unwrap();
        let address = format!("unix:{}", path.display());
        let command = Command::new("sh").args(["-c", script, PROGRAM, &address]);
        let child = command.kill_on_drop(true).spawn(pts).unwrap();
        let (reader, writer) = pty.into_split();
        Self { reader, writer, shown: String::new(), _child: child }
    }

    async fn press(&mut self, keys: &str) {
        timeout(PATIENCE, self.writer.write_all(keys.as_bytes())).await.expect("time to type").unwrap();
    }

    /// Waits until this is shown, behind all that was waited for before.
    #[track_caller]
    fn until(&mut self, wanted: &str) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let mut bytes = [0; 4_096];
            loop {
                if let Some(at) = self.shown.find(wanted) {
                    self.shown.drain(..at + wanted.len());
                    return;
                }
                let read = timeout(PATIENCE / 2, self.reader.read(&mut bytes)).await;
                let Ok(Ok(count @ 1..)) = read else { panic!("{wanted:?} awaited at {place}: {:?}", self.shown) };
                self.shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        }
    }
}

/// Somebody who comes, is served, and goes.
async fn visit(path: &Path) {
    let mut ann = Peer::over(UnixStream::connect(path).await.unwrap()).join("ann").await;
    ann.send("BYE").await;
    ann.expect("BYE").await;
    ann.expect_end().await;
}

#[tokio::test]
async fn suspended_it_goes_on_in_the_background_and_hears_bye_in_front_again() {
    let path = socket_path("bg");
    let mut shell = Shell::run(
        r#"set -m; "$0" --listen "$1"; echo suspended; bg; echo goes on; read line; echo "for the shell: $line"
        fg; echo "ended: $?""#,
        &path,
    );
    shell.until("listening on").await;
    visit(&path).await;
    shell.press("\x1a").await;
    shell.until("goes on").await;
    visit(&path).await;
    shell.press("BYE\r").await;
    shell.until("for the shell: BYE").await;
    visit(&path).await;
    shell.press("bye\rBYE\r").await;
    shell.until("ended: 0").await;
    assert!(!path.exists());
}

#[tokio::test]
async fn started_in_the_background_it_hears_bye_once_it_is_in_front() {
    let path = socket_path("fg");
    let mut shell = Shell::run(
        r#"set -m; "$0" --listen "$1" & read line; echo "for the shell: $line"; fg; echo "ended: $?""#,
        &path,
    );
    shell.until("listening on").await;
    visit(&path).await;
    shell.press("BYE\r").await;
    shell.until("for the shell: BYE").await;
    visit(&path).await;
    shell.press("BYE\r").await;
    shell.until("ended: 0").await;
}

#[tokio::test]
async fn the_end_of_typing_is_not_the_end_of_the_terminal() {
    let path = socket_path("ctrl-d");
    let mut shell = Shell::run(r#""$0" --listen "$1"; echo "ended: $?""#, &path);
    shell.until("listening on").await;
    shell.press("\x04").await;
    visit(&path).await;
    shell.press("BYE\r").await;
    shell.until("ended: 0").await;
}

/// A shell with `stty tostop` lets nobody write from the background. It is to serve all the same.
#[tokio::test]
async fn where_the_background_may_not_write_it_serves_without_a_word() {
    let path = socket_path("tostop");
    let mut shell = Shell::run(
        r#"stty tostop; set -m; "$0" --listen "$1"; echo suspended; bg; echo goes on; read line; fg; echo "ended: $?""#,
        &path,
    );
    shell.until("listening on").await;
    shell.press("\x1a").await;
    shell.until("goes on").await;
    visit(&path).await;
    shell.press("\r").await;
    visit(&path).await;
    shell.press("BYE\r").await;
    shell.until("ended: 0").await;
}

/// A terminal that goes sends SIGHUP: clients are told, and the path is free.
#[tokio::test]
async fn a_terminal_that_goes_ends_it_gracefully() {
    let path = socket_path("hangup");
    let mut shell = Shell::run(r#"exec "$0" --listen "$1""#, &path);
    shell.until("listening on").await;
    let mut ann = Peer::over(UnixStream::connect(&path).await.unwrap()).join("ann").await;
    let Shell { reader, writer, _child: mut child, .. } = shell;
    drop((reader, writer));
    ann.expect("BYE").await;
    drop(ann);
    assert_eq!(timeout(PATIENCE, child.wait()).await.expect("it ends").unwrap().code(), Some(0));
    assert!(!path.exists());
}

#[tokio::test]
async fn after_nohup_it_outlives_its_terminal() {
    let path = socket_path("nohup");
    let mut shell = Shell::run(r#"trap "" HUP; exec "$0" --listen "$1""#, &path);
    shell.until("listening on").await;
    let Shell { reader, writer, _child: mut child, .. } = shell;
    drop((reader, writer));
    let pid = rustix::process::Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    visit(&path).await;
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(timeout(PATIENCE, child.wait()).await.expect("it ends").unwrap().code(), Some(0));
}
