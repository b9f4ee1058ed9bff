//! Tests of the standard streams: junk on stdin, and readers of stdout and stderr that are slow, late or absent.

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
    process::Process,
    program::{PROGRAM, TEST_TIMEOUT, memory_kib, stop},
    support::{Peer, socket_path},
};

/// The command that starts the program without limits per address: all clients of a test have the same address.
fn command(listen: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["--listen", listen, "--rate-limit", "0", "--connect-rate", "0"]);
    command
}

/// Waits until the server listens, and connects. For tests that do not read stdout.
pub(crate) async fn connect_when_ready(path: &Path) -> Peer {
    let connected = async {
        loop {
            match tokio::net::UnixStream::connect(path).await {
                Ok(stream) => break Peer::over(stream),
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    timeout(TEST_TIMEOUT, connected).await.expect("the server listens")
}

fn set_nonblocking(writer: &PipeWriter, is_nonblocking: bool) {
    let flags = fcntl_getfl(writer).unwrap();
    let flags = if is_nonblocking { flags | OFlags::NONBLOCK } else { flags & !OFlags::NONBLOCK };
    fcntl_setfl(writer, flags).unwrap();
}

/// A pipe whose buffer is full.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = io::pipe().unwrap();
    set_nonblocking(&writer, true);
    while writer.write(&[b'x'; 4_096]).is_ok() {}
    while writer.write(b"x").is_ok() {}
    set_nonblocking(&writer, false);
    (reader, writer)
}

#[test]
fn bye_is_found_among_bytes_that_are_not_utf_8() {
    let mut server = Process::spawn(command("127.0.0.1:0"));
    server.address();
    server.type_bytes(b"caf\xe9\n\0\xff\xfe\r\n");
    server.type_bytes(b"BYE\n");
    assert!(server.end().0.success());
}

#[tokio::test]
async fn an_endless_line_on_stdin_is_cheap_and_no_longer_read() {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"ulimit -v 1500000; exec "$0" --listen 127.0.0.1:0 -q < /dev/zero"#, PROGRAM]);
    let (mut stderr, writer) = io::pipe().unwrap();
    let mut server = Process::spawn_with(shell, Stdio::piped(), writer);
    let address = server.address();
    let mut log = [0; 4_096];
    let count = stderr.read(&mut log).unwrap();
    let log = String::from_utf8_lossy(&log[..count]);
    assert!(log.contains("endless line"), "{log}");
    let peak = memory_kib(&server, "VmHWM");
    println!("{peak} KiB");
    assert!(peak < 100_000, "{peak} KiB");
    drop(Peer::tcp(address).await.join("ann").await);
    stop(server);
}

#[tokio::test]
async fn a_server_whose_stdout_is_not_read_serves_and_stops() {
    let path = socket_path("stdout");
    let (_reader, writer) = full_pipe();
    let server = Process::spawn_with(command(&format!("unix:{}", path.display())), writer, Stdio::piped());
    let mut ann = connect_when_ready(&path).await.join("ann").await;
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

#[test]
fn an_error_at_the_start_does_not_wait_for_stderr() {
    let (_reader, writer) = full_pipe();
    let server = Process::spawn_with(command("192.0.2.1:2222"), Stdio::piped(), writer);
    assert_eq!(server.end().0.code(), Some(2));
}

/// When the test reads the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reading {
    /// Some of it during the sessions, and the rest after the signal to stop.
    Slowly,
    /// After the signal to stop.
    AtTheEnd,
    /// After the end of the server.
    Afterwards,
}

/// Number of sessions. Each causes three records.
const SESSIONS: usize = 3_000;
/// Number of other records: started, stopping, connections ended, stopped.
const OTHER_RECORDS: usize = 4;

/// The server does not wait for the reader of its log. It writes each record, or reports in a later one that it is lost.
#[tokio::test]
async fn each_log_record_is_written_or_counted_as_lost() {
    for (is_nonblocking, read) in [
        (false, Reading::AtTheEnd),
        (false, Reading::Slowly),
        (false, Reading::Afterwards),
        (true, Reading::AtTheEnd),
        (true, Reading::Slowly),
        (true, Reading::Afterwards),
    ] {
        let (status, log) = run_sessions(is_nonblocking, read).await;
        assert!(status.success());
        let (reports, written): (Vec<_>, Vec<_>) = log.lines().partition(|line| line.contains("lost records"));
        let lost = reports.iter().map(|line| line.rsplit_once("records=").unwrap().1.parse::<usize>().unwrap());
        let (lost, times) = (lost.sum::<usize>(), reports.len());
        println!(
            "non-blocking: {is_nonblocking}, read {read:?}: {} written, {lost} lost in {times} reports",
            written.len()
        );
        assert!(written.iter().all(|line| line.starts_with("20") && line.contains("Z  INFO ")), "whole records");
        assert_eq!(written.len() + lost, 3 * SESSIONS + OTHER_RECORDS, "non-blocking: {is_nonblocking}, read {read:?}");
        assert!(lost > 0, "no record was lost, so the test shows nothing");
    }
}

/// Runs the sessions. Returns the exit status and the log.
async fn run_sessions(is_nonblocking: bool, read: Reading) -> (ExitStatus, String) {
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
