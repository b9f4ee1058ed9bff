//! The program at a pseudo-terminal. The tests see its screen.

mod people;
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
    process::hermetic,
    scripted_server::{Server, listen, within},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_chat-client");
/// The query for the position of the cursor.
const WHERE: &[u8] = b"\x1b[6n";

struct Terminal {
    reader: OwnedReadPty,
    writer: OwnedWritePty,
    screen: vt100::Parser,
    child: Child,
    /// The last bytes read: a query may be split between reads.
    tail: Vec<u8>,
    /// Answers that are held back.
    held: Option<String>,
    bells: usize,
    escapes: usize,
}

impl Terminal {
    fn start(args: &[&str]) -> Self {
        Self::of(Command::new(PROGRAM).args(args).env("TERM", "xterm-256color"))
    }

    /// Starts any command at a pseudo-terminal.
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

    /// Reads until the screen is as wanted.
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

    /// Reads until the last line is this.
    #[track_caller]
    fn until_typed(&mut self, line: &str) -> impl Future<Output = String> {
        self.until(move |screen| screen.trim_end().lines().last().is_some_and(|last| last == line))
    }

    /// Keeps the terminal running during another future.
    async fn beside<T>(&mut self, other: impl Future<Output = T>) -> T {
        let (mut other, mut alive) = (std::pin::pin!(other), true);
        loop {
            tokio::select! {
                done = &mut other => return done,
                seen = self.look(), if alive => alive = seen,
            }
        }
    }

    /// Reads once and answers queries, as a terminal does. `false`: the program has ended.
    async fn look(&mut self) -> bool {
        let mut bytes = [0; 4096];
        // A pseudo-terminal reports its end as an error.
        let Ok(count @ 1..) = self.reader.read(&mut bytes).await else { return false };
        self.screen.process(&bytes[..count]);
        self.bells += bytes[..count].split(|byte| *byte == 7).count() - 1;
        self.escapes += bytes[..count].split(|byte| *byte == 0x1b).count() - 1;
        self.tail.extend_from_slice(&bytes[..count]);
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

    /// Waits for the end of the program and returns its exit code.
    async fn end(mut self) -> Option<i32> {
        within(async { while self.look().await {} }).await;
        within(self.child.wait()).await.unwrap().code()
    }
}

/// Ann at a terminal. The roster is Bob and Ann.
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
        server.send_lines("LIST CLIENTS 2 bob ann").await;
        server
    };
    let (server, _) = tokio::join!(serve, terminal.until(|screen| screen.contains("2 here: bob ann")));
    server
}
