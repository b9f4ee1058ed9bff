//! One client of the demo: a socket and lines, nothing of the project's own libraries, so that one sees the wire.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use crate::Failure;

/// A line takes less than a millisecond. What is not there by then will not come.
const LONGEST: Duration = Duration::from_secs(3);

pub(super) struct Client {
    name: &'static str,
    stream: BufReader<TcpStream>,
    terminator: &'static str,
}

impl Client {
    /// A connection, over which nothing has been said.
    pub(super) async fn connect(name: &'static str, server: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(server).await.map_err(Failure::while_doing("connect"))?;
        // Netcat ends its lines as the terminal does, and gets them back so (clause 1.2).
        let terminator = if name == "nc" { "\n" } else { "\r\n" };
        Ok(Self { name, stream: BufReader::new(stream), terminator })
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Sends a line.
    pub(super) async fn say(&mut self, line: &str) -> Result<(), Failure> {
        println!("{:<3} > {line}", self.name);
        let line = format!("{line}{}", self.terminator);
        self.stream.write_all(line.as_bytes()).await.map_err(Failure::while_doing("send"))
    }

    /// Receives a line, which has to be this one.
    pub(super) async fn hear(&mut self, expected: &str) -> Result<(), Failure> {
        let mut line = String::new();
        let read = timeout(LONGEST, self.stream.read_line(&mut line)).await;
        let late = |_| Failure::work(format!("{} waits in vain for `{expected}`", self.name));
        read.map_err(late)?.map_err(Failure::while_doing("receive"))?;
        println!("{:<3} < {}", self.name, line.trim_end_matches(['\r', '\n']));
        if line.strip_suffix(self.terminator) == Some(expected) {
            return Ok(());
        }
        Err(Failure::work(format!("{} should have got `{expected}`, and not {line:?}", self.name)))
    }

    /// Receives nothing any more.
    pub(super) async fn hear_the_end(mut self) -> Result<(), Failure> {
        let mut more = [0; 80];
        let read = timeout(LONGEST, self.stream.read(&mut more)).await;
        let late = |_| Failure::work(format!("{} waits in vain for the end", self.name));
        let count = read.map_err(late)?.map_err(Failure::while_doing("receive"))?;
        if count == 0 {
            return Ok(());
        }
        let more = String::from_utf8_lossy(&more[..count]);
        Err(Failure::work(format!("{} should have got nothing more, and not {more:?}", self.name)))
    }
}
