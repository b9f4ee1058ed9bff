//! A connection's incoming lines, with memory only while there is something in it.

use std::{future::poll_fn, pin::Pin, task::Poll};

use bytes::BytesMut;
use chat_proto::{ClientMessage, CodecError, ParseError, ServerCodec};
use tokio::io::AsyncRead;
use tokio_util::{codec::Decoder, io::poll_read_buf};

/// The first read of a client that was idle: enough for what people type.
const FIRST_READ: usize = 1_024;
/// The reads of one that has more to say, until it is idle again: a system call costs more than memory for a moment.
const LARGE_READ: usize = 32_768;

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
    /// Something has come since this was last asked.
    stirred: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(io: R) -> Self {
        Self { io, codec: ServerCodec::new(), buffer: BytesMut::new(), room: FIRST_READ, ended: false, stirred: false }
    }

    pub(super) fn codec(&self) -> &ServerCodec {
        &self.codec
    }

    /// Whether anything has come since the last call, be it half a line.
    pub(super) fn has_stirred(&mut self) -> bool {
        std::mem::take(&mut self.stirred)
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
            self.ended = self.read().await? == 0;
        }
    }

    /// Reads and forgets until the peer has closed, so that closing does not destroy what it was sent (clause 6.7).
    pub(super) async fn discard(&mut self) {
        while !self.ended {
            self.buffer.clear();
            self.ended = !matches!(self.read().await, Ok(1..));
        }
    }

    async fn read(&mut self) -> Result<usize, CodecError> {
        let read = poll_fn(|cx| {
            self.buffer.reserve(self.room);
            match poll_read_buf(Pin::new(&mut self.io), cx, &mut self.buffer) {
                Poll::Pending if self.buffer.is_empty() => {
                    // An idle client holds no buffer.
                    (self.buffer, self.room) = (BytesMut::new(), FIRST_READ);
                    Poll::Pending
                }
                poll => poll.map_err(CodecError::Io),
            }
        });
        let read = read.await?;
        self.stirred = true;
        if read >= self.room {
            self.room = LARGE_READ;
        }
        Ok(read)
    }
}
