//! The program: exit codes, outputs, and what it says where there is nothing to judge.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener as StdListener},
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use chat_server::ChatServer;
use tokio::net::TcpListener;

use crate::python::{CLIENT, installed};

fn conform(args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_chat-conform")).args(args).output().unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    (status.code().unwrap(), stdout, stderr)
}

/// Runs it against a server of ours.
async fn judged(args: &[&str]) -> (i32, String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = ChatServer::builder().build();
    tokio::spawn(server.serve(listener).into_future());
    let args: Vec<_> = ["server", &address].iter().chain(args).map(ToString::to_string).collect();
    let run = move || conform(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let ended = tokio::task::spawn_blocking(run).await.unwrap();
    server.cut();
    ended
}

fn file(name: &str, text: &str) -> String {
    let path = std::env::temp_dir().join(format!("chat-conform-{}-{name}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_per_case_and_a_score() {
    let (code, stdout, _) = judged(&["--only", "plain-hello"]).await;
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.starts_with("pass  plain  plain-hello"), "{stdout}");
    assert!(stdout.contains("plain     1 of   1"), "{stdout}");
}

const WRONG: &str = "case wrong plain MUST 4.1\nA> hello\nA< NO\n\ncase right plain MUST 4.1\nA> hello\nA< OK\n\n\
                     case soft plain SHOULD 4.1\nA> hello\nA< NO\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_tells_the_clause_and_the_bytes() {
    let cases = file("wrong.case", WRONG);
    let (code, stdout, _) = judged(&["--cases", &cases]).await;
    assert_eq!(code, 1, "{stdout}");
    for told in [
        "FAIL  plain  wrong",
        "4.1 asks: Each line is a message",
        "      A> hello\\r\\n",
        "    ! A< OK\\r\\n",
        "A: expected \"NO\", got another line",
        "wrong.case:3",
        "pass  plain  right",
        "warn  plain  soft",
        "plain     1 of   2   SHOULD 0 of 1",
    ] {
        assert!(stdout.contains(told), "{told:?} is not in\n{stdout}");
    }
    let (code, stdout, _) = judged(&["--cases", &cases, "--only", "soft", "--strict"]).await;
    assert_eq!(code, 1, "{stdout}");
}

#[tokio::test(flavor = "multi_thread")]
async fn known_failures_are_played_all_the_same() {
    let cases = file("known.case", WRONG);
    let known = file("known.txt", "# Not yet.\nwrong\nright\n");
    let args = ["--cases", &cases, "--known-failing", &known];
    let (code, stdout, _) = judged(&args).await;
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("known plain  wrong") && stdout.contains("fixed plain  right"), "{stdout}");
    assert!(stdout.contains("take it off the list"), "{stdout}");
    let (code, ..) = judged(&[&args[..], &["--strict"]].concat()).await;
    assert_eq!(code, 1);
    let stranger = file("stranger.txt", "nobody\n");
    let (code, _, stderr) = judged(&["--known-failing", &stranger]).await;
    assert!(code == 2 && stderr.contains("no such case: nobody"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_for_machines() {
    let (cases, junit) = (file("machines.case", WRONG), file("junit.xml", ""));
    let (code, stdout, _) = judged(&["--cases", &cases, "--json", "--junit", &junit]).await;
    assert_eq!(code, 1);
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["scores"][0]["passed"], 1);
    assert_eq!(report["cases"][0]["failure"]["clause"], "4.1");
    assert_eq!(report["cases"][0]["failure"]["transcript"][1], "! A< OK\\r\\n");
    let xml = std::fs::read_to_string(&junit).unwrap();
    assert!(xml.contains("tests=\"3\" failures=\"1\""), "{xml}");
    assert!(xml.contains("<failure message=\"4.1: A: expected &quot;NO&quot;, got another line\">"), "{xml}");
}

#[test]
fn the_list_needs_no_server() {
    let (code, stdout, _) = conform(&["server", "--list", "--level", "plain"]);
    assert!(code == 0 && stdout.lines().all(|line| line.starts_with("plain")), "{stdout}");
    assert!(stdout.contains("plain-server-waits"), "{stdout}");
}

/// Ends with code 2 and this word, in less time than it may take.
#[track_caller]
fn not_judged(address: &str, word: &str) {
    let begun = Instant::now();
    let (code, stdout, stderr) = conform(&["server", address, "--timeout", "0.5"]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(stderr.contains(word) && stderr.lines().count() == 1, "{stderr}");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_closed_port() {
    let address = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    not_judged(&address.to_string(), "closed");
    not_judged("nowhere", "no such address");
    let (code, ..) = conform(&["server", "127.0.0.1:1", "--nonsense"]);
    assert_eq!(code, 2);
}

#[test]
fn a_silent_port() {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    not_judged(&listener.local_addr().unwrap().to_string(), "silent");
}

/// A port that answers what is asked with this, once something that `wakes` it has come.
fn answering(wakes: &'static str, answer: &'static str) -> SocketAddr {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut heard, mut buffer) = (String::new(), [0; 1024]);
        while !heard.contains(wakes) {
            let count = stream.read(&mut buffer).unwrap();
            heard.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
        stream.write_all(answer.as_bytes()).unwrap();
    });
    address
}

#[test]
fn what_is_no_chat_server() {
    let http = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    not_judged(&answering("\r\n\r\n", http).to_string(), "HTTP server");
    not_judged(&answering("PROT", "220 mail.example.org\r\n").to_string(), "no chat server");
    not_judged(&answering("PROT", "BYE\r\n").to_string(), "lets nobody in");
}

#[test]
fn a_client_is_started_with_its_address() {
    if !installed() {
        return;
    }
    let client = ["--", "python3", "-B", CLIENT, "--name", "{name}"];
    let (code, stdout, _) = conform(&[&["client", "--only", "client-says", "--timeout", "20"], &client[..]].concat());
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("plain     2 of   2"), "{stdout}");
    let (code, _, stderr) = conform(&["client", "--", "no-such-program"]);
    assert!(code == 2 && stderr.contains("cannot start no-such-program"), "{stderr}");
}

#[test]
fn without_a_command_a_person_is_told_what_to_do() {
    let args = ["client", "--only", "client-says-any", "--wait", "0.3"];
    let (code, _, stderr) = conform(&args);
    assert!(code == 2 && stderr.contains("connect your client to 127.0.0.1:"), "{stderr}");
    assert!(stderr.contains("no client has connected"), "{stderr}");
}

#[test]
fn every_error_says_what_to_do_next() {
    for (args, next) in [
        (&["server", "nowhere"][..], "write HOST:PORT"),
        (&["server", "127.0.0.1:1"], "start the server first"),
        (&["server", "127.0.0.1:1", "--only", "nothing"], "`--list` tells the names"),
        (&["server", "127.0.0.1:1", "--level", "x"], "plain, named or robust"),
        (&["server", "127.0.0.1:1", "--cases", "/nowhere/x"], "name a file of cases"),
        (&["server", "127.0.0.1:1", "--known-failing", "/nowhere/x"], "name a file that is there"),
        (&["client", "--", "/nowhere/x"], "behind `--` stands a command"),
        (&["proxy", "--listen", ":x", "--to", ":2222"], "give another with --listen"),
        (&["class", "/nowhere/x"], "name a file that is there"),
        (&["judge"], "try '--help'"),
    ] {
        let (code, stdout, stderr) = conform(args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
        assert!(stderr.contains(next), "{args:?}: {stderr}");
    }
}
