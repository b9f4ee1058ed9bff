//! What a script relies on: its lines are sent as they are, and the exit code and stderr tell what became of them.

use std::process::Stdio;

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
};

use crate::{
    process::{Ended, end, hermetic, piped, served, start},
    scripted_server::{Server, listen, within},
};

/// Runs the program as client `x` with these settings of its environment and this input. The server accepts one message.
async fn with_environment(variables: &[(&str, &str)], flags: &[&str], input: &[u8], message: &str) -> Ended {
    let (listener, address) = listen().await;
    let mut child = Command::new(env!("CARGO_BIN_EXE_chat-client"))
        .args(flags)
        .args(["--name", "x", &address])
        .envs(hermetic())
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).await.unwrap();
    let serve = async {
        let mut server = Server::accept(&listener).await;
        server.welcome("x").await;
        server.expect(message).await;
        server.send_lines("OK").await;
        server.answer_bye().await;
    };
    tokio::join!(end(child), serve).0
}

#[tokio::test]
async fn lines_that_begin_with_a_slash_are_messages() {
    let ended = served(&[], "start\n/quit\n// a\n/\nafter\n", async |mut server| {
        server.expect("MSG start\nMSG /quit\nMSG // a\nMSG /\nMSG after").await;
        server.send_lines("OK\nOK\nOK\nOK\nOK").await;
        server.answer_bye().await;
    })
    .await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[tokio::test]
async fn commands_are_read_on_request() {
    let ended = served(&["--commands"], "start\n/quit\nafter\n", async |mut server| {
        server.expect("MSG start").await;
        server.send_lines("OK").await;
        server.answer_bye().await;
    })
    .await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// What a person types is no data, also where the line editor does not work.
#[cfg(unix)]
#[tokio::test]
async fn commands_are_read_from_a_dumb_terminal() {
    let (listener, address) = listen().await;
    let (mut pty, pts) = pty_process::open().unwrap();
    let command = pty_process::Command::new(env!("CARGO_BIN_EXE_chat-client")).args(["--name", "x", &address]);
    let mut child = command.envs(hermetic()).env("TERM", "dumb").kill_on_drop(true).spawn(pts).unwrap();
    let mut server = Server::accept(&listener).await;
    server.welcome("x").await;
    pty.write_all(b"/quit\n").await.unwrap();
    server.answer_bye().await;
    assert_eq!(within(child.wait()).await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn lines_that_were_not_sent_are_counted() {
    const LINES: usize = 20_000;
    let input = "line\n".repeat(LINES);
    let (listener, address) = listen().await;
    let serve = async {
        let mut server = Server::accept(&listener).await;
        server.welcome("x").await;
        server.expect("MSG line\nMSG line").await;
        server.send_lines("OK\nOK").await;
        // It answers nothing more.
        server
    };
    let args = ["--name", "x", "--timeout", "0.5", &address];
    let (ended, _server) = tokio::join!(piped(&args, &input), serve);
    assert_eq!(ended.code, Some(6));
    // 2 messages are acknowledged, and 1,024 wait for their answers.
    let rest = LINES - 2 - 1_024;
    assert!(ended.stderr.ends_with(&format!("-- {rest} lines of the input were not sent\n")), "{}", ended.stderr);
}

#[tokio::test]
async fn a_closed_stdout_with_unsent_lines_is_no_success() {
    let (listener, address) = listen().await;
    let mut child = start(["--name", "x", &address]);
    let mut server = Server::accept(&listener).await;
    server.welcome("x").await;
    let mut stdin = child.stdin.take().unwrap();
    let typing = tokio::spawn(async move {
        // Fails when the program has ended.
        while stdin.write_all("y\n".repeat(1_000).as_bytes()).await.is_ok() {}
    });
    server.expect("MSG y").await;
    drop(child.stdout.take());
    let ended = end(child).await;
    typing.await.unwrap();
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
    assert!(ended.stderr.contains(" lines of the input were not sent\n"), "{}", ended.stderr);
}

/// The server has not noticed yet that the connection of the session before is dead.
#[tokio::test]
async fn a_name_that_the_lost_session_holds_is_tried_again() {
    let (listener, address) = listen().await;
    let mut child = start(["--name", "x", "--reconnect", &address]);
    let mut stdin = child.stdin.take().unwrap();
    let mut server = Server::accept(&listener).await;
    server.welcome("x").await;
    drop(server);
    let mut server = Server::accept(&listener).await;
    server.expect("PROT 0.1 CONNECT USER x").await;
    server.send_lines("NAME FAILURE\nNAME REQ").await;
    let mut server = Server::accept(&listener).await;
    server.welcome("x").await;
    stdin.write_all(b"a\n").await.unwrap();
    drop(stdin);
    server.expect("MSG a").await;
    server.send_lines("OK").await;
    server.answer_bye().await;
    let ended = end(child).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[tokio::test]
async fn an_invalid_line_is_reported_with_its_number() {
    let ended = served(&[], "one\ntwo\u{1b}[2J\n", async |mut server| {
        server.expect("MSG one").await;
        server.send_lines("OK").await;
        server.answer_bye().await;
    })
    .await;
    assert_eq!(ended.code, Some(6));
    assert!(ended.stderr.contains("-- line 2 not sent: "), "{}", ended.stderr);
}

/// A script that reads only the output learns that there will be no answer.
#[tokio::test]
async fn a_failed_line_of_json_is_an_event() {
    let (listener, address) = listen().await;
    let mut child = start(["--json", "--json-in", &address]);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    let _server = Server::accept(&listener).await;
    assert!(within(stdout.next_line()).await.unwrap().unwrap().contains(r#""event":"connected""#));
    for (line, why) in [(r#"{"command":"clients"}"#, "guests cannot ask who is here"), ("clients", "line 2 not sent: ")]
    {
        stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        let event = within(stdout.next_line()).await.unwrap().unwrap();
        assert!(event.contains(&format!(r#""event":"failed","why":"{why}"#)), "{event}");
    }
}

#[tokio::test]
async fn an_unusable_home_and_empty_variables_are_no_settings() {
    let variables = [
        ("HOME", "/dev/null"),
        ("XDG_CONFIG_HOME", ""),
        ("CHAT_CONFIG", ""),
        ("CHAT_NAME", ""),
        ("CHAT_SERVER", ""),
        ("CHAT_RECONNECT", ""),
        ("CHAT_COLOR", ""),
        ("CHAT_BELL", ""),
    ];
    let ended = with_environment(&variables, &[], b"hi\n", "MSG hi").await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[tokio::test]
async fn a_byte_order_mark_is_no_text() {
    let ended = with_environment(&[], &[], b"\xef\xbb\xbfhi\n", "MSG hi").await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[tokio::test]
async fn the_time_is_shown_on_request() {
    let output_with = async |flags: &[&str]| {
        let (listener, address) = listen().await;
        let args = [flags, &["--name", "x", "--no-input", &address]].concat();
        let serve = async {
            let mut server = Server::accept(&listener).await;
            server.welcome("x").await;
            server.send_lines("FROM al MSG hi\nBYE").await;
        };
        tokio::join!(piped(&args, ""), serve).0.stdout
    };
    assert_eq!(output_with(&["--time", "(time)"]).await, "(time) <al> hi\n");
    assert_eq!(output_with(&[]).await, "<al> hi\n");
}

#[tokio::test]
async fn common_spellings_of_an_address_are_understood() {
    let (listener, address) = listen().await;
    let port = address.rsplit_once(':').unwrap().1;
    let (short, url) = (format!(":{port}"), format!("tcp://{address}"));
    for server in [&["127.0.0.1", port][..], &[short.as_str()], &[url.as_str()]] {
        let args = [&["--name", "x"], server].concat();
        let serve = async {
            let mut server = Server::accept(&listener).await;
            server.welcome("x").await;
            server.answer_bye().await;
        };
        let (ended, ()) = tokio::join!(piped(&args, ""), serve);
        assert_eq!(ended.code, Some(0), "{server:?}: {}", ended.stderr);
    }
}

/// Starts the program with the full device as its stdout.
#[cfg(target_os = "linux")]
fn start_on_full_disk(args: &[&str]) -> Child {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-client"));
    command.args(args).envs(hermetic()).stdin(Stdio::null()).stdout(full).stderr(Stdio::piped());
    command.kill_on_drop(true).spawn().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn output_that_cannot_be_written_is_reported() {
    for flag in ["--print-config", "--help", "--version"] {
        let ended = end(start_on_full_disk(&[flag])).await;
        assert_eq!(ended.code, Some(1), "{flag}");
        assert!(ended.stderr.starts_with("chat-client: cannot write the output: "), "{flag}: {}", ended.stderr);
    }
    let (listener, address) = listen().await;
    let child = start_on_full_disk(&["--name", "x", "--no-input", &address]);
    let mut server = Server::accept(&listener).await;
    server.welcome("x").await;
    server.send_lines("FROM al MSG hi").await;
    server.answer_bye().await;
    let ended = end(child).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("-- cannot write the output: "), "{}", ended.stderr);
}

#[cfg(unix)]
#[tokio::test]
async fn a_closed_stdout_is_noticed_while_the_client_connects() {
    let (listener, address) = listen().await;
    drop(listener);
    let mut child = start(["--name", "x", "--no-input", "--reconnect", &address]);
    drop(child.stdout.take());
    let ended = end(child).await;
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("stdout was closed"), "{}", ended.stderr);
}

/// Each session must not leave a thread behind.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn sessions_leave_no_threads() {
    let (listener, address) = listen().await;
    let mut child = start(["--name", "x", "--no-input", "--reconnect", &address]);
    let threads = format!("/proc/{}/task", child.id().unwrap());
    let mut counts = Vec::new();
    for _ in 0..3 {
        let mut server = Server::accept(&listener).await;
        server.welcome("x").await;
        // The session has begun when it answers.
        server.send_lines("PING").await;
        server.expect("PONG").await;
        counts.push(std::fs::read_dir(&threads).unwrap().count());
    }
    within(child.kill()).await.unwrap();
    // One more for the first line of status.
    assert!(counts[2] <= counts[0] + 1, "{counts:?}");
}
