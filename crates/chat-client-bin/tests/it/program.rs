//! Tests of the program's conversations, errors, signals and exit codes.

use std::process::Stdio;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
};

use crate::{
    process::{end, piped, served, start},
    scripted_server::{Server, listen, within},
};

#[track_caller]
fn assert_one_line(stderr: &str, contains: &str) {
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains(contains), "{stderr}");
}

#[tokio::test]
async fn all_input_is_acknowledged_before_the_bye() {
    let ended = served(&[], "a\nb\n", async |mut server| {
        server.expect("MSG a\nMSG b").await;
        server.send_lines("FROM al MSG hi\nOK\nOK").await;
        server.answer_bye().await;
    })
    .await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "<al> hi\n"), "{}", ended.stderr);
    assert_one_line(&ended.stderr, "as x");
}

#[tokio::test]
async fn a_guest_needs_no_name() {
    let (listener, address) = listen().await;
    let serve = async {
        let mut server = Server::accept(&listener).await;
        server.expect("\nhello").await;
        server.send_lines("OK").await;
        server.answer_bye().await;
    };
    let args = [address.as_str()];
    let (ended, ()) = tokio::join!(piped(&args, "hello\n"), serve);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[tokio::test]
async fn messages_without_ok_are_listed_when_the_server_is_gone() {
    let ended = served(&[], "a\nb\n", async |mut server| {
        server.expect("MSG a\nMSG b").await;
        server.send_lines("OK").await;
    })
    .await;
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
    assert!(ended.stderr.contains("-- unacknowledged: b\n"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_refused_message_shows_in_the_exit_code() {
    let ended = served(&[], "a\n", async |mut server| {
        server.expect("MSG a").await;
        server.send_lines("BAD REQ").await;
        server.answer_bye().await;
    })
    .await;
    assert_eq!(ended.code, Some(6), "{}", ended.stderr);
}

#[tokio::test]
async fn a_server_that_ends_the_session_ends_the_program() {
    for (farewell, expected) in [("BYE", "the server says BYE"), ("JOIN y", "connection lost")] {
        let (listener, address) = listen().await;
        let mut child = start(["--name", "x", &address]);
        // The input stays open: a blocked read must not keep the program alive.
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"hi\n").await.unwrap();
        let mut server = Server::accept(&listener).await;
        server.welcome("x").await;
        server.expect("MSG hi").await;
        server.send_lines("OK").await;
        server.send_lines(farewell).await;
        drop(server);
        let ended = end(child).await;
        drop(stdin);
        assert_eq!(ended.code, Some(5), "{}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_failed_connection_is_a_one_line_error() {
    let (listener, address) = listen().await;
    drop(listener);
    let ended = piped(&["--name", "x", &address], "a\n").await;
    assert_eq!(ended.code, Some(3));
    assert_one_line(&ended.stderr, &address);
}

#[tokio::test]
async fn a_refused_login_is_a_one_line_error() {
    for (answer, expected) in [
        ("NAME FAILURE\nNAME REQ", "choose another with --name"),
        ("BAD PROT", "version 0.1"),
        ("BYE", "full"),
        ("HTTP/1.1 400 Bad Request", "not a chat server"),
    ] {
        let (listener, address) = listen().await;
        let serve = async {
            let mut server = Server::accept(&listener).await;
            server.expect("PROT 0.1 CONNECT USER x").await;
            server.send_lines(answer).await;
        };
        let args = ["--name", "x", &address];
        let (ended, ()) = tokio::join!(piped(&args, ""), serve);
        assert_eq!(ended.code, Some(4), "{}", ended.stderr);
        assert_one_line(&ended.stderr, expected);
    }
}

#[tokio::test]
async fn a_closed_stdout_ends_the_program_without_an_error() {
    let (listener, address) = listen().await;
    let mut child = start(["--name", "x", &address]);
    let stdin = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut server = Server::accept(&listener).await;
    server.welcome("x").await;
    server.send_lines("FROM al MSG one").await;
    let mut line = String::new();
    within(output.read_line(&mut line)).await.unwrap();
    assert_eq!(line, "<al> one\n");
    drop(output);
    server.send_lines("FROM al MSG two").await;
    server.answer_bye().await;
    let ended = end(child).await;
    drop(stdin);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_one_line(&ended.stderr, "connected");
}

#[tokio::test]
async fn help_begins_with_examples_and_lists_the_exit_codes() {
    for flag in ["-h", "--help"] {
        let ended = piped(&[flag], "").await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert!(ended.stdout.starts_with("Examples:\n  chat-client --name alice"), "{}", ended.stdout);
        assert!(ended.stdout.contains("  130  interrupted"), "{}", ended.stdout);
    }
    assert!(piped(&["--version"], "").await.stdout.starts_with("chat-client 0."));
}

#[tokio::test]
async fn a_wrong_command_line_is_a_one_line_error() {
    for (args, expected) in [
        (&["--nmae", "x"][..], "--nmae"),
        (&["--name", "guest7"], "given by the server"),
        (&["--name", ""], "name"),
        (&["localhost:x"], "a port is a number"),
        (&["localhost:1", "2222"], "the port is given twice"),
        (&["localhost", "2222", "x"], "x"),
        (&["http://localhost:2222"], "URL"),
    ] {
        let ended = piped(args, "").await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert_one_line(&ended.stderr, expected);
        assert!(ended.stderr.ends_with("(try --help)\n"), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn settings_come_from_the_environment() {
    let (listener, address) = listen().await;
    let mut child = Command::new(env!("CARGO_BIN_EXE_chat-client"))
        .env("CHAT_NAME", "env")
        .env("CHAT_SERVER", &address)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut server = Server::accept(&listener).await;
    server.welcome("env").await;
    server.answer_bye().await;
    assert_eq!(within(child.wait()).await.unwrap().code(), Some(0));
}

#[cfg(unix)]
#[tokio::test]
async fn an_address_with_a_slash_is_a_unix_socket() {
    let path = std::env::temp_dir().join(format!("chat-client-{}.sock", std::process::id()));
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let serve = async {
        let mut stream = within(listener.accept()).await.unwrap().0;
        let mut hello = [0; 25];
        within(stream.read_exact(&mut hello)).await.unwrap();
        assert_eq!(&hello, b"PROT 0.1 CONNECT USER x\r\n");
        stream.write_all(b"NAME OK\r\nWELCOME\r\n").await.unwrap();
        let mut bye = [0; 5];
        within(stream.read_exact(&mut bye)).await.unwrap();
        stream.write_all(b"BYE\r\n").await.unwrap();
    };
    let address = path.to_str().unwrap();
    let args = ["--name", "x", address];
    let (ended, ()) = tokio::join!(piped(&args, ""), serve);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[cfg(unix)]
async fn interrupt(child: &Child) {
    let kill = Command::new("kill").args(["-INT", &child.id().unwrap().to_string()]).status();
    assert!(within(kill).await.unwrap().success());
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupt_says_bye_and_a_second_one_exits_at_once() {
    for patient in [true, false] {
        let (listener, address) = listen().await;
        let mut child = start(["--name", "x", &address]);
        let stdin = child.stdin.take().unwrap();
        let mut server = Server::accept(&listener).await;
        server.welcome("x").await;
        // The program shows a message only after it has installed its signal handler.
        server.send_lines("FROM al MSG hi").await;
        let mut output = BufReader::new(child.stdout.as_mut().unwrap());
        within(output.read_line(&mut String::new())).await.unwrap();
        interrupt(&child).await;
        server.expect("BYE").await;
        if patient {
            server.send_lines("BYE").await;
        } else {
            interrupt(&child).await;
        }
        let ended = end(child).await;
        drop(stdin);
        assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    }
}
