//! The program at a pseudo-terminal, of which the test sees the screen as a person would.

mod people;
mod readme;
mod rows;
mod suspend;

use std::time::Duration;

use pty_process::{Command, OwnedReadPty, OwnedWritePty, Size};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Child,
};

use crate::{
    program::{hermetic, listen},
    script::{Server, within},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_chat-client");
/// What the program asks to learn where the cursor is.
const WHERE: &[u8] = b"\x1b[6n";

struct Terminal {
    reader: OwnedReadPty,
    writer: OwnedWritePty,
    screen: vt100::Parser,
    child: Child,
    /// The end of what was read, in which a question may have begun.
    tail: Vec<u8>,
    /// Answers that are late.
    held: Option<String>,
    bells: usize,
    escapes: usize,
}

impl Terminal {
    fn start(args: &[&str]) -> Self {
        Self::of(Command::new(PROGRAM).args(args).env("TERM", "xterm-256color"))
    }

    /// Of any command.
    fn of(command: Command) -> Self {
        let (pty, pts) = pty_process::open().unwrap();
        pty.resize(Size::new(24, 80)).unwrap();
        let command = command.envs(hermetic()).env("CHAT_TIME", "").env_remove("NO_COLOR");
        let child = command.kill_on_drop(true).spawn(pts).unwrap();
        let (reader, writer) = pty.into_split();
        let screen = vt100::Parser::new(24, 80, 1_000);
        Self { reader, writer, screen, child, tail: Vec::new(), held: None, bells: 0, escapes: 0 }
    }

    async fn press(&mut self, keys: &str) {
        within(self.writer.write_all(keys.as_bytes())).await.unwrap();
    }

    /// Looks at the screen until it is like this.
    #[track_caller]
    fn until(&mut self, wanted: impl Fn(&str) -> bool) -> impl Future<Output = String> {
        let place = std::panic::Location::caller();
        async move {
            loop {
                let screen = self.screen.screen().contents();
                let screen: String = screen.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
                if wanted(&screen) {
                    return screen;
                }
                let seen = tokio::time::timeout(Duration::from_secs(20), self.look()).await;
                assert!(seen == Ok(true), "awaited at {place}, the screen is:\n{screen}");
            }
        }
    }

    /// Waits until the last line is this.
    #[track_caller]
    fn until_typed(&mut self, line: &str) -> impl Future<Output = String> {
        self.until(move |screen| screen.trim_end().lines().last().is_some_and(|last| last == line))
    }

    /// Goes on as a terminal while something else is done.
    async fn beside<T>(&mut self, other: impl Future<Output = T>) -> T {
        let (mut other, mut alive) = (std::pin::pin!(other), true);
        loop {
            tokio::select! {
                done = &mut other => return done,
                seen = self.look(), if alive => alive = seen,
            }
        }
    }

    /// Takes what comes, as a terminal does. `false`: the program is gone.
    async fn look(&mut self) -> bool {
        let mut octets = [0; 4096];
        // The end of a pseudo-terminal is an error.
        let Ok(count @ 1..) = self.reader.read(&mut octets).await else { return false };
        self.screen.process(&octets[..count]);
        self.bells += octets[..count].split(|octet| *octet == 7).count() - 1;
        self.escapes += octets[..count].split(|octet| *octet == 0x1b).count() - 1;
        self.tail.extend_from_slice(&octets[..count]);
        let asked = self.tail.windows(WHERE.len()).filter(|window| *window == WHERE).count();
        self.tail.drain(..self.tail.len().saturating_sub(WHERE.len() - 1));
        for _ in 0..asked {
            let (row, column) = self.screen.screen().cursor_position();
            let answer = format!("\x1b[{};{}R", row + 1, column + 1);
            match &mut self.held {
                Some(held) => held.push_str(&answer),
                None => self.press(&answer).await,
            }
        }
        true
    }

    /// The exit code.
    async fn end(mut self) -> Option<i32> {
        within(async { while self.look().await {} }).await;
        within(self.child.wait()).await.unwrap().code()
    }
}

/// Ann at a terminal, in the room with Bob.
async fn ann(args: &[&str]) -> (TcpListener, Server<TcpStream>, Terminal) {
    let (listener, address) = listen().await;
    let mut terminal = Terminal::start(&[&["--name", "ann", &address], args].concat());
    let server = welcome(&listener, &mut terminal).await;
    (listener, server, terminal)
}

async fn welcome(listener: &TcpListener, terminal: &mut Terminal) -> Server<TcpStream> {
    let serve = async {
        let mut server = Server::accept(listener).await;
        server.welcome("ann").await;
        server.expect("REQ CLIENTS").await;
        server.lines("LIST CLIENTS 2 bob ann").await;
        server
    };
    let (server, _) = tokio::join!(serve, terminal.until(|screen| screen.contains("2 here: bob ann")));
    server
}
