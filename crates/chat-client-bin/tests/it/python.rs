//! Tests of the program against the server in Python.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../chat-conform/peers/server.py");

#[test]
fn the_python_server_accepts_messages_and_lists_clients() {
    let has_python =
        Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    assert!(has_python || std::env::var_os("CI").is_none(), "CI must have python3");
    if !has_python {
        return;
    }
    let mut python = Command::new("python3");
    python.args(["-B", SERVER, "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut python = python.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(python.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();

    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-client"));
    command
        .args(["--name", "ann", "--commands", &address])
        .env_remove("CHAT_NAME")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut client = command.stderr(Stdio::piped()).spawn().unwrap();
    client.stdin.take().unwrap().write_all("one\n/clients\ncafé\n".as_bytes()).unwrap();
    let ended = client.wait_with_output().unwrap();
    python.kill().unwrap();
    python.wait().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(String::from_utf8(ended.stdout).unwrap(), "* 1 here: ann\n");
}
