//! A client in lines, over a socket of this process.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

use crate::Failure;

/// Longer than a line takes to come from a server that works.
const PATIENCE: Duration = Duration::from_secs(30);

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

    pub(super) async fn join(address: SocketAddr, name: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await.map_err(Failure::while_doing("connect"))?;
        Self::over(stream).log_in(name).await
    }

    pub(super) async fn log_in(mut self, name: &str) -> Result<Self, Failure> {
        self.writer.say(&format!("PROT 0.1 CONNECT USER {name}")).await?;
        for expected in ["NAME OK", "WELCOME"] {
            let line = self.reader.line().await?;
            if line != expected {
                return Err(Failure::work(format!("{name} got {line:?} and not {expected}")));
            }
        }
        Ok(self)
    }
}

impl Reader {
    /// The next line; empty at the end.
    pub(super) async fn line(&mut self) -> Result<&str, Failure> {
        self.line.clear();
        let read = timeout(PATIENCE, self.stream.read_line(&mut self.line)).await;
        let read = read.map_err(|_| Failure::work("a line does not come"))?;
        read.map_err(Failure::while_doing("receive"))?;
        Ok(self.line.trim_end_matches("\r\n"))
    }
}

impl Writer {
    pub(super) async fn say(&mut self, line: &str) -> Result<(), Failure> {
        let line = format!("{line}\r\n");
        self.0.write_all(line.as_bytes()).await.map_err(Failure::while_doing("send"))
    }
}
