//! Tests of the flags in a pipe, and of the configuration.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::{
    process::{end, hermetic, piped, start},
    scripted_server::{Server, listen, within},
};

/// The lines of a JSON output, without their times.
#[track_caller]
fn events(output: &str) -> Vec<String> {
    let event = |line: &str| {
        let (before, after) = line.split_once(r#""time":""#).unwrap_or_else(|| panic!("no time: {line}"));
        let (time, after) = after.split_once("\",").unwrap();
        assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
        format!("{before}{after}")
    };
    output.lines().map(event).collect()
}

#[tokio::test]
async fn json_mode_prints_every_event_and_accepts_commands() {
    let (listener, address) = listen().await;
    let serve = async {
        let mut server = Server::accept(&listener).await;
        server.welcome("x").await;
        server.expect("MSG /quit\nREQ CLIENTS\nMSG b").await;
        server.send_lines("JOIN al\nOK\nFROM al MSG \u{202e}hi\nLIST CLIENTS 2 al x\nBAD REQ\nNEWS\nLOGOUT al").await;
        server.answer_bye().await;
    };
    let input = r#"{"v":1,"command":"say","text":"/quit"}
{"command":"clients"}
hello
{"command":"say","text":"b"}
"#;
    let args = ["--name", "x", "--json", "--json-in", &address];
    let (ended, ()) = tokio::join!(piped(&args, input), serve);
    let expected = [
        &format!(r#"{{"v":1,"event":"connected","server":"{address}","name":"x"}}"#),
        r#"{"v":1,"event":"failed","why":"line 3 not sent: expected value at line 1 column 1: write {\"command\":\"say\",\"text\":\"…\"}, {\"command\":\"clients\"} or {\"command\":\"quit\"}"}"#,
        r#"{"v":1,"event":"joined","name":"al"}"#,
        r#"{"v":1,"event":"accepted","text":"/quit"}"#,
        r#"{"v":1,"event":"message","from":"al","text":"\u202ehi"}"#,
        r#"{"v":1,"event":"clients","names":["al","x"]}"#,
        r#"{"v":1,"event":"refused","text":"b"}"#,
        r#"{"v":1,"event":"other","line":"NEWS"}"#,
        r#"{"v":1,"event":"left","name":"al"}"#,
        r#"{"v":1,"event":"closed","why":"left with BYE"}"#,
    ];
    assert_eq!(events(&ended.stdout), expected);
    assert!(
        ended.stderr.contains(r#"line 3 not sent: expected value at line 1 column 1: write {"command""#),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.code, Some(6));
}

#[tokio::test]
async fn a_closed_stdout_is_noticed_without_a_message() {
    let (listener, address) = listen().await;
    let mut child = start(["--name", "x", "--json", "--no-input", &address]);
    let mut server = Server::accept(&listener).await;
    server.welcome("x").await;
    let mut output = BufReader::new(child.stdout.take().unwrap());
    within(output.read_line(&mut String::new())).await.unwrap();
    drop(output);
    // No further message is sent.
    server.answer_bye().await;
    let ended = end(child).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[tokio::test]
async fn follow_keeps_listening_after_the_end_of_the_input() {
    let (listener, address) = listen().await;
    let mut child = start(["--name", "x", "--follow", &address]);
    let mut server = Server::accept(&listener).await;
    server.welcome("x").await;
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"a\n").await.unwrap();
    drop(stdin);
    server.expect("MSG a").await;
    server.send_lines("OK\nFROM al MSG one\nPING").await;
    server.expect("PONG").await;
    server.send_lines("FROM al MSG two\nBYE").await;
    let ended = end(child).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(5), "<al> one\n<al> two\n"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_timeout_ends_the_program_and_lists_unacknowledged_messages() {
    let (listener, address) = listen().await;
    let serve = async {
        let mut server = Server::accept(&listener).await;
        server.welcome("x").await;
        server.expect("MSG a\nMSG b").await;
        server.send_lines("OK").await;
        server
    };
    let args = ["--name", "x", "--timeout", "0.3", &address];
    let (ended, _server) = tokio::join!(piped(&args, "a\nb\n"), serve);
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
    assert!(ended.stderr.contains("-- unacknowledged: b\n"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_timeout_without_messages_is_no_failure() {
    let (listener, address) = listen().await;
    let serve = async {
        let mut server = Server::accept(&listener).await;
        server.welcome("x").await;
        server.answer_bye().await;
    };
    let args = ["--name", "x", "--no-input", "--timeout", "0.3", &address];
    let (ended, ()) = tokio::join!(piped(&args, ""), serve);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[tokio::test]
async fn a_timeout_includes_the_login() {
    let (listener, address) = listen().await;
    let args = ["--name", "x", "--timeout", "0.2", &address];
    let (ended, _mute) = tokio::join!(piped(&args, "a\n"), Server::accept(&listener));
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("--timeout"), "{}", ended.stderr);
}

#[tokio::test]
async fn reconnect_shows_the_gap_and_sends_nothing_twice() {
    let (listener, address) = listen().await;
    let mut child = start(["--name", "x", "--reconnect", "--json", &address]);
    let mut stdin = child.stdin.take().unwrap();
    let mut server = Server::accept(&listener).await;
    server.welcome("x").await;
    stdin.write_all(b"a\nb\n").await.unwrap();
    server.expect("MSG a\nMSG b").await;
    server.send_lines("OK").await;
    drop(server);
    let mut server = Server::accept(&listener).await;
    server.welcome("x").await;
    stdin.write_all(b"c\n").await.unwrap();
    server.expect("MSG c").await;
    server.send_lines("OK").await;
    drop(stdin);
    server.answer_bye().await;
    let ended = end(child).await;
    assert_eq!(ended.code, Some(6), "the outcome of b is unknown: {}", ended.stderr);
    assert!(ended.stdout.contains(r#""event":"unacknowledged","text":"b""#), "{}", ended.stdout);
    assert!(ended.stdout.contains(r#""gap":"#), "{}", ended.stdout);
    assert!(ended.stderr.contains("-- reconnected after "), "{}", ended.stderr);
}

#[tokio::test]
async fn flags_override_the_environment_which_overrides_the_file() {
    let path = std::env::temp_dir().join(format!("chat-client-{}.config", std::process::id()));
    std::fs::write(&path, "server = file:1\nname = file  # me\ncolor = never\n").unwrap();
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_chat-client"))
        .args(["--print-config", "--name", "flag", "--config"])
        .arg(&path)
        .envs(hermetic())
        .env("CHAT_SERVER", "env:1")
        .env("CHAT_NAME", "env")
        .stdin(Stdio::null())
        .output();
    let output = String::from_utf8(within(output).await.unwrap().stdout).unwrap();
    std::fs::remove_file(&path).unwrap();
    let expected = "\
server = env:1  # environment
name = flag  # command line
color = never  # file
time = %H:%M  # default
bell = auto  # default
reconnect = auto  # default
# log =
history = auto  # default
joins = show  # default
notify = never  # default
";
    assert_eq!(output, expected);
}

#[tokio::test]
async fn a_missing_configuration_file_is_a_one_line_error() {
    let missing = piped(&["--config", "/nowhere/config"], "").await;
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.starts_with("chat-client: cannot read /nowhere/config: "), "{}", missing.stderr);
}
