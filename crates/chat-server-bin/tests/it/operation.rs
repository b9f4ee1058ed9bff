//! Tests of the program in operation: signals under load, limits of descriptors, escapes in the log, and outputs that
//! cannot be written.

use std::process::Command;

use rustix::process::Signal;
use tokio::time::timeout;

use crate::{
    process::Process,
    program::{PROGRAM, TEST_TIMEOUT, start, start_on_free_port, stop, wait_for_stats},
    standard_streams::connect_when_ready,
    support::{Peer, socket_path},
};

/// Clause 6.3: every client receives every acknowledged message.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_under_load_loses_no_acknowledged_message() {
    const TALKERS: usize = 20;
    for signal in [Signal::TERM, Signal::INT] {
        let (mut server, address) = start_on_free_port(&["--rate-limit", "0"]);
        let mut talkers = Vec::new();
        for me in 0..TALKERS {
            talkers.push(Peer::tcp(address).await.join(&format!("t{me}")).await);
        }
        let talkers = talkers.into_iter().enumerate();
        let talkers: Vec<_> = talkers.map(|(me, talker)| tokio::spawn(talker.talk(format!("t{me}"), || {}))).collect();
        let messages_are_sent = async {
            let mut line = String::new();
            while !line.contains("messages=") || line.contains("messages=0 ") {
                line = wait_for_stats(&mut server, "messages=").await;
            }
        };
        timeout(TEST_TIMEOUT, messages_are_sent).await.expect("in time");
        server.signal(signal);
        let mut histories = Vec::new();
        for talker in talkers {
            histories.push(timeout(TEST_TIMEOUT, talker).await.expect("in time").unwrap());
        }
        let (status, _, stderr) = server.end();
        assert_eq!(status.code(), Some(0), "{stderr}");
        println!("{signal:?}: {} messages in each of {TALKERS} histories", histories[0].len());
        assert!(!histories[0].is_empty());
        assert!(histories.iter().all(|history| *history == histories[0]), "all clients see the same messages");
    }
}

#[tokio::test]
async fn input_of_peers_is_escaped_in_the_log() {
    let mut server = start(&["--listen", "127.0.0.1:0", "-vv"]);
    let address = server.address();
    for junk in [
        "\x1b[2Jhi\r\n",
        "PROT 0.1 CONNECT USER \x1b]0;x\x07\r\n",
        "PROT \n\nERROR fake\n",
        "GET /\x1b[31m HTTP/1.1\r\n",
    ] {
        let mut peer = Peer::tcp(address).await;
        peer.raw(junk.as_bytes()).await;
        peer.half_close().await;
        peer.rest().await;
    }
    server.type_line("BYE");
    let (status, _, log) = server.end();
    assert!(status.success());
    for (message, times) in [("connected", 4), ("disconnected", 4), ("started", 1), ("stopped", 1)] {
        let found = log.lines().filter(|line| line.contains(&format!(" {message} "))).count();
        assert_eq!(found, times, "{message}: {log}");
    }
    for line in log.lines() {
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(line.starts_with("20") && line.contains("Z "), "a line without a time: {line:?}");
    }
    assert!(!log.contains("fake"), "{log}");
}

/// Starts the program after these `ulimit` commands.
fn start_limited(ulimit: &str, max_clients: &str) -> Process {
    let mut command = Command::new("sh");
    let script = format!(r#"{ulimit}; exec "$0" --listen 127.0.0.1:0 -q --max-clients {max_clients}"#);
    command.args(["-c", &script, PROGRAM]);
    Process::spawn(command)
}

#[tokio::test]
async fn the_soft_limit_of_descriptors_is_raised() {
    let mut server = start_limited("ulimit -Sn 40; ulimit -Hn 400", "200");
    let address = server.address();
    let mut clients = Vec::new();
    for n in 0..100 {
        clients.push(Peer::tcp(address).await.join(&format!("c{n}")).await);
    }
    drop(clients);
    assert_eq!(stop(server), "", "no warning");
}

#[test]
fn too_few_descriptors_cause_a_warning_at_the_start() {
    let mut server = start_limited("ulimit -n 200", "1000");
    server.address();
    let log = stop(server);
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("LimitNOFILE=") && log.contains("--max-clients"), "the warning says what to do: {log}");
    assert!(log.contains("descriptors=200 clients=167 max_clients=1000"), "{log}");
}

#[tokio::test]
async fn closed_outputs_do_not_stop_the_server() {
    assert_serves("closed", ">&- 2>&-").await;
}

#[tokio::test]
async fn full_outputs_do_not_stop_the_server() {
    if std::path::Path::new("/dev/full").exists() {
        assert_serves("full", ">/dev/full 2>/dev/full").await;
    }
}

/// Asserts that the program serves and stops if its outputs are redirected like this.
async fn assert_serves(name: &str, outputs: &str) {
    let path = socket_path(name);
    let mut command = Command::new("sh");
    command.args(["-c", &format!(r#"exec "$0" --listen "unix:$1" {outputs}"#), PROGRAM]).arg(&path);
    let mut server = Process::spawn(command);
    let mut ann = connect_when_ready(&path).await.join("ann").await;
    ann.send("MSG hi").await;
    ann.expect("OK").await;
    server.type_line("BYE");
    ann.expect("BYE").await;
    drop(ann);
    assert!(server.end().0.success());
}
