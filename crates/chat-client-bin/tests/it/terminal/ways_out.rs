//! The terminal is restored on every way out, and neither half a key nor a stalled terminal keeps the program from
//! ending.

use pty_process::Command;
use rustix::{
    process::{Pid, Signal, kill_process},
    termios::{InputModes, LocalModes, tcgetattr},
};

use super::{PROGRAM, Terminal, ann, suspend::SHELL, welcome};
use crate::scripted_server::listen;

/// Sequences that never end: of a key, of a character, of a paste.
const UNFINISHED: [&[u8]; 5] = [b"\x1b[", b"\x1b", b"\xc3", b"\x1b[200~abc", b"\x1b]0;title"];

impl Terminal {
    fn signal(&self, signal: Signal) {
        let id = self.child.id().unwrap();
        kill_process(Pid::from_raw(id.cast_signed()).unwrap(), signal).unwrap();
    }

    /// Whether the terminal echoes and gives whole lines, as a shell expects, with nothing else left on.
    #[track_caller]
    fn assert_restored(&self) {
        let modes = tcgetattr(&self.master).unwrap();
        assert!(modes.local_modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG), "{modes:?}");
        assert!(modes.input_modes.contains(InputModes::ICRNL), "{modes:?}");
        let screen = self.screen.screen();
        assert!(!screen.bracketed_paste() && !screen.hide_cursor());
        let contents = screen.contents();
        let last = contents.trim_end().lines().last().unwrap_or_default();
        assert!(!last.starts_with(">>") && !last.starts_with("1>"), "the prompt is cleared: {contents}");
    }

    /// Reads until the program has restored the terminal, and checks how it ends.
    async fn end_restored(mut self, code: i32) {
        crate::scripted_server::within(async { while self.read_once().await {} }).await;
        assert_eq!(crate::scripted_server::within(self.child.wait()).await.unwrap().code(), Some(code));
        self.assert_restored();
    }
}

#[tokio::test]
async fn ending_signals_say_bye_and_restore_the_terminal() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::QUIT, 131), (Signal::INT, 130)] {
        let (_listener, server, mut terminal) = ann(&[]).await;
        terminal.press("a draft").await;
        terminal.until_typed(">> a draft").await;
        assert!(terminal.screen.screen().bracketed_paste() && terminal.screen.screen().hide_cursor());
        terminal.signal(signal);
        terminal.during(server.answer_bye()).await;
        terminal.end_restored(code).await;
    }
}

#[tokio::test]
async fn a_second_signal_ends_the_program_at_once() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    terminal.signal(Signal::TERM);
    terminal.during(server.expect("BYE")).await;
    terminal.signal(Signal::INT);
    terminal.end_restored(130).await;
}

#[tokio::test]
async fn ctrl_backslash_ends_the_program() {
    let (_listener, server, mut terminal) = ann(&[]).await;
    terminal.press("a draft\x1c").await;
    terminal.during(server.answer_bye()).await;
    terminal.end_restored(131).await;
}

#[tokio::test]
async fn an_unfinished_key_stops_neither_the_display_nor_signals() {
    for unfinished in UNFINISHED {
        let (_listener, mut server, mut terminal) = ann(&[]).await;
        terminal.press_bytes(unfinished).await;
        server.send_lines("FROM bob MSG meanwhile").await;
        terminal.until(|screen| screen.contains("<bob> meanwhile")).await;
        terminal.signal(Signal::INT);
        terminal.during(server.answer_bye()).await;
        terminal.end_restored(130).await;
    }
}

#[tokio::test]
async fn ctrl_c_works_after_an_unfinished_paste() {
    let (_listener, server, mut terminal) = ann(&[]).await;
    terminal.press("\x1b[200~abc").await;
    // Shown after a silence, as no end has come.
    terminal.until_typed(">> abc").await;
    terminal.press("\x03").await;
    terminal.until_typed(">>").await;
    terminal.press("\x03").await;
    terminal.during(server.answer_bye()).await;
    terminal.end_restored(130).await;
}

#[tokio::test]
async fn a_lost_connection_restores_the_terminal() {
    let (_listener, server, mut terminal) = ann(&["--reconnect=never"]).await;
    terminal.press("a draft").await;
    terminal.until_typed(">> a draft").await;
    drop(server);
    terminal.end_restored(5).await;
}

#[tokio::test]
async fn a_terminal_that_is_gone_ends_the_program() {
    let (_listener, server, mut terminal) = ann(&[]).await;
    let child = &mut terminal.child;
    drop((terminal.reader, terminal.writer, terminal.master));
    server.answer_bye().await;
    assert_eq!(crate::scripted_server::within(child.wait()).await.unwrap().code(), Some(129));
}

/// Nobody reads the terminal, so its buffer fills up.
#[tokio::test]
async fn a_stalled_terminal_does_not_keep_the_program_alive() {
    let (_listener, mut server, terminal) = ann(&[]).await;
    let text = "x".repeat(1_000);
    let lines: Vec<_> = (0..500).map(|_| format!("FROM bob MSG {text}")).collect();
    server.send_lines(&lines.join("\n")).await;
    server.send_lines("PING").await;
    server.expect("PONG").await;
    terminal.signal(Signal::TERM);
    server.answer_bye().await;
    let Terminal { mut child, reader: _reader, master: _master, .. } = terminal;
    assert_eq!(crate::scripted_server::within(child.wait()).await.unwrap().code(), Some(143));
}

#[tokio::test]
async fn a_stop_from_outside_restores_the_terminal_too() {
    let (listener, address) = listen().await;
    let mut terminal = Terminal::spawn(
        Command::new("sh").args(["-c", SHELL, PROGRAM, "--name", "ann", &address]).env("TERM", "xterm"),
    );
    let mut server = welcome(&listener, &mut terminal).await;
    terminal.press("my draft").await;
    terminal.until_typed(">> my draft").await;
    // The foreground process group is that of the job, which is one process.
    let job = rustix::termios::tcgetpgrp(&terminal.master).unwrap();
    kill_process(job, Signal::TSTP).unwrap();
    let screen = terminal.until(|screen| screen.contains("stopped:")).await;
    for mode in ["echo", "icanon", "icrnl"] {
        assert!(screen.contains(&format!(" {mode}")) && !screen.contains(&format!("-{mode}")), "{screen}");
    }
    terminal.press("\r").await;
    terminal.until_typed(">> my draft").await;
    kill_process(job, Signal::TERM).unwrap();
    terminal.during(server.expect("BYE")).await;
    server.send_lines("BYE").await;
    drop(server);
    terminal.until(|screen| screen.contains("ended: 143")).await;
}

#[tokio::test]
async fn ctrl_z_without_a_shell_stops_nothing() {
    let (_listener, mut server, mut terminal) = ann(&[]).await;
    terminal.press("\x1a").await;
    terminal.until(|screen| screen.contains("there is no shell to return to")).await;
    server.send_lines("FROM bob MSG still here").await;
    terminal.until(|screen| screen.contains("<bob> still here")).await;
}
