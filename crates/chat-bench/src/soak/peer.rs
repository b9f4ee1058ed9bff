//! A client in this process. Good and bad clients use it to log in, send lines and receive lines.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

/// Maximum time to wait for a line. A working server is far faster.
const TIMEOUT: Duration = Duration::from_secs(30);

pub(super) struct Peer {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
}

pub(super) struct Reader {
    stream: BufReader<OwnedReadHalf>,
    line: String,
}

pub(super) struct Writer(OwnedWriteHalf);

impl Peer {
    pub(super) fn over(stream: TcpStream) -> Self {
        let (reader, writer) = stream.into_split();
        let reader = Reader { stream: BufReader::new(reader), line: String::new() };
        Self { reader, writer: Writer(writer) }
    }

    /// Connects and logs in.
    pub(super) async fn join(address: SocketAddr, name: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect")?;
        Self::over(stream).log_in(name).await
    }

    /// Logs in. Fails if the server does not accept the name.
    pub(super) async fn log_in(mut self, name: &str) -> Result<Self> {
        self.writer.send(&format!("PROT 0.1 CONNECT USER {name}")).await?;
        for expected in ["NAME OK", "WELCOME"] {
            let line = self.reader.line().await?;
            if line != expected {
                bail!("{name} received {line:?} instead of {expected}");
            }
        }
        Ok(self)
    }
}

impl Reader {
    /// Receives the next line, without its CRLF. Returns an empty line at the end of the connection.
    pub(super) async fn line(&mut self) -> Result<&str> {
        self.line.clear();
        let read = timeout(TIMEOUT, self.stream.read_line(&mut self.line)).await;
        let read = read.with_context(|| format!("no line arrived within {} s", TIMEOUT.as_secs()))?;
        read.context("cannot receive")?;
        Ok(self.line.trim_end_matches("\r\n"))
    }
}

impl Writer {
    /// Sends a line and its CRLF.
    pub(super) async fn send(&mut self, line: &str) -> Result<()> {
        let line = format!("{line}\r\n");
        self.0.write_all(line.as_bytes()).await.context("cannot send")
    }
}
