//! The clients of a simulation: a good one that listens, and one that does whatever its generator says.

use std::time::Duration;

use chat_server::{
    ChatServer,
    testkit::{Ask, Rng, Session},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, split},
    time::{sleep, timeout},
};

use super::attach_faulty;

/// A session and its stream.
pub(super) struct Client {
    reader: Lines,
    writer: WriteHalf<DuplexStream>,
    record: Session,
}

/// Lines as they come. One without its end was never heard.
struct Lines {
    io: ReadHalf<DuplexStream>,
    received: Vec<u8>,
}

impl Lines {
    /// Nothing is lost if the future is dropped.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.received.iter().position(|&octet| octet == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                let line = String::from_utf8(line).expect("the server sends UTF-8");
                return Some(line.strip_suffix("\r\n").expect("the server ends lines by CRLF").to_owned());
            }
            if !matches!(self.io.read_buf(&mut self.received).await, Ok(1..)) {
                return None;
            }
        }
    }
}

impl Client {
    fn new(stream: DuplexStream, name: &str) -> Self {
        let (io, writer) = split(stream);
        let record = Session::new(name.parse().unwrap());
        Self { reader: Lines { io, received: Vec::new() }, writer, record }
    }

    /// Logs in; nothing goes wrong.
    pub(super) async fn join(stream: DuplexStream, name: &str) -> Self {
        let mut client = Self::new(stream, name);
        client.writer.write_all(format!("PROT 0.1 CONNECT USER {name}\r\n").as_bytes()).await.unwrap();
        for expected in ["NAME OK", "WELCOME"] {
            let line = client.reader.next().await.unwrap();
            client.record.hears(&line);
            assert_eq!(line, expected);
        }
        client
    }

    /// Hears everything to the end, and answers what it is asked.
    pub(super) async fn listen(mut self) -> Session {
        while let Some(line) = self.reader.next().await {
            self.record.hears(&line);
            if line == "PING" {
                self.writer.write_all(b"PONG\r\n").await.unwrap();
            }
        }
        self.record
    }
}

/// Somebody who comes and goes under one name, or two.
pub(super) struct Actor {
    server: ChatServer,
    number: usize,
    rng: Rng,
    said: u32,
}

impl Actor {
    pub(super) fn new(server: ChatServer, number: usize, rng: Rng) -> Self {
        Self { server, number, rng, said: 0 }
    }

    pub(super) async fn play(mut self) -> Vec<Session> {
        let mut sessions = Vec::new();
        for _ in 0..=self.rng.index(4) {
            // Some want a name that another has too; who has it, keeps it.
            let name = if self.rng.one_in(6) { "shared".to_owned() } else { format!("actor{}", self.number) };
            let stream = attach_faulty(&self.server, &mut self.rng);
            let mut client = Client::new(stream, &name);
            // Some deadline of the server's is met long before.
            let over = timeout(Duration::from_secs(10 + self.rng.below(20)), self.session(&mut client)).await;
            if over.is_err() && self.rng.one_in(2) {
                let _ = timeout(Duration::from_secs(1), client.writer.shutdown()).await;
                let _ = timeout(Duration::from_secs(60), hear_all(&mut client)).await;
            }
            sessions.push(client.record);
        }
        sessions
    }

    /// One session, in which it may stop at any moment. What is left open is closed when the client is dropped.
    async fn session(&mut self, client: &mut Client) {
        let opening = match self.rng.index(8) {
            0 => String::new(),
            1 => "PROT 0.1 CONN".to_owned(),
            2 => format!("PROT 0.1 CONNECT NEW\r\nNAME guest7\r\nNAME {}\r\n", client.record.name()),
            3 => format!("PROT 0.1 CONNECT NEW\r\n{}", "NAME no*name\r\n".repeat(5)),
            _ => format!("PROT 0.1 CONNECT USER {}\r\n", client.record.name()),
        };
        if self.write(client, opening.as_bytes()).await.is_none() {
            return;
        }
        // Until it is in, it says nothing: a name that is refused would make a message a line of nonsense.
        loop {
            let Some(line) = client.reader.next().await else { return };
            client.record.hears(&line);
            if line == "WELCOME" {
                break;
            }
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
                hear_all(client).await;
            }
            _ => {
                client.record.asks(Ask::Bye);
                if self.write(client, b"BYE\r\n").await.is_some() {
                    hear_all(client).await;
                }
            }
        }
    }

    /// `None`: the session is over.
    async fn act(&mut self, client: &mut Client) -> Option<()> {
        match self.rng.index(16) {
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
                let nonsense: [&[u8]; 4] =
                    [b"MSG \x1b[2J\r\n", b"NONSENSE\r\n", b"MSG \xff\r\n", b"MSG a\rFROM eve MSG b\r\n"];
                let nonsense = nonsense[self.rng.index(4)];
                self.write(client, nonsense).await
            }
            3 | 4 => {
                // It does something else for a while, and does not read.
                sleep(Duration::from_millis(self.rng.below(1_000))).await;
                Some(())
            }
            5..=8 => self.hear(client).await,
            9 => {
                let text = "x".repeat(1 + self.rng.index(1_500));
                self.say(client, 1, &text).await
            }
            10 => {
                let messages = 1 + self.rng.index(40);
                self.say(client, messages, "").await
            }
            _ => self.say(client, 1, "").await,
        }
    }

    async fn say(&mut self, client: &mut Client, messages: usize, text: &str) -> Option<()> {
        let mut lines = String::new();
        for _ in 0..messages {
            self.said += 1;
            let text = format!("{}-{} {text}.", self.number, self.said);
            lines.extend(["MSG ", &text, "\r\n"]);
            client.record.asks(Ask::Say(text.parse().unwrap()));
        }
        self.write(client, lines.as_bytes()).await
    }

    /// Writes, in one piece or in several; and reads meanwhile, as long as it can.
    async fn write(&mut self, client: &mut Client, octets: &[u8]) -> Option<()> {
        let (mut rest, cut) = (octets, self.rng.one_in(4));
        while !rest.is_empty() {
            let piece = if cut { 1 + self.rng.index(rest.len()) } else { rest.len() };
            let (now, later) = rest.split_at(piece);
            let Client { reader, writer, record } = client;
            let mut writing = std::pin::pin!(writer.write_all(now));
            loop {
                tokio::select! {
                    biased;
                    written = &mut writing => break written.ok()?,
                    line = reader.next() => record.hears(&line?),
                }
            }
            rest = later;
            if cut {
                sleep(Duration::from_millis(self.rng.below(50))).await;
            }
        }
        Some(())
    }

    /// Hears what is there, and a little longer.
    async fn hear(&mut self, client: &mut Client) -> Option<()> {
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

async fn hear_all(client: &mut Client) {
    while let Some(line) = client.reader.next().await {
        client.record.hears(&line);
    }
}
