//! Peers that never stop sending. The judge must stay within its memory and its timeouts, and report what they sent.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use chat_conform::{ServerOptions, Suite, Transcript, play, read};
use tokio::time::{Instant, timeout};

use crate::python::python_installed;

/// Longer than any test takes.
const TEST_TIMEOUT: Duration = Duration::from_secs(50);
/// How long the judge waits for each line.
const LINE_TIMEOUT: Duration = Duration::from_millis(200);
/// The memory limit of the program, in KiB.
const MAX_MEMORY_KIB: &str = "100000";

/// Starts a server that sends `line` to each client forever and reads nothing.
fn endless_server(line: &'static str) -> SocketAddr {
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

/// Runs the program with the memory limit [`MAX_MEMORY_KIB`]. Kills it after 50 seconds.
fn run_judge(args: &[&str]) -> Output {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        r#"ulimit -d "$0"; exec timeout -s KILL 50 "$@""#,
        MAX_MEMORY_KIB,
        env!("CARGO_BIN_EXE_chat-conform"),
    ]);
    let output = command.args(args).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.code().is_some_and(|code| code < 100), "{args:?}: {:?}", output.status);
    output
}

fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("chat-flood-{}-{name}", std::process::id()))
}

/// Checks that the transcript is short and marks a wrong line. Returns its lines.
#[track_caller]
fn short_lines(transcript: &Transcript) -> Vec<String> {
    let lines: Vec<_> = transcript.lines().collect();
    assert!(lines.len() < 200, "{} lines", lines.len());
    assert!(lines.iter().any(|line| line.starts_with('!')), "{lines:?}");
    lines
}

#[tokio::test]
async fn a_server_that_never_stops_sending_cannot_postpone_the_deadline() {
    let text = "case a plain MUST 4.1\nA> hello\nA< OK\n\ncase b plain MUST 4.1\nA> hello\nA<nothing 200ms\nA< OK\n\n\
                case c plain MUST 4.1\nA> hello\nA<EOF\n\n\
                case d named MUST 5.2\nA joins ann\nB joins bob\nA<order 3 B\n";
    for line in ["JOIN x\r\n", "PING\r\n", "FROM x MSG y\r\n", "LIST CLIENTS 99999999 a b\r\n"] {
        let address = endless_server(line);
        for case in read("flood", text).unwrap() {
            let started = Instant::now();
            let played = timeout(TEST_TIMEOUT, play(address, ServerOptions::new(LINE_TIMEOUT), &case, 1))
                .await
                .expect("play ends in time");
            let transcript = played.unwrap_err().transcript;
            short_lines(&transcript);
            let lines: Vec<_> = transcript.all_lines().collect();
            assert!(lines.iter().any(|shown| shown.contains(line.trim_end())), "{lines:?}");
            assert!(started.elapsed() < Duration::from_secs(10), "{line:?}: {:?}", started.elapsed());
        }
    }
}

#[test]
fn a_server_that_never_stops_sending_cannot_fill_the_memory() {
    let (address, junit) = (endless_server("JOIN x\r\n").to_string(), path("junit.xml"));
    let junit_arg = junit.to_str().unwrap();
    let args = ["server", &address, "--timeout", "0.05", "--only", "plain-", "--json", "--junit", junit_arg];
    let output = run_judge(&args);
    assert_eq!(output.status.code(), Some(1));
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.contains(" more lines\"") && report.len() < 500_000, "{} bytes", report.len());
    assert!(std::fs::read(junit).unwrap().len() < 500_000);
}

#[test]
fn a_class_of_servers_that_never_stop_sending_cannot_fill_the_memory() {
    let (table, page) = (path("class.csv"), path("page.html"));
    let rows = format!("ann,{}\nbob,{}\n", endless_server("JOIN x\n"), endless_server("JOIN x\n"));
    std::fs::write(&table, rows).unwrap();
    let files = [table.to_str().unwrap(), "--html", page.to_str().unwrap()];
    let output = run_judge(&[&["class"], &files[..], &["--timeout", "0.01", "--level", "plain"]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(std::fs::read(page).unwrap().len() < 5_000_000);
}

/// A client that logs in, and then prints or sends forever.
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
fn a_client_that_never_stops_cannot_fill_the_memory_or_postpone_the_deadline() {
    if !python_installed() {
        return;
    }
    let text = "client a plain MUST 7.1\nS login\nS> FROM ann MSG hello\nO< hello\n\n\
                client b plain MUST 7.1\nS login\nO<not \"hello\"\nT> hi\nS<said hi\nS<EOF\n";
    let cases = path("clients.case");
    std::fs::write(&cases, text).unwrap();
    for kind in ["prints", "complains", "sends", "talks"] {
        let args =
            ["client", "--cases", cases.to_str().unwrap(), "--timeout", "1", "--", "python3", "-c", CLIENT, kind];
        let started = Instant::now();
        let output = run_judge(&args);
        let report = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{kind}: {report}");
        assert!(report.len() < 100_000, "{kind}: {} bytes", report.len());
        assert!(started.elapsed() < Duration::from_secs(20), "{kind}: {:?}", started.elapsed());
        let expected = if ["sends", "talks"].contains(&kind) { "S< " } else { "has printed more than" };
        assert!(report.contains(expected), "{kind}: {report}");
    }
}

#[test]
fn an_endless_file_is_refused() {
    let output = run_judge(&["server", "localhost:1", "--cases", "/dev/zero"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && error.contains("more than 16777216 bytes"), "{error}");
}

#[test]
fn a_saved_case_has_a_size_limit_and_can_be_read() {
    const MAX_BYTES: u64 = 16 * 1024 * 1024;
    let saved = std::env::temp_dir().join(format!("chat-flood-{}-saved.case", std::process::id()));
    let line = format!("NEWS {}\r\n", "x".repeat(8_000));
    let server = endless_server(line.leak()).to_string();
    let args = ["proxy", "--listen", ":0", "--to", &server, "--connections", "1", "--save", saved.to_str().unwrap()];
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-conform"));
    let mut proxy = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = io::BufReader::new(proxy.stdout.take().unwrap());
    let mut address = String::new();
    io::BufRead::read_line(&mut stdout, &mut address).unwrap();
    let address = address.trim_end().strip_prefix("listening on ").unwrap();
    thread::spawn(move || io::copy(&mut stdout, &mut io::sink()));
    // The proxy exits when this client, its only one, has closed.
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"hi\r\n").unwrap();
    io::copy(&mut Read::by_ref(&mut client).take(MAX_BYTES * 3 / 2), &mut io::sink()).unwrap();
    drop(client);
    let output = proxy.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("no longer saved") && error.lines().count() == 1, "{error}");
    let length = std::fs::metadata(&saved).unwrap().len();
    assert!(length > MAX_BYTES / 2 && length <= MAX_BYTES, "{length} bytes");
    assert!(Suite::from_file(&saved).is_ok());
    std::fs::remove_file(saved).unwrap();
}
