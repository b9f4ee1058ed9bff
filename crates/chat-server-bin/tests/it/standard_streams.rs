//! The program's standard streams, whatever is behind them: junk, nobody, or somebody slow.

use std::{
    io::{self, PipeReader, PipeWriter, Read, Write},
    path::Path,
    process::{Command, ExitStatus, Stdio},
};

use rustix::{
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    process::Signal,
};
use tokio::time::timeout;

use crate::{
    abuse::{PATIENCE, PROGRAM, kib},
    process::Process,
    support::{Peer, socket_path},
};

fn command(listen: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    // One address is everybody here.
    command.args(["--listen", listen, "--rate-limit", "0", "--connect-rate", "0"]);
    command
}

/// A connection to a server that has no way to say that it listens.
pub(crate) async fn once_it_listens(path: &Path) -> Peer {
    let connected = async {
        loop {
            match tokio::net::UnixStream::connect(path).await {
                Ok(stream) => break Peer::over(stream),
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    timeout(PATIENCE, connected).await.expect("it listens")
}

fn set_nonblocking(writer: &PipeWriter, is_nonblocking: bool) {
    let flags = fcntl_getfl(writer).unwrap();
    let flags = if is_nonblocking { flags | OFlags::NONBLOCK } else { flags & !OFlags::NONBLOCK };
    fcntl_setfl(writer, flags).unwrap();
}

/// A pipe that takes nothing more.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = io::pipe().unwrap();
    set_nonblocking(&writer, true);
    while writer.write(&[b'x'; 4_096]).is_ok() {}
    while writer.write(b"x").is_ok() {}
    set_nonblocking(&writer, false);
    (reader, writer)
}

#[test]
fn bye_is_heard_among_bytes_that_are_no_text() {
    let mut server = Process::spawn(command("127.0.0.1:0"));
    server.address();
    server.type_bytes(b"caf\xe9\n\0\xff\xfe\r\n");
    server.type_bytes(b"BYE\n");
    assert!(server.end().0.success());
}

#[tokio::test]
async fn an_endless_line_on_stdin_costs_little_and_is_given_up() {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"ulimit -v 1500000; exec "$0" --listen 127.0.0.1:0 -q < /dev/zero"#, PROGRAM]);
    let (mut stderr, writer) = io::pipe().unwrap();
    let mut server = Process::spawn_with(shell, Stdio::piped(), writer);
    let address = server.address();
    let mut said = [0; 4_096];
    let count = stderr.read(&mut said).unwrap();
    let said = String::from_utf8_lossy(&said[..count]);
    assert!(said.contains("endless line"), "{said}");
    let most = kib(&server, "VmHWM");
    println!("{most} KiB");
    assert!(most < 100_000, "{most} KiB");
    drop(Peer::tcp(address).await.join("ann").await);
    server.signal(Signal::TERM);
    assert!(server.end().0.success());
}

#[tokio::test]
async fn a_stdout_that_nobody_reads_does_not_keep_it_from_serving_and_stopping() {
    let path = socket_path("stdout");
    let (_reader, writer) = full_pipe();
    let server = Process::spawn_with(command(&format!("unix:{}", path.display())), writer, Stdio::piped());
    let mut ann = once_it_listens(&path).await.join("ann").await;
    for _ in 0..20 {
        server.signal(Signal::USR1);
    }
    ann.send("MSG hi").await;
    ann.expect("OK").await;
    server.signal(Signal::TERM);
    ann.expect("BYE").await;
    drop(ann);
    assert!(server.end().0.success());
    assert!(!path.exists());
}

/// A server that fails to start has only one thing to say.
#[test]
fn an_error_at_the_start_does_not_wait_for_stderr() {
    let (_reader, writer) = full_pipe();
    let server = Process::spawn_with(command("192.0.2.1:2222"), Stdio::piped(), writer);
    assert_eq!(server.end().0.code(), Some(2));
}

/// When the log is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reading {
    /// A little at a time, and all of it when the server is told to stop.
    Slowly,
    /// When the server is told to stop.
    AtTheEnd,
    /// When it has ended.
    Afterwards,
}

/// Sessions that make three records each.
const SESSIONS: usize = 3_000;
/// And those around them: started, stopping, ended by one reason, stopped.
const AROUND: usize = 4;

/// Everybody who connects causes records. Those that a slow reader of the log does not take are lost, and nobody waits for it;
/// each of them is written, or counted in a record that is.
#[tokio::test]
async fn each_record_is_written_or_told_as_lost() {
    for (is_nonblocking, read) in [
        (false, Reading::AtTheEnd),
        (false, Reading::Slowly),
        (false, Reading::Afterwards),
        (true, Reading::AtTheEnd),
        (true, Reading::Slowly),
        (true, Reading::Afterwards),
    ] {
        let (status, log) = logged(is_nonblocking, read).await;
        assert!(status.success());
        let (told, written): (Vec<_>, Vec<_>) = log.lines().partition(|line| line.contains("lost records"));
        let lost = told.iter().map(|line| line.rsplit_once("records=").unwrap().1.parse::<usize>().unwrap());
        let (lost, times) = (lost.sum::<usize>(), told.len());
        println!(
            "non-blocking: {is_nonblocking}, read {read:?}: {} written, {lost} lost, told {times} times",
            written.len()
        );
        assert!(written.iter().all(|line| line.starts_with("20") && line.contains("Z  INFO ")), "whole records");
        assert_eq!(written.len() + lost, 3 * SESSIONS + AROUND, "non-blocking: {is_nonblocking}, read {read:?}");
        assert!(lost > 0, "somebody has read the log");
    }
}

async fn logged(is_nonblocking: bool, read: Reading) -> (ExitStatus, String) {
    let (mut reader, writer) = io::pipe().unwrap();
    set_nonblocking(&writer, is_nonblocking);
    let mut server = Process::spawn_with(command("127.0.0.1:0"), Stdio::piped(), writer);
    let address = server.address();
    let mut log = Vec::new();
    for session in 0..SESSIONS {
        let mut peer = Peer::tcp(address).await.join("ann").await;
        peer.send("BYE").await;
        peer.expect("BYE").await;
        peer.expect_end().await;
        if read == Reading::Slowly && session % 20 == 19 {
            let mut piece = [0; 512];
            let count = reader.read(&mut piece).unwrap();
            log.extend_from_slice(&piece[..count]);
        }
    }
    server.signal(Signal::TERM);
    if read != Reading::Afterwards {
        reader.read_to_end(&mut log).unwrap();
    }
    let status = server.end().0;
    reader.read_to_end(&mut log).unwrap();
    (status, String::from_utf8(log).unwrap())
}
