//! The program: exit codes, outputs, and error messages.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener as StdListener},
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use chat_server::ChatServer;
use tokio::net::TcpListener;

use crate::python::{CLIENT, python_installed};

/// Runs the program. Returns the exit code, standard output and standard error.
fn run_judge(args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_chat-conform")).args(args).output().unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    (status.code().unwrap(), stdout, stderr)
}

/// Runs the judge against a `chat-server`. Returns the exit code, standard output and standard error.
async fn judge_chat_server(args: &[&str]) -> (i32, String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = ChatServer::builder().build();
    tokio::spawn(server.serve(listener).into_future());
    let args: Vec<_> = ["server", &address].iter().chain(args).map(ToString::to_string).collect();
    let run = move || run_judge(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let result = tokio::task::spawn_blocking(run).await.unwrap();
    server.cut();
    result
}

/// Writes a temporary file. Returns its path.
fn temp_file(name: &str, text: &str) -> String {
    let path = std::env::temp_dir().join(format!("chat-conform-{}-{name}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_has_a_line_per_case_and_a_score() {
    let (code, stdout, _) = judge_chat_server(&["--only", "plain-hello"]).await;
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.starts_with("pass  plain  plain-hello"), "{stdout}");
    assert!(stdout.contains("plain     1 of   1"), "{stdout}");
}

const WRONG: &str = "case wrong plain MUST 4.1\nA> hello\nA< NO\n\ncase right plain MUST 4.1\nA> hello\nA< OK\n\n\
                     case soft plain SHOULD 4.1\nA> hello\nA< NO\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_shows_the_clause_and_the_bytes() {
    let cases = temp_file("wrong.case", WRONG);
    let (code, stdout, _) = judge_chat_server(&["--cases", &cases]).await;
    assert_eq!(code, 1, "{stdout}");
    for expected in [
        "FAIL  plain  wrong",
        "4.1 asks: Each line is a message",
        "      A> hello ",
        "    ! A< OK\\r\\n",
        "A: expected \"NO\", got another line",
        "wrong.case:3",
        "pass  plain  right",
        "warn  plain  soft",
        "plain     1 of   2   SHOULD 0 of 1",
    ] {
        assert!(stdout.contains(expected), "{expected:?} is not in\n{stdout}");
    }
    let (code, stdout, _) = judge_chat_server(&["--cases", &cases, "--only", "soft", "--strict"]).await;
    assert_eq!(code, 1, "{stdout}");
}

#[tokio::test(flavor = "multi_thread")]
async fn known_failures_are_played_and_reported() {
    let cases = temp_file("known.case", WRONG);
    let known = temp_file("known.txt", "# Not yet.\nwrong\nright\n");
    let args = ["--cases", &cases, "--known-failing", &known];
    let (code, stdout, _) = judge_chat_server(&args).await;
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("known plain  wrong") && stdout.contains("fixed plain  right"), "{stdout}");
    assert!(stdout.contains("remove it from the list"), "{stdout}");
    let (code, ..) = judge_chat_server(&[&args[..], &["--strict"]].concat()).await;
    assert_eq!(code, 1);
    let unknown = temp_file("unknown.txt", "nobody\n");
    let (code, _, stderr) = judge_chat_server(&["--known-failing", &unknown]).await;
    assert!(code == 2 && stderr.contains("no such case: nobody"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_json_and_junit() {
    let (cases, junit) = (temp_file("machines.case", WRONG), temp_file("junit.xml", ""));
    let (code, stdout, _) = judge_chat_server(&["--cases", &cases, "--json", "--junit", &junit]).await;
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
    let (code, stdout, _) = run_judge(&["server", "--list", "--level", "plain"]);
    assert!(code == 0 && stdout.lines().all(|line| line.starts_with("plain")), "{stdout}");
    assert!(stdout.contains("plain-server-waits"), "{stdout}");
}

/// Checks that the judge exits with code 2 and one line with this text, within 20 seconds.
#[track_caller]
fn refuses_to_judge(address: &str, text: &str) {
    let started = Instant::now();
    let (code, stdout, stderr) = run_judge(&["server", address, "--timeout", "0.5"]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(stderr.contains(text) && stderr.lines().count() == 1, "{stderr}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_closed_port_is_an_error() {
    let address = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    refuses_to_judge(&address.to_string(), &format!("{address}: cannot connect ("));
    refuses_to_judge("nowhere", "cannot resolve this address");
    let (code, ..) = run_judge(&["server", "127.0.0.1:1", "--nonsense"]);
    assert_eq!(code, 2);
}

#[test]
fn a_silent_port_is_an_error() {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    refuses_to_judge(&listener.local_addr().unwrap().to_string(), "silent");
}

/// Starts a server that sends `answer` to its first client, after it has received `request`.
fn answering(request: &'static str, answer: &'static str) -> SocketAddr {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut received, mut buffer) = (String::new(), [0; 1024]);
        while !received.contains(request) {
            let count = stream.read(&mut buffer).unwrap();
            received.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
        stream.write_all(answer.as_bytes()).unwrap();
    });
    address
}

#[test]
fn a_server_of_another_protocol_is_an_error() {
    let http = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    refuses_to_judge(&answering("\r\n\r\n", http).to_string(), "HTTP server");
    refuses_to_judge(&answering("PROT", "220 mail.example.org\r\n").to_string(), "not a chat server");
    refuses_to_judge(&answering("PROT", "BYE\r\n").to_string(), "accepts no clients");
}

#[test]
fn a_client_is_started_with_its_address() {
    if !python_installed() {
        return;
    }
    let client = ["--", "python3", "-B", CLIENT, "--name", "{name}"];
    let (code, stdout, _) = run_judge(&[&["client", "--only", "client-says", "--timeout", "20"], &client[..]].concat());
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("plain     6 of   6"), "{stdout}");
    let (code, _, stderr) = run_judge(&["client", "--", "no-such-program"]);
    assert!(code == 2 && stderr.contains("cannot start no-such-program"), "{stderr}");
}

#[test]
fn without_a_command_the_judge_prompts_a_person() {
    let args = ["client", "--only", "client-says-any", "--wait", "0.3"];
    let (code, _, stderr) = run_judge(&args);
    assert!(code == 2 && stderr.contains("connect your client to 127.0.0.1:"), "{stderr}");
    assert!(stderr.contains("no client has connected"), "{stderr}");
}

#[test]
fn every_error_says_what_to_do_next() {
    for (args, next) in [
        (&["server", "nowhere"][..], "write HOST:PORT"),
        (&["server", "127.0.0.1:1"], "start the server first"),
        (&["server", "127.0.0.1:1", "--only", "nothing"], "`--list` shows all names"),
        (&["server", "127.0.0.1:1", "--level", "x"], "plain, named or robust"),
        (&["server", "127.0.0.1:1", "--cases", "/nowhere/x"], "name a file of cases"),
        (&["server", "127.0.0.1:1", "--known-failing", "/nowhere/x"], "name an existing file"),
        (&["client", "--", "/nowhere/x"], "write the command that starts your client after `--`"),
        (&["proxy", "--listen", ":x", "--to", ":2222"], "choose another address with --listen"),
        (&["class", "/nowhere/x"], "name an existing file"),
        (&["judge"], "try '--help'"),
    ] {
        let (code, stdout, stderr) = run_judge(args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
        assert!(stderr.contains(next), "{args:?}: {stderr}");
    }
}

/// Checks the value by those words of JSON Schema that `report.schema.json` uses.
#[track_caller]
fn check_schema(value: &serde_json::Value, schema: &serde_json::Value, root: &serde_json::Value) -> Result<(), String> {
    let wrong = || Err(format!("{value} is not as {schema} says"));
    if let Some(name) = schema["$ref"].as_str() {
        return check_schema(value, root.pointer(name.trim_start_matches('#')).unwrap(), root);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        return if any.iter().any(|schema| check_schema(value, schema, root).is_ok()) { Ok(()) } else { wrong() };
    }
    if let Some(values) = schema["enum"].as_array() {
        return if values.contains(value) { Ok(()) } else { wrong() };
    }
    match schema["type"].as_str().unwrap() {
        "string" if value.is_string() => Ok(()),
        "number" if value.is_number() => Ok(()),
        "integer" if value.is_u64() => Ok(()),
        "null" if value.is_null() => Ok(()),
        "array" if value.is_array() => {
            value.as_array().unwrap().iter().try_for_each(|item| check_schema(item, &schema["items"], root))
        }
        "object" if value.is_object() => {
            let (fields, properties) = (value.as_object().unwrap(), schema["properties"].as_object().unwrap());
            let is_missing = |name: &serde_json::Value| !fields.contains_key(name.as_str().unwrap());
            if schema["required"].as_array().unwrap().iter().any(is_missing) {
                return wrong();
            }
            fields.iter().try_for_each(|(name, field)| match properties.get(name) {
                Some(schema) => check_schema(field, schema, root),
                None => wrong(),
            })
        }
        _ => wrong(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_report_is_as_its_schema_says() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../report.schema.json")).unwrap();
    let (cases, known) = (temp_file("schema.case", WRONG), temp_file("schema.txt", "wrong\nright\n"));
    for args in [&["--verbose"][..], &["--known-failing", &known]] {
        let args = [&["--cases", &cases, "--json"], args].concat();
        let (_, stdout, _) = judge_chat_server(&args).await;
        let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        check_schema(&report, &schema, &schema).unwrap();
        assert!(stdout.contains("known-failure") || stdout.contains("\"failed\""), "{stdout}");
    }
}
