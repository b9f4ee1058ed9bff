//! One connection: lines out of a stream of bytes, each waited for as long as it may take and no longer.

use std::{io, net::SocketAddr, time::Duration};

use bytes::BytesMut;
use chat_proto::{MAX_LINE, MAX_UNTERMINATED};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::{coop::consume_budget, yield_now},
    time::{Instant, timeout, timeout_at},
};

use super::Wrong;

/// Room for each read.
const AT_ONCE: usize = 8 * 1024;
/// What came before a deadline is a line in time, also when it is read after it. Of a peer that never stops sending, so many
/// bytes may be that.
const MOST_LATE: usize = 64 * 1024;

/// A connection that speaks in raw bytes.
#[derive(Debug)]
pub(crate) struct Peer {
    stream: TcpStream,
    received: BytesMut,
    /// So many bytes of `received` hold no LF.
    searched: usize,
    /// How many bytes of lines were taken after their deadline.
    late: usize,
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
    /// More bytes without an LF than any receiver has to bear.
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
        let received = BytesMut::with_capacity(AT_ONCE);
        Ok(Self { stream, received, searched: 0, late: 0, first: Vec::new(), sends: true, ended: false })
    }

    /// Sends in writes of so many bytes. A server that has closed already is no error here: what it sent will tell.
    pub(crate) async fn send(&mut self, bytes: &[u8], piece: usize, until: Instant) {
        if !self.first.ends_with(b"\n") {
            let end = bytes.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |at| at + 1);
            self.first.extend(&bytes[..end]);
        }
        for piece in bytes.chunks(piece.max(1)) {
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

    #[allow(deprecated, reason = "what replaces it needs a newer Tokio, and zero never blocks")]
    pub(crate) fn reset(self) {
        drop(self.stream.set_linger(Some(Duration::ZERO)));
    }

    /// Whether it may still send, for all that is known here.
    pub(crate) fn is_open(&self) -> bool {
        self.sends && !self.ended
    }

    /// Whether its first line asks for CRLF (clause 1.2).
    pub(crate) fn wants_crlf(&self) -> bool {
        !self.first.ends_with(b"\n") || self.first.ends_with(b"\r\n")
    }

    /// The next line. A peer that never stops sending does not push the deadline.
    pub(crate) async fn line(&mut self, until: Instant) -> Got {
        // Lines that are there already take no wait: without this, others would have no turn.
        consume_budget().await;
        let is_late = Instant::now() >= until;
        if !is_late {
            self.late = 0;
        } else if self.late > MOST_LATE {
            return Got::Silent;
        }
        loop {
            if let Some(at) = self.received[self.searched..].iter().position(|&byte| byte == b'\n') {
                let line = self.received.split_to(self.searched + at + 1).to_vec();
                self.searched = 0;
                self.late += if is_late { line.len() } else { 0 };
                return Got::Line(line);
            }
            self.searched = self.received.len();
            if self.received.len() > MAX_UNTERMINATED {
                return Got::TooLong(self.rest());
            }
            match self.read(until).await {
                None => return Got::Silent,
                Some(Ok(1..)) => {}
                // A reset is an end too.
                Some(_) => {
                    self.ended = true;
                    return Got::Eof(self.rest());
                }
            }
        }
    }

    /// Reads once. `None`: nothing came in time.
    async fn read(&mut self, until: Instant) -> Option<io::Result<usize>> {
        self.received.reserve(AT_ONCE);
        if let Ok(read) = timeout_at(until, self.stream.read_buf(&mut self.received)).await {
            return Some(read);
        }
        // This process may have slept over the deadline: the runtime looks at the socket once more before the time counts.
        yield_now().await;
        timeout(Duration::ZERO, self.stream.read_buf(&mut self.received)).await.ok()
    }

    fn rest(&mut self) -> Vec<u8> {
        self.searched = 0;
        self.received.split().to_vec()
    }
}

/// The text of a line, or what is wrong with its bytes (section 1).
pub(crate) fn check_bytes(line: &[u8], crlf: bool) -> Result<String, Wrong> {
    if line.len() > MAX_LINE {
        return Err(Wrong::by("1.3", format!("a line of {} bytes, of {MAX_LINE} at most", line.len())));
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
