//! Tests of what people expect of a chat client: history, log, commands, pastes, notifications.

use std::path::{Path, PathBuf};

use pty_process::Command;

use super::{PROGRAM, Terminal, ann, welcome};
use crate::{
    process::{end, start},
    readme_program::commands,
    scripted_server::{Server, listen},
};

/// A folder of this test, which is removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("chat-client-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

#[track_caller]
fn assert_private(path: impl AsRef<Path>) {
    use std::os::unix::fs::PermissionsExt;

    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn the_history_is_kept_between_starts_unless_it_is_turned_off() {
    let folder = Folder::new("history");
    for (history, expected) in [("auto", ">>"), ("auto", ">> hello"), ("never", ">>")] {
        let (listener, address) = listen().await;
        let command = Command::new(PROGRAM).args(["--name", "ann", "--history", history, &address]);
        let mut terminal = Terminal::spawn_in(command.env("TERM", "xterm"), &folder.0);
        let mut server = welcome(&listener, &mut terminal).await;
        terminal.press("\x1b[A").await;
        terminal.until_typed(expected).await;
        terminal.press("\x15hello\r").await;
        terminal.during(server.expect("MSG hello")).await;
        server.send_lines("OK").await;
        terminal.press("\x04").await;
        terminal.during(server.answer_bye()).await;
        assert_eq!(terminal.end().await, Some(0));
    }
    let path = folder.0.join("chat-client/history");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "hello\n");
    assert_private(path);
}

/// Removes the date and the time from each line.
#[track_caller]
fn undated(log: &str) -> Vec<&str> {
    let undated = |line| {
        let (time, text) = str::split_at(line, "2026-11-25 09:05:01 ".len());
        assert!(time.chars().all(|c| c.is_ascii_digit() || "- :".contains(c)), "{time}");
        text
    };
    log.lines().map(undated).collect()
}

#[tokio::test]
async fn a_log_has_the_conversation_at_a_terminal_and_in_a_pipe() {
    let folder = Folder::new("log");
    let log = folder.file("at-terminal");
    let (_listener, mut server, mut terminal) = ann(&["--log", &log]).await;
    terminal.press("hi\r").await;
    terminal.during(server.expect("MSG hi")).await;
    server.send_lines("FROM bob MSG \u{202e}hi\nOK\nLOGOUT bob").await;
    terminal.until(|screen| screen.contains("bob left")).await;
    terminal.press("\x04").await;
    terminal.during(server.answer_bye()).await;
    assert_eq!(terminal.end().await, Some(0));
    let text = std::fs::read_to_string(&log).unwrap();
    let conversation = undated(&text).split_off(2);
    assert_eq!(conversation, ["* 2 here: bob ann", "<bob> \\u{202e}hi", "<ann> hi", "* bob left"]);
    assert_private(&log);

    let log = folder.file("in-pipe");
    let (listener, address) = listen().await;
    let mut child = start(["--name", "ann", "--log", &log, &address]);
    drop(child.stdin.take());
    let mut server = Server::accept(&listener).await;
    server.welcome("ann").await;
    server.expect("BYE").await;
    server.send_lines("FROM bob MSG \u{202e}hi\nBYE").await;
    assert_eq!(end(child).await.code, Some(0));
    let text = std::fs::read_to_string(&log).unwrap();
    assert_eq!(undated(&text), ["<bob> \\u{202e}hi"]);
}

#[tokio::test]
async fn a_log_that_cannot_be_written_is_an_error() {
    let mut terminal = Terminal::start(&["--name", "ann", "--log", "/dev/null/log", "127.0.0.1:1"]);
    terminal.until(|screen| screen.contains("chat-client: cannot open /dev/null/log: ")).await;
    assert_eq!(terminal.end().await, Some(1));

    if Path::new("/dev/full").exists() {
        let (_listener, mut server, mut terminal) = ann(&["--log", "/dev/full"]).await;
        server.send_lines("FROM bob MSG hi").await;
        let screen = terminal.until(|screen| screen.contains("<bob> hi")).await;
        assert_eq!(screen.matches("the log ends here").count(), 1, "{screen}");
    }
}

#[tokio::test]
async fn pasted_text_is_never_a_command() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    for text in ["/quit", "// a", " /quit now", "/clients"] {
        terminal.press(&format!("\x1b[200~{text}\x1b[201~\r")).await;
        terminal.during(server.expect(&format!("MSG {text}"))).await;
        server.send_lines("OK").await;
        terminal.until(|screen| screen.contains(&format!("<ann> {text}"))).await;
    }
}

#[tokio::test]
async fn a_paste_of_more_than_three_lines_is_asked_about() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    let paste = "\x1b[200~one\r/quit\rthree\rfour\r\x1b[201~";
    let asked = "send 4 lines as 4 messages? (y/n)";
    terminal.press(paste).await;
    terminal.until_typed(asked).await;
    // Messages are shown meanwhile. Enter is no answer.
    server.send_lines("FROM bob MSG hi").await;
    terminal.press("\r").await;
    terminal.until(|screen| screen.contains("<bob> hi") && screen.trim_end().ends_with(asked)).await;
    terminal.press("n").await;
    terminal.until_typed(">>").await;
    terminal.press(paste).await;
    terminal.until_typed(asked).await;
    terminal.press("y").await;
    terminal.during(server.expect("MSG one\nMSG /quit\nMSG three\nMSG four")).await;
    server.send_lines("OK\nOK\nOK\nOK").await;
    terminal.until(|screen| screen.ends_with("<ann> /quit\n<ann> three\n<ann> four\n>>\n")).await;
}

/// The server does not read, so most of a long paste waits.
#[tokio::test]
async fn a_long_paste_stops_neither_the_display_nor_the_end() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    let lines = "a line of a very long paste\r".repeat(4_000);
    let paste = format!("\x1b[200~{lines}\x1b[201~");
    for piece in paste.as_bytes().chunks(1_000) {
        terminal.press_bytes(piece).await;
    }
    terminal.until_typed("send 4000 lines as 4000 messages? (y/n)").await;
    terminal.press("y").await;
    terminal.until_typed("+>").await;
    let others: Vec<_> = (0..500).map(|number| format!("FROM bob MSG number {number}")).collect();
    server.send_lines(&others.join("\n")).await;
    terminal.until(|screen| screen.contains("<bob> number 499")).await;
    terminal.press("\x03").await;
    terminal.until(|screen| screen.contains("[not sent]") && screen.contains("messages were not sent")).await;
    assert_eq!(terminal.end().await, Some(130));
}

#[tokio::test]
async fn commands_have_spaces_around_them_and_words_after_them() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    terminal.press("  /clients \r").await;
    terminal.during(server.expect("REQ CLIENTS")).await;
    server.send_lines("LIST CLIENTS 2 bob ann").await;
    terminal.press("/me waves\r").await;
    terminal.during(server.expect("MSG * waves")).await;
    server.send_lines("OK").await;
    terminal.until(|screen| screen.contains("<ann> * waves")).await;
    terminal.press("zz\t\t").await;
    terminal.until_typed(">> zz").await;
    terminal.press("\x03/quit now\r").await;
    terminal.during(server.answer_bye()).await;
    assert_eq!(terminal.end().await, Some(0));
}

#[tokio::test]
async fn help_lists_the_commands_of_the_readme() {
    let (_listener, _server, mut terminal) = ann(&[]).await;
    terminal.press("/help\r").await;
    let screen = terminal.until(|screen| screen.contains("pasted text is never")).await;
    for command in commands() {
        assert!(screen.contains(command), "{command} is not in {screen}");
    }
}

#[tokio::test]
async fn ignored_names_are_hidden_until_they_are_shown_again() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    terminal.press("/ignore BOB\r").await;
    terminal.until(|screen| screen.contains("BOB is ignored")).await;
    server.send_lines("FROM bob MSG one\nLOGOUT bob\nJOIN bob\nFROM al MSG two").await;
    let screen = terminal.until(|screen| screen.contains("<al> two")).await;
    assert!(!screen.contains("<bob>") && !screen.contains("bob left"), "{screen}");
    terminal.press("/ignore\r").await;
    terminal.until(|screen| screen.contains("ignored: BOB")).await;
    terminal.press("/unignore bob\r").await;
    terminal.until(|screen| screen.contains("bob is no longer ignored")).await;
    server.send_lines("FROM bob MSG three").await;
    terminal.until(|screen| screen.contains("<bob> three")).await;
}

#[tokio::test]
async fn joins_and_leaves_can_be_hidden() {
    let (_listener, mut server, mut terminal) = ann(&["--joins=hide"]).await;
    server.send_lines("JOIN alice\nLOGOUT bob\nFROM alice MSG hi").await;
    let screen = terminal.until(|screen| screen.contains("<alice> hi")).await;
    assert!(!screen.contains("joined") && !screen.contains("left"), "{screen}");
    // They are still completed.
    terminal.press("ali\t").await;
    terminal.until_typed(">> alice:").await;
}

#[tokio::test]
async fn a_mention_is_notified_if_that_is_asked_for() {
    for (notify, expected) in [("never", None), ("osc9", Some("\x1b]9;bob: hi ann\x07"))] {
        let (_listener, mut server, mut terminal) = ann(&["--notify", notify]).await;
        server.send_lines("FROM bob MSG hi all\nFROM bob MSG hi ann\nFROM bob MSG end").await;
        terminal.until(|screen| screen.contains("<bob> end")).await;
        let sent = String::from_utf8_lossy(&terminal.output).into_owned();
        assert_eq!(sent.matches("\x1b]").count(), expected.iter().count(), "{sent:?}");
        assert!(expected.is_none_or(|expected| sent.contains(expected)), "{sent:?}");
    }
}

#[tokio::test]
async fn reconnect_ends_a_session_that_looks_alive() {
    let (listener, _dead, mut terminal) = ann(&[]).await;
    terminal.press("/reconnect\r").await;
    let _server = welcome(&listener, &mut terminal).await;
    terminal.until(|screen| screen.contains("reconnected after")).await;
}
