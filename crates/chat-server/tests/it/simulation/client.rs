//! A client of a simulation: its stream and the record of its session.

use chat_server::testkit::{Ask, Session};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, split};

pub(super) struct Client {
    pub(super) reader: Lines,
    pub(super) writer: WriteHalf<DuplexStream>,
    pub(super) record: Session,
}

/// Reads complete lines. Drops an unterminated last line.
pub(super) struct Lines {
    io: ReadHalf<DuplexStream>,
    received: Vec<u8>,
    /// The terminator that the client uses, and therefore the server too (clause 1.2).
    terminator: &'static str,
}

impl Lines {
    /// The next line, or `None` at the end. Dropping the future loses no bytes.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.received.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                let line = String::from_utf8(line).expect("the server sends UTF-8");
                return Some(
                    line.strip_suffix(self.terminator).expect("the server ends lines as the client does").to_owned(),
                );
            }
            if !matches!(self.io.read_buf(&mut self.received).await, Ok(1..)) {
                return None;
            }
        }
    }
}

impl Client {
    pub(super) fn named(stream: DuplexStream, name: &str) -> Self {
        Self::new(stream, Session::new(name.parse().unwrap()), "\r\n")
    }

    pub(super) fn plain(stream: DuplexStream, terminator: &'static str) -> Self {
        Self::new(stream, Session::plain(), terminator)
    }

    fn new(stream: DuplexStream, record: Session, terminator: &'static str) -> Self {
        let (io, writer) = split(stream);
        Self { reader: Lines { io, received: Vec::new(), terminator }, writer, record }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.record.name().is_none()
    }

    /// The terminator of the client's lines.
    pub(super) fn terminator(&self) -> &'static str {
        self.reader.terminator
    }

    /// The line that sends this text.
    pub(super) fn message(&self, text: &str) -> String {
        let verb = if self.is_plain() { "" } else { "MSG " };
        format!("{verb}{text}{}", self.terminator())
    }

    /// Joins. Panics if the server does not admit the client.
    pub(super) async fn enter(mut self) -> Self {
        let (line, answers): (_, &[&str]) = if let Some(name) = self.record.name() {
            (format!("PROT 0.1 CONNECT USER {name}\r\n"), &["NAME OK", "WELCOME"])
        } else {
            self.record.asks(Ask::Say("here".parse().unwrap()));
            (self.message("here"), &["OK"])
        };
        self.writer.write_all(line.as_bytes()).await.unwrap();
        for answer in answers {
            let line = self.reader.next().await.unwrap();
            self.record.hears(&line);
            assert_eq!(line, *answer);
        }
        self
    }

    /// Reads and answers each `PING`, up to the end of the stream.
    pub(super) async fn listen(mut self) -> Session {
        while let Some(line) = self.reader.next().await {
            self.record.hears(&line);
            if line == "PING" {
                self.writer.write_all(b"PONG\r\n").await.unwrap();
            }
        }
        self.record
    }

    /// Reads up to the end of the stream.
    pub(super) async fn read_to_end(&mut self) {
        while let Some(line) = self.reader.next().await {
            self.record.hears(&line);
        }
    }
}
