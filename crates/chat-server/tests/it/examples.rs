//! Runs the examples, and checks that they do what they document. `cargo test` builds them.

use std::path::PathBuf;

use crate::{process::Process, support::Peer};

fn start(example: &str) -> Process {
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.extend(["examples", example]);
    path.set_extension(std::env::consts::EXE_EXTENSION);
    Process::start(path, &[])
}

#[cfg(unix)]
#[tokio::test]
async fn embed_serves_until_interrupted() {
    let mut example = start("embed");
    let mut ann = Peer::tcp(example.address()).await.join("ann").await;
    ann.send("MSG hi").await;
    ann.expect("OK").await;
    example.signal(rustix::process::Signal::INT);
    ann.expect("BYE").await;
    drop(ann);
    let (status, stdout, _) = example.end();
    assert!(status.success());
    assert_eq!(stdout, "1 drained, 0 cut\n");
}

#[tokio::test]
async fn bot_greets_answers_and_stops() {
    let mut example = start("bot");
    let mut ann = Peer::tcp(example.address()).await.join("ann").await;
    ann.expect("FROM bot MSG welcome, ann").await;
    ann.send("MSG !time").await;
    ann.expect("OK").await;
    assert!(ann.line().await.starts_with("FROM bot MSG open for "));
    ann.send("MSG !stop").await;
    ann.expect("OK").await;
    ann.expect("LOGOUT bot").await;
    ann.expect("BYE").await;
    drop(ann);
    assert!(example.end().0.success());
}

#[cfg(unix)]
#[tokio::test]
async fn policy_admits_a_local_admin_and_refuses_words() {
    let mut example = start("policy");
    let address = example.address();
    // The name is allowed, because the client is on this machine.
    let mut admin = Peer::tcp(address).await.join("admin").await;
    admin.send("MSG what an oaf").await;
    admin.expect("BAD REQ").await;
    admin.send("MSG what a loaf").await;
    admin.expect("OK").await;
    example.signal(rustix::process::Signal::INT);
    admin.expect("BYE").await;
    drop(admin);
    assert!(example.end().0.success());
}

#[test]
fn streams_serves_memory_and_a_unix_socket() {
    let (status, stdout, stderr) = start("streams").end();
    assert!(status.success(), "{stderr}");
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!(lines[0], "memory: NAME OK | WELCOME | OK | BYE");
    if cfg!(unix) {
        assert_eq!(lines[1], "unix: NAME OK | WELCOME | OK | BYE");
    }
}

#[test]
fn demo_plays_its_script() {
    let (status, stdout, stderr) = start("demo").end();
    assert!(status.success(), "{stderr}");
    assert!(stdout.ends_with("ann < BYE\nbob < BYE\n\nthe server has stopped: 0 cut\n"), "{stdout}");
}

#[tokio::test]
async fn alongside_counts_every_message() {
    let mut example = start("alongside");
    let mut ann = Peer::tcp(example.address()).await.join("ann").await;
    ann.send("MSG hi").await;
    let received = ann.rest().await;
    assert!(
        received.contains("FROM counter MSG 10 of 10\r\nLOGOUT counter\r\n") && received.ends_with("BYE\r\n"),
        "{received}"
    );
    drop(ann);
    let (status, stdout, _) = example.end();
    assert!(status.success());
    assert_eq!(stdout, "11 messages\n");
}

#[test]
fn auth_gives_each_user_their_own_name() {
    let (status, stdout, stderr) = start("auth").end();
    assert!(status.success(), "{stderr}");
    let expected = "ann: NAME OK, WELCOME\nbob: NAME FAILURE, NAME REQ\nmallory: BYE\neve: no such token\n";
    assert_eq!(stdout, expected);
}

#[tokio::test]
async fn rooms_repeats_messages_of_the_hall_in_other_rooms() {
    let mut example = start("rooms");
    let [hall, tea, _] = [(); 3].map(|()| example.address());
    let mut ann = Peer::tcp(hall).await.join("ann").await;
    let mut bob = Peer::tcp(tea).await.join("bob").await;
    ann.send("MSG tea is ready").await;
    ann.expect("OK").await;
    bob.expect("NOTICE ann: tea is ready").await;
    ann.send("MSG !stop").await;
    bob.expect("BYE").await;
    drop((ann, bob));
    assert!(example.end().0.success());
}
