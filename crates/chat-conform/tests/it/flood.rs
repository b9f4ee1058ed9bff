//! Peers that never stop sending: they cost the judge neither memory nor time, and the report shows what they did.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use chat_conform::{Suite, Transcript, play, read};
use tokio::time::{Instant, timeout};

use crate::python::installed;

/// Longer than anything takes that ends.
const PATIENCE: Duration = Duration::from_secs(50);
/// What does not come within this does not come.
const SHORT: Duration = Duration::from_millis(200);
/// The most memory for data that the program may have, in KiB.
const MOST_KIB: &str = "100000";

/// A server that sends `line` to everybody, for ever, and reads nothing.
fn endless(line: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || {
                let (mut stream, lines) = (stream.unwrap(), line.repeat(4_096));
                while stream.write_all(lines.as_bytes()).is_ok() {}
            });
        }
    });
    address
}

/// Runs the program within [`MOST_KIB`]; it is killed if it does not end.
fn conform(args: &[&str]) -> Output {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        r#"ulimit -d "$0"; exec timeout -s KILL 50 "$@""#,
        MOST_KIB,
        env!("CARGO_BIN_EXE_chat-conform"),
    ]);
    let output = command.args(args).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.code().is_some_and(|code| code < 100), "{args:?}: {:?}", output.status);
    output
}

fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("chat-flood-{}-{name}", std::process::id()))
}

/// The transcript of a failed case, which is short and has a wrong line.
#[track_caller]
fn is_short(transcript: &Transcript) -> Vec<String> {
    let lines: Vec<_> = transcript.lines().collect();
    assert!(lines.len() < 200, "{} lines", lines.len());
    assert!(lines.iter().any(|line| line.starts_with('!')), "{lines:?}");
    lines
}

#[tokio::test]
async fn a_server_that_never_stops_does_not_push_the_deadline() {
    let text = "case a plain MUST 4.1\nA> hello\nA< OK\n\ncase b plain MUST 4.1\nA> hello\nA<nothing 200ms\nA< OK\n\n\
                case c plain MUST 4.1\nA> hello\nA<EOF\n\ncase d named MUST 5.2\nA joins ann\nB joins bob\nA<order 3 B\n";
    for line in ["JOIN x\r\n", "PING\r\n", "FROM x MSG y\r\n", "LIST CLIENTS 99999999 a b\r\n"] {
        let address = endless(line);
        for case in read("flood", text).unwrap() {
            let begun = Instant::now();
            let played = timeout(PATIENCE, play(address, SHORT, &case, 1)).await.expect("it ends");
            let lines = is_short(&played.unwrap_err().transcript);
            assert!(lines.iter().any(|shown| shown.contains(line.trim_end())), "{lines:?}");
            assert!(begun.elapsed() < Duration::from_secs(10), "{line:?}: {:?}", begun.elapsed());
        }
    }
}

#[test]
fn a_server_that_never_stops_takes_no_memory() {
    let (address, junit) = (endless("JOIN x\r\n").to_string(), path("junit.xml"));
    let junit_arg = junit.to_str().unwrap();
    let args = ["server", &address, "--timeout", "0.05", "--only", "plain-", "--json", "--junit", junit_arg];
    let output = conform(&args);
    assert_eq!(output.status.code(), Some(1));
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.contains(" more lines\"") && report.len() < 500_000, "{} bytes", report.len());
    assert!(std::fs::read(junit).unwrap().len() < 500_000);
}

#[test]
fn a_class_of_servers_that_never_stop_takes_no_memory() {
    let (table, page) = (path("class.csv"), path("page.html"));
    let rows = format!(
        "ann,{}
bob,{}
",
        endless(
            "JOIN x
"
        ),
        endless(
            "JOIN x
"
        )
    );
    std::fs::write(&table, rows).unwrap();
    let files = [table.to_str().unwrap(), "--html", page.to_str().unwrap()];
    let output = conform(&[&["class"], &files[..], &["--timeout", "0.01", "--level", "plain"]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(std::fs::read(page).unwrap().len() < 5_000_000);
}

/// A client that logs in, and then prints or sends without end.
const CLIENT: &str = r#"
import socket, sys
kind, (host, port) = sys.argv[1], sys.argv[-1].rsplit(":", 1)
server = socket.create_connection((host, int(port)))
server.sendall(b"PROT 0.1 CONNECT USER bob\r\n")
while kind == "prints":
    print("y" * 1000)
while kind == "complains":
    print("y" * 1000, file=sys.stderr)
while kind == "sends":
    server.sendall(b"PONG\r\n" * 1000)
while kind == "talks":
    server.sendall(b"MSG hi\r\n" * 1000)
"#;

#[test]
fn a_client_that_never_stops_takes_neither_memory_nor_time() {
    if !installed() {
        return;
    }
    let text = "client a plain MUST 7.1\nS login\nS> FROM ann MSG hello\nO< hello\n\n\
                client b plain MUST 7.1\nS login\nO<not \"hello\"\nT> hi\nS<said hi\nS<EOF\n";
    let cases = path("clients.case");
    std::fs::write(&cases, text).unwrap();
    for kind in ["prints", "complains", "sends", "talks"] {
        let args =
            ["client", "--cases", cases.to_str().unwrap(), "--timeout", "1", "--", "python3", "-c", CLIENT, kind];
        let begun = Instant::now();
        let output = conform(&args);
        let report = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{kind}: {report}");
        assert!(report.len() < 100_000, "{kind}: {} bytes", report.len());
        assert!(begun.elapsed() < Duration::from_secs(20), "{kind}: {:?}", begun.elapsed());
        let says = if ["sends", "talks"].contains(&kind) { "S< " } else { "has printed more than" };
        assert!(report.contains(says), "{kind}: {report}");
    }
}

#[test]
fn a_file_without_an_end_is_not_read() {
    let output = conform(&["server", "localhost:1", "--cases", "/dev/zero"]);
    let why = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && why.contains("more than 16777216 bytes"), "{why}");
}

#[test]
fn what_a_proxy_saves_has_a_limit_and_can_be_read_again() {
    const MOST: u64 = 16 * 1024 * 1024;
    let saved = std::env::temp_dir().join(format!("chat-flood-{}-saved.case", std::process::id()));
    let line = format!("NEWS {}\r\n", "x".repeat(8_000));
    let server = endless(line.leak()).to_string();
    let args = ["proxy", "--listen", ":0", "--to", &server, "--connections", "1", "--save", saved.to_str().unwrap()];
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-conform"));
    let mut proxy = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = io::BufReader::new(proxy.stdout.take().unwrap());
    let mut address = String::new();
    io::BufRead::read_line(&mut told, &mut address).unwrap();
    let address = address.trim_end().strip_prefix("listening on ").unwrap();
    thread::spawn(move || io::copy(&mut told, &mut io::sink()));
    // It ends when its client has seen enough.
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"hi\r\n").unwrap();
    io::copy(&mut Read::by_ref(&mut client).take(MOST * 3 / 2), &mut io::sink()).unwrap();
    drop(client);
    let ended = proxy.wait_with_output().unwrap();
    let why = String::from_utf8(ended.stderr).unwrap();
    assert!(why.contains("no longer saved") && why.lines().count() == 1, "{why}");
    let length = std::fs::metadata(&saved).unwrap().len();
    assert!(length > MOST / 2 && length <= MOST, "{length} bytes");
    assert!(Suite::of_file(&saved).is_ok());
    std::fs::remove_file(saved).unwrap();
}
