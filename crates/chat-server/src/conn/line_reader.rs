//! Reads lines from a connection. It holds a buffer only while there are bytes in it.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::BytesMut;
use chat_proto::{ClientMessage, CodecError, ParseError, ServerCodec};
use tokio::{io::AsyncRead, time::Instant};
use tokio_util::{codec::Decoder, io::poll_read_buf};

use crate::reason::EndReason;

/// The buffer for the first read of an idle client: enough for what people type.
const FIRST_READ: usize = 1_024;
/// The buffer for a client that filled the first one, until it is idle again: fewer system calls.
const LARGE_READ: usize = 32_768;

/// The most bytes that are buffered before more are read ahead.
const MAX_READ_AHEAD: usize = 8_192;

/// Maps a read error to the reason for the end of the connection.
pub(super) fn end_reason(error: &CodecError) -> EndReason {
    match error {
        CodecError::Io(error) => EndReason::Transport(error.kind()),
        _ => EndReason::EndlessLine,
    }
}

/// A line, or why it is not valid.
pub(super) type Line = Result<ClientMessage, ParseError>;

#[derive(Debug)]
pub(super) struct LineReader<R> {
    io: R,
    codec: ServerCodec,
    buffer: BytesMut,
    /// The space to reserve for the next read.
    next_read: usize,
    ended: bool,
    /// When the last byte was received; at first, when the connection was accepted.
    received: Instant,
}

impl<R: AsyncRead + Unpin> LineReader<R> {
    pub(super) fn new(io: R) -> Self {
        let (codec, buffer) = (ServerCodec::new(), BytesMut::new());
        Self { io, codec, buffer, next_read: FIRST_READ, ended: false, received: Instant::now() }
    }

    pub(super) fn codec(&self) -> &ServerCodec {
        &self.codec
    }

    /// When the last byte was received, even of an incomplete line.
    pub(super) fn received(&self) -> Instant {
        self.received
    }

    /// Whether the end of the stream was read.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Whether little enough is buffered to read more before it is handled. Reading ahead notices the end of the
    /// connection.
    pub(super) fn can_read_ahead(&self) -> bool {
        !self.ended && self.buffer.len() < MAX_READ_AHEAD
    }

    /// The next complete line in the buffer.
    pub(super) fn ready(&mut self) -> Result<Option<Line>, CodecError> {
        if self.ended { self.codec.decode_eof(&mut self.buffer) } else { self.codec.decode(&mut self.buffer) }
    }

    /// The next line; `None` at the end of the stream. Nothing is lost if the future is dropped.
    pub(super) async fn next(&mut self) -> Result<Option<Line>, CodecError> {
        loop {
            let item = self.ready()?;
            if item.is_some() || self.ended {
                return Ok(item);
            }
            self.read().await?;
        }
    }

    /// Reads and discards until the end of the stream, so that closing the socket does not destroy what was sent
    /// (clause 6.7).
    pub(super) async fn discard(&mut self) {
        while !self.ended {
            self.buffer.clear();
            if self.read().await.is_err() {
                return;
            }
        }
    }

    /// Reads once. Nothing is lost if the future is dropped.
    pub(super) async fn read(&mut self) -> Result<(), CodecError> {
        poll_fn(|cx| self.poll_read(cx)).await
    }

    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CodecError>> {
        self.buffer.reserve(self.next_read);
        let poll = poll_read_buf(Pin::new(&mut self.io), cx, &mut self.buffer);
        if poll.is_pending() && self.buffer.is_empty() {
            // An idle client holds no buffer.
            (self.buffer, self.next_read) = (BytesMut::new(), FIRST_READ);
        }
        let read = ready!(poll)?;
        self.ended = read == 0;
        self.received = Instant::now();
        if read >= self.next_read {
            self.next_read = LARGE_READ;
        }
        Poll::Ready(Ok(()))
    }
}
