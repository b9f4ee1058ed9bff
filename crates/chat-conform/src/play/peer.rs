//! One connection: sends bytes, and reads lines with a deadline for each.

use std::{io, net::SocketAddr, time::Duration};

use bytes::BytesMut;
use chat_proto::{MAX_LINE, MAX_UNTERMINATED};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::{coop::consume_budget, yield_now},
    time::{Instant, timeout, timeout_at},
};

use super::{Violation, origin::Origin};

/// Buffer space for each read, in bytes.
const READ_SIZE: usize = 8 * 1024;
/// A line that arrived before the deadline counts, even if it is read later. If the peer never stops sending, this many
/// bytes are accepted after the deadline.
const MAX_LATE_BYTES: usize = 64 * 1024;

/// A TCP connection to the program under test.
#[derive(Debug)]
pub(crate) struct Peer {
    stream: TcpStream,
    received: BytesMut,
    /// How many bytes at the start of `received` are known to contain no LF.
    searched: usize,
    /// How many bytes of lines were read after their deadline.
    late_bytes: usize,
    /// Whether the sending side is open.
    can_send: bool,
    /// Whether the peer has closed its sending side, or has reset the connection.
    ended: bool,
    /// Whether the peer has reset the connection.
    was_reset: bool,
}

/// The result of sending.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sent {
    /// All bytes are on their way.
    All,
    /// The peer has closed or reset the connection.
    Closed,
    /// The peer does not read: the deadline has passed.
    Stalled,
}

/// The result of reading a line.
#[derive(Debug)]
pub(crate) enum LineRead {
    /// A line, with its terminator.
    Line(Vec<u8>),
    /// The peer has closed or reset the connection. Holds the bytes after the last LF.
    Eof(Vec<u8>),
    /// More than `MAX_UNTERMINATED` bytes without LF (clause 1.4).
    TooLong(Vec<u8>),
    /// No line before the deadline.
    TimedOut,
}

impl Peer {
    pub(crate) async fn connect(address: SocketAddr, line_timeout: Duration) -> io::Result<Self> {
        Self::connect_from(address, line_timeout, Origin::default()).await
    }

    /// Connects as `origin` says.
    pub(crate) async fn connect_from(address: SocketAddr, line_timeout: Duration, origin: Origin) -> io::Result<Self> {
        let stream = timeout(line_timeout, origin.connect(address)).await.map_err(|_| io::ErrorKind::TimedOut)??;
        Self::from_stream(stream)
    }

    pub(crate) fn from_stream(stream: TcpStream) -> io::Result<Self> {
        // Nagle's algorithm would merge writes that a case keeps apart.
        stream.set_nodelay(true)?;
        let received = BytesMut::with_capacity(READ_SIZE);
        Ok(Self { stream, received, searched: 0, late_bytes: 0, can_send: true, ended: false, was_reset: false })
    }

    /// Sends `bytes` in writes of at most `max_write` bytes. A closed connection is no error here: the next read
    /// reports it.
    pub(crate) async fn send(&mut self, bytes: &[u8], max_write: usize, deadline: Instant) -> Sent {
        for piece in bytes.chunks(max_write.max(1)) {
            match timeout_at(deadline, self.stream.write_all(piece)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Sent::Closed,
                Err(_) => return Sent::Stalled,
            }
        }
        Sent::All
    }

    /// Closes the sending side.
    pub(crate) async fn half_close(&mut self) {
        self.can_send = false;
        // This fails if the peer has reset the connection. Then the sending side is closed too.
        drop(self.stream.shutdown().await);
    }

    /// Resets the connection: the close sends RST instead of FIN.
    #[allow(deprecated, reason = "the replacement needs a newer Tokio; a zero linger never blocks")]
    pub(crate) fn reset(self) {
        drop(self.stream.set_linger(Some(Duration::ZERO)));
    }

    /// The beginning of a line whose end has not arrived.
    pub(crate) fn unfinished(&self) -> &[u8] {
        &self.received
    }

    /// Whether the peer has closed its sending side, or has reset the connection.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether the peer has reset the connection.
    pub(crate) fn was_reset(&self) -> bool {
        self.was_reset
    }

    /// Whether neither side has closed, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        self.can_send && !self.ended
    }

    /// Reads the next line. A peer that never stops sending cannot postpone the deadline.
    pub(crate) async fn line(&mut self, deadline: Instant) -> LineRead {
        // Buffered lines are returned without waiting. Without this, other tasks would starve.
        consume_budget().await;
        let is_late = Instant::now() >= deadline;
        if !is_late {
            self.late_bytes = 0;
        } else if self.late_bytes > MAX_LATE_BYTES {
            return LineRead::TimedOut;
        }
        loop {
            if let Some(at) = self.received[self.searched..].iter().position(|&byte| byte == b'\n') {
                let line = self.received.split_to(self.searched + at + 1).to_vec();
                self.searched = 0;
                self.late_bytes += if is_late { line.len() } else { 0 };
                return LineRead::Line(line);
            }
            self.searched = self.received.len();
            if self.received.len() > MAX_UNTERMINATED {
                return LineRead::TooLong(self.take_rest());
            }
            match self.read(deadline).await {
                None => return LineRead::TimedOut,
                Some(Ok(1..)) => {}
                // The peer has closed (`Ok(0)`) or reset the connection (`Err`).
                Some(end) => {
                    self.ended = true;
                    self.was_reset = end.is_err();
                    return LineRead::Eof(self.take_rest());
                }
            }
        }
    }

    /// Reads once. `None`: no bytes arrived before the deadline.
    async fn read(&mut self, deadline: Instant) -> Option<io::Result<usize>> {
        self.received.reserve(READ_SIZE);
        if let Ok(read) = timeout_at(deadline, self.stream.read_buf(&mut self.received)).await {
            return Some(read);
        }
        // The process may have been stopped past the deadline. The yield lets the runtime poll the socket, so that
        // bytes that arrived meanwhile count.
        yield_now().await;
        timeout(Duration::ZERO, self.stream.read_buf(&mut self.received)).await.ok()
    }

    /// All bytes that were received and not returned.
    fn take_rest(&mut self) -> Vec<u8> {
        self.searched = 0;
        self.received.split().to_vec()
    }
}

/// Returns the text of a server's line, or how its bytes break section 1. `crlf`: the terminator must be CRLF, else LF.
pub(crate) fn check_bytes(line: &[u8], crlf: bool) -> Result<String, Violation> {
    if line.len() > MAX_LINE {
        return Err(Violation::of("1.3", format!("a line of {} bytes, more than {MAX_LINE}", line.len())));
    }
    let text = match (line.strip_suffix(b"\r\n"), crlf) {
        (Some(text), true) => text,
        (Some(_), false) => {
            return Err(Violation::of("1.2", "the line ends in CRLF, but the client's first line in LF alone"));
        }
        (None, true) => return Err(Violation::of("1.2", "the line does not end in CRLF")),
        (None, false) => line.strip_suffix(b"\n").unwrap_or(line),
    };
    if text.contains(&b'\r') {
        return Err(Violation::of("1.1", "the line contains a CR"));
    }
    match std::str::from_utf8(text) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(Violation::of("1.3", "the line is not UTF-8")),
    }
}
