//! Tests of the program at a pseudo-terminal. They check the screen that a person would see.

mod habits;
mod nasty;
mod no_wrap;
mod people;
mod readme;
mod rows;
mod suspend;
mod ways_out;

use std::{
    os::fd::{AsFd, OwnedFd},
    path::Path,
    time::Duration,
};

use pty_process::{Command, OwnedReadPty, OwnedWritePty, Size};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Child,
};

use self::no_wrap::NoWrap;
use crate::{
    process::hermetic,
    scripted_server::{Server, listen, within},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_chat-client");
const BELL: u8 = 0x07;
const ESC: u8 = 0x1b;

struct Terminal {
    reader: OwnedReadPty,
    writer: OwnedWritePty,
    /// To ask for the modes of the terminal.
    master: OwnedFd,
    screen: vt100::Parser,
    no_wrap: NoWrap,
    child: Child,
    /// Everything that the program has written.
    output: Vec<u8>,
}

impl Terminal {
    /// Starts the program.
    fn start(args: &[&str]) -> Self {
        Self::spawn(Command::new(PROGRAM).args(args).env("TERM", "xterm-256color"))
    }

    /// Starts any command.
    fn spawn(command: Command) -> Self {
        Self::spawn_in(command, "/dev/null".as_ref())
    }

    /// Starts any command. The program keeps its state in this folder.
    fn spawn_in(command: Command, state: &Path) -> Self {
        let (pty, pts) = pty_process::open().unwrap();
        pty.resize(Size::new(24, 80)).unwrap();
        let command = command.envs(hermetic()).env("XDG_STATE_HOME", state).env("CHAT_TIME", "");
        let command = command.env_remove("NO_COLOR").env_remove("TMUX");
        let child = command.kill_on_drop(true).spawn(pts).unwrap();
        let master = pty.as_fd().try_clone_to_owned().unwrap();
        let (reader, writer) = pty.into_split();
        let (screen, no_wrap) = (vt100::Parser::new(24, 80, 1_000), NoWrap::default());
        Self { reader, writer, master, screen, no_wrap, child, output: Vec::new() }
    }

    /// How often the program has written this byte.
    fn written(&self, byte: u8) -> usize {
        self.output.split(|written| *written == byte).count() - 1
    }

    async fn press(&mut self, keys: &str) {
        self.press_bytes(keys.as_bytes()).await;
    }

    async fn press_bytes(&mut self, keys: &[u8]) {
        within(self.writer.write_all(keys)).await.unwrap();
    }

    /// Reads until the screen meets `is_wanted`.
    #[track_caller]
    fn until(&mut self, is_wanted: impl Fn(&str) -> bool) -> impl Future<Output = String> {
        let caller = std::panic::Location::caller();
        async move {
            loop {
                let screen = self.screen.screen().contents();
                let screen: String = screen.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
                if is_wanted(&screen) {
                    return screen;
                }
                let read = tokio::time::timeout(Duration::from_secs(20), self.read_once()).await;
                assert!(read == Ok(true), "timeout at {caller}; the screen is:\n{screen}");
            }
        }
    }

    /// Reads until `line` is the last line of the screen.
    #[track_caller]
    fn until_typed(&mut self, line: &str) -> impl Future<Output = String> {
        self.until(move |screen| screen.trim_end().lines().last().is_some_and(|last| last == line))
    }

    /// Runs another future, and reads meanwhile.
    async fn during<T>(&mut self, other: impl Future<Output = T>) -> T {
        let (mut other, mut is_open) = (std::pin::pin!(other), true);
        loop {
            tokio::select! {
                done = &mut other => return done,
                open = self.read_once(), if is_open => is_open = open,
            }
        }
    }

    /// Reads once. Returns `false` if the program has ended.
    async fn read_once(&mut self) -> bool {
        let mut bytes = [0; 4096];
        // A pseudo-terminal reports its end as an error.
        let Ok(count @ 1..) = self.reader.read(&mut bytes).await else { return false };
        self.no_wrap.show(&bytes[..count], &mut self.screen);
        self.output.extend_from_slice(&bytes[..count]);
        true
    }

    /// Waits for the end of the program and returns its exit code.
    async fn end(mut self) -> Option<i32> {
        within(async { while self.read_once().await {} }).await;
        within(self.child.wait()).await.unwrap().code()
    }
}

/// Starts the program as ann, in a room with bob.
async fn ann(args: &[&str]) -> (TcpListener, Server<TcpStream>, Terminal) {
    let (listener, address) = listen().await;
    let mut terminal = Terminal::start(&[&["--name", "ann", &address], args].concat());
    let server = welcome(&listener, &mut terminal).await;
    (listener, server, terminal)
}

/// Accepts the connection of ann, and sends the roster of bob and ann.
async fn welcome(listener: &TcpListener, terminal: &mut Terminal) -> Server<TcpStream> {
    let serve = async {
        let mut server = Server::accept(listener).await;
        server.welcome("ann").await;
        server.expect("REQ CLIENTS").await;
        server.send_lines("LIST CLIENTS 2 bob ann").await;
        server
    };
    let (server, _) = tokio::join!(serve, terminal.until(|screen| screen.contains("2 here: bob ann")));
    server
}
