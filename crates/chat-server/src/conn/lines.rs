//! A connection's incoming lines, with memory only while there is something in it.

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

/// The first read of a client that was idle: enough for what people type.
const FIRST_READ: usize = 1_024;
/// The reads of one that has more to say, until it is idle again: a system call costs more than memory for a moment.
const LARGE_READ: usize = 32_768;

/// Why a connection ends from which no more lines can be read.
pub(super) fn end_reason(error: &CodecError) -> EndReason {
    match error {
        CodecError::Io(error) => EndReason::Transport(error.kind()),
        _ => EndReason::EndlessLine,
    }
}

/// A line, or what is wrong with it.
pub(super) type Line = Result<ClientMessage, ParseError>;

#[derive(Debug)]
pub(super) struct Lines<R> {
    io: R,
    codec: ServerCodec,
    buffer: BytesMut,
    /// How much is made ready for the next read.
    room: usize,
    ended: bool,
    /// When the last byte came; at first, when the connection did.
    heard: Instant,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(io: R) -> Self {
        let (codec, buffer) = (ServerCodec::new(), BytesMut::new());
        Self { io, codec, buffer, room: FIRST_READ, ended: false, heard: Instant::now() }
    }

    pub(super) fn codec(&self) -> &ServerCodec {
        &self.codec
    }

    /// When anything came last, be it half a line.
    pub(super) fn heard(&self) -> Instant {
        self.heard
    }

    /// Whether nothing more will come.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Whether so little waits to be handled that more may be read meanwhile, to see the peer's end in time.
    pub(super) fn can_read_ahead(&self) -> bool {
        !self.ended && self.buffer.len() < FIRST_READ
    }

    /// The next line that has come already.
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

    /// Reads and forgets until the peer has closed, so that closing does not destroy what it was sent (clause 6.7).
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
        self.buffer.reserve(self.room);
        let poll = poll_read_buf(Pin::new(&mut self.io), cx, &mut self.buffer);
        if poll.is_pending() && self.buffer.is_empty() {
            // An idle client holds no buffer.
            (self.buffer, self.room) = (BytesMut::new(), FIRST_READ);
        }
        let read = ready!(poll)?;
        self.ended = read == 0;
        self.heard = Instant::now();
        if read >= self.room {
            self.room = LARGE_READ;
        }
        Poll::Ready(Ok(()))
    }
}
