//! One connection: lines out of a stream of octets, each waited for as long as it may take and no longer.

use std::{io, net::SocketAddr, time::Duration};

use chat_proto::{MAX_LINE, MAX_UNTERMINATED};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};

use super::Wrong;

/// A connection that speaks in raw octets.
#[derive(Debug)]
pub(crate) struct Peer {
    stream: TcpStream,
    received: Vec<u8>,
    /// What it has sent of its first line.
    first: Vec<u8>,
    sends: bool,
    ended: bool,
}

/// What came.
#[derive(Debug)]
pub(crate) enum Got {
    /// A line, with its terminator.
    Line(Vec<u8>),
    /// The end, and what stood before it without a terminator.
    Eof(Vec<u8>),
    /// More octets without an LF than any receiver has to bear.
    TooLong(Vec<u8>),
    /// Nothing in time.
    Silent,
}

impl Peer {
    pub(crate) async fn connect(address: SocketAddr, patience: Duration) -> io::Result<Self> {
        let stream = timeout(patience, TcpStream::connect(address)).await.map_err(|_| io::ErrorKind::TimedOut)??;
        Self::over(stream)
    }

    pub(crate) fn over(stream: TcpStream) -> io::Result<Self> {
        // What is written apart shall arrive apart.
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::new(), first: Vec::new(), sends: true, ended: false })
    }

    /// Sends in writes of so many octets. A server that has closed already is no error here: what it sent will tell.
    pub(crate) async fn send(&mut self, octets: &[u8], piece: usize, until: Instant) {
        if !self.first.ends_with(b"\n") {
            let end = octets.iter().position(|&octet| octet == b'\n').map_or(octets.len(), |at| at + 1);
            self.first.extend(&octets[..end]);
        }
        for piece in octets.chunks(piece.max(1)) {
            if !matches!(timeout_at(until, self.stream.write_all(piece)).await, Ok(Ok(()))) {
                break;
            }
        }
    }

    pub(crate) async fn half_close(&mut self) {
        self.sends = false;
        // A connection that is closed already is as closed as it can be.
        drop(self.stream.shutdown().await);
    }

    pub(crate) fn reset(self) {
        drop(self.stream.set_zero_linger());
    }

    /// Whether it may still send, for all that is known here.
    pub(crate) fn is_open(&self) -> bool {
        self.sends && !self.ended
    }

    /// Whether its first line asks for CRLF (clause 1.2).
    pub(crate) fn wants_crlf(&self) -> bool {
        !self.first.ends_with(b"\n") || self.first.ends_with(b"\r\n")
    }

    pub(crate) async fn line(&mut self, until: Instant) -> Got {
        loop {
            if let Some(end) = self.received.iter().position(|&octet| octet == b'\n') {
                return Got::Line(self.received.drain(..=end).collect());
            }
            if self.received.len() > MAX_UNTERMINATED {
                return Got::TooLong(std::mem::take(&mut self.received));
            }
            match timeout_at(until, self.stream.read_buf(&mut self.received)).await {
                Err(_) => return Got::Silent,
                Ok(Ok(1..)) => {}
                // A reset is an end too.
                Ok(_) => {
                    self.ended = true;
                    return Got::Eof(std::mem::take(&mut self.received));
                }
            }
        }
    }
}

/// The text of a line, or what is wrong with its octets (section 1).
pub(crate) fn check_octets(line: &[u8], crlf: bool) -> Result<String, Wrong> {
    if line.len() > MAX_LINE {
        return Err(Wrong::by("1.3", format!("a line of {} octets, of {MAX_LINE} at most", line.len())));
    }
    let text = match (line.strip_suffix(b"\r\n"), crlf) {
        (Some(text), true) => text,
        (Some(_), false) => return Err(Wrong::by("1.2", "the line ends in CRLF, the client's first one in a bare LF")),
        (None, true) => return Err(Wrong::by("1.2", "the line does not end in CRLF")),
        (None, false) => line.strip_suffix(b"\n").unwrap_or(line),
    };
    if text.contains(&b'\r') {
        return Err(Wrong::by("1.1", "a CR inside of a line"));
    }
    match std::str::from_utf8(text) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(Wrong::by("1.3", "the line is not UTF-8")),
    }
}
