//! A client of a simulation that acts at random. What it does follows from its seeded generator.

use std::time::Duration;

use chat_server::{
    ChatServer, Name,
    testkit::{Ask, Rng, Session},
};
use tokio::{
    io::AsyncWriteExt,
    time::{sleep, timeout},
};

use super::{attach_faulty, client::Client};

/// Connects several times, under its own name or under one that all actors share.
pub(super) struct Actor {
    server: ChatServer,
    number: usize,
    rng: Rng,
    sent: u32,
}

impl Actor {
    pub(super) fn new(server: ChatServer, number: usize, rng: Rng) -> Self {
        Self { server, number, rng, sent: 0 }
    }

    pub(super) async fn play(mut self) -> Vec<Session> {
        let mut sessions = Vec::new();
        for _ in 0..=self.rng.index(4) {
            // Another client may already have the shared name.
            let name = if self.rng.one_in(6) { "shared".to_owned() } else { format!("actor{}", self.number) };
            let stream = attach_faulty(&self.server, &mut self.rng);
            let mut client = match self.rng.index(6) {
                0 => Client::plain(stream, "\r\n"),
                1 => Client::plain(stream, "\n"),
                _ => Client::named(stream, &name),
            };
            // Longer than all timeouts of the server.
            let outcome = timeout(Duration::from_secs(10 + self.rng.below(20)), self.session(&mut client)).await;
            if outcome.is_err() && self.rng.one_in(2) {
                let _ = timeout(Duration::from_secs(1), client.writer.shutdown()).await;
                let _ = timeout(Duration::from_secs(60), client.read_to_end()).await;
            }
            sessions.push(client.record);
        }
        sessions
    }

    /// Plays one session. The caller may cancel it at any moment.
    async fn session(&mut self, client: &mut Client) {
        let entered = match client.record.name() {
            Some(name) => self.log_in(client, name).await,
            None => self.open(client).await,
        };
        if entered.is_none() {
            return;
        }
        for _ in 0..self.rng.index(40) {
            if self.act(client).await.is_none() {
                return;
            }
        }
        match self.rng.index(4) {
            0 => {}
            1 => {
                let _ = client.writer.shutdown().await;
                client.read_to_end().await;
            }
            _ => {
                client.record.asks(Ask::Bye);
                let bye = format!("BYE{}", client.terminator());
                if self.write(client, bye.as_bytes()).await.is_some() {
                    client.read_to_end().await;
                }
            }
        }
    }

    /// Logs in by name. `None`: the session ended before the join.
    async fn log_in(&mut self, client: &mut Client, name: Name) -> Option<()> {
        let opening = match self.rng.index(8) {
            0 => String::new(),
            1 => "PROT 0.1 CONN".to_owned(),
            2 => format!("PROT 0.1 CONNECT NEW\r\nNAME guest7\r\nNAME {name}\r\n"),
            3 => format!("PROT 0.1 CONNECT NEW\r\n{}", "NAME no*name\r\n".repeat(5)),
            _ => format!("PROT 0.1 CONNECT USER {name}\r\n"),
        };
        self.write(client, opening.as_bytes()).await?;
        // Wait for `WELCOME` before the first message. If the server refused the name, it would also refuse the message,
        // as a line before login.
        loop {
            let line = client.reader.next().await?;
            client.record.hears(&line);
            if line == "WELCOME" {
                return Some(());
            }
        }
    }

    /// Opens a plain session. Any line does so, since there is no login. With LF, the first line is empty: the answer to an
    /// invalid first line would end in CRLF (clause 1.2).
    async fn open(&mut self, client: &mut Client) -> Option<()> {
        let terminator = client.terminator();
        if terminator == "\n" || self.rng.one_in(4) {
            self.write(client, terminator.as_bytes()).await
        } else {
            Some(())
        }
    }

    /// Does one random thing. `None`: the session is over.
    async fn act(&mut self, client: &mut Client) -> Option<()> {
        match self.rng.index(16) {
            // A plain client has no requests, only empty lines.
            0 | 1 if client.is_plain() => self.write(client, client.terminator().as_bytes()).await,
            0 => {
                client.record.asks(Ask::Clients);
                self.write(client, b"REQ CLIENTS\r\n").await
            }
            1 => {
                client.record.asks(Ask::Ping);
                self.write(client, b"PING\r\n").await
            }
            2 => {
                client.record.asks(Ask::Nonsense);
                let nonsense: [&[u8]; 4] = if client.is_plain() {
                    [b"\x1b[2J", b"caf\xe9", b"\xff", b"a\rFROM eve MSG b"]
                } else {
                    [b"MSG \x1b[2J", b"NONSENSE", b"MSG \xff", b"MSG a\rFROM eve MSG b"]
                };
                let line = [nonsense[self.rng.index(4)], client.terminator().as_bytes()].concat();
                self.write(client, &line).await
            }
            3 | 4 => {
                // Read nothing for a while.
                sleep(Duration::from_millis(self.rng.below(1_000))).await;
                Some(())
            }
            5..=8 => self.read_for_a_while(client).await,
            9 => {
                let text = "x".repeat(1 + self.rng.index(1_500));
                self.send_messages(client, 1, &text).await
            }
            10 => {
                let messages = 1 + self.rng.index(40);
                self.send_messages(client, messages, "").await
            }
            _ => self.send_messages(client, 1, "").await,
        }
    }

    async fn send_messages(&mut self, client: &mut Client, messages: usize, text: &str) -> Option<()> {
        let mut lines = String::new();
        for _ in 0..messages {
            self.sent += 1;
            let text = format!("{}-{} {text}.", self.number, self.sent);
            lines.push_str(&client.message(&text));
            client.record.asks(Ask::Say(text.parse().unwrap()));
        }
        self.write(client, lines.as_bytes()).await
    }

    /// Writes the bytes in one piece or in several. Reads meanwhile.
    async fn write(&mut self, client: &mut Client, bytes: &[u8]) -> Option<()> {
        let (mut rest, in_pieces) = (bytes, self.rng.one_in(4));
        while !rest.is_empty() {
            let length = if in_pieces { 1 + self.rng.index(rest.len()) } else { rest.len() };
            let (piece, later) = rest.split_at(length);
            let Client { reader, writer, record, .. } = client;
            let mut writing = std::pin::pin!(writer.write_all(piece));
            loop {
                tokio::select! {
                    biased;
                    written = &mut writing => break written.ok()?,
                    line = reader.next() => record.hears(&line?),
                }
            }
            rest = later;
            if in_pieces {
                sleep(Duration::from_millis(self.rng.below(50))).await;
            }
        }
        Some(())
    }

    /// Reads until no line has arrived for a while.
    async fn read_for_a_while(&mut self, client: &mut Client) -> Option<()> {
        let wait = Duration::from_millis(self.rng.below(300));
        loop {
            match timeout(wait, client.reader.next()).await {
                Ok(line) => {
                    let line = line?;
                    client.record.hears(&line);
                    if line == "PING" && !self.rng.one_in(10) {
                        self.write(client, b"PONG\r\n").await?;
                    }
                }
                Err(_) => return Some(()),
            }
        }
    }
}
