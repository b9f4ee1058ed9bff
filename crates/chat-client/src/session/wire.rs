//! The connection: reads lines while it writes, and writes in batches.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use chat_proto::{ClientMessage, CodecError, ParseError, ServerMessage};
use futures::{Sink, Stream};

use super::Lines;
use crate::CloseReason;

/// No line is added while more bytes than this wait to be written.
const HIGH_WATER: usize = 64 * 1024;

/// A connection whose login is over.
pub(super) struct Wire {
    lines: Lines,
    /// Bytes wait to be written.
    unflushed: bool,
    /// Writing failed with this error.
    broken: Option<io::ErrorKind>,
}

/// Whether to read lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Intake {
    Open,
    /// Write only.
    Paused,
}

/// What [`Wire::next`] returns.
#[derive(Debug)]
pub(super) enum WireEvent {
    Line(Result<ServerMessage, ParseError>),
    /// There is room for more lines.
    Writable,
    Ended(CloseReason),
}

impl Wire {
    pub(super) fn new(mut lines: Lines) -> Self {
        lines.set_backpressure_boundary(HIGH_WATER);
        Self { lines, unflushed: false, broken: None }
    }

    /// Whether there is room for another line.
    pub(super) fn has_room(&self) -> bool {
        self.lines.write_buffer().len() < HIGH_WATER
    }

    /// Adds a line to the buffer. [`Wire::next`] writes the buffer.
    pub(super) fn send(&mut self, message: ClientMessage) {
        if let Err(error) = Pin::new(&mut self.lines).start_send(message) {
            self.fail(&error);
        }
        self.unflushed = true;
    }

    /// Writes the buffer while it waits for a line. Cancel safe.
    pub(super) async fn next(&mut self, intake: Intake) -> WireEvent {
        poll_fn(|cx| self.poll_next_event(intake, cx)).await
    }

    fn poll_next_event(&mut self, intake: Intake, cx: &mut Context<'_>) -> Poll<WireEvent> {
        let had_room = self.has_room();
        self.poll_write(cx);
        if !had_room && self.has_room() && self.broken.is_none() {
            return Poll::Ready(WireEvent::Writable);
        }
        // After a failed write, lines that arrived earlier are still read.
        match (self.poll_read(intake, cx), self.broken) {
            (Poll::Pending, Some(kind)) => Poll::Ready(WireEvent::Ended(CloseReason::Io(kind))),
            (turn, _) => turn,
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) {
        if self.unflushed && self.broken.is_none() {
            match Pin::new(&mut self.lines).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => self.fail(&error),
                Poll::Pending => {}
            }
        }
    }

    fn poll_read(&mut self, intake: Intake, cx: &mut Context<'_>) -> Poll<WireEvent> {
        if intake == Intake::Paused && self.broken.is_none() {
            return Poll::Pending;
        }
        Poll::Ready(match ready!(Pin::new(&mut self.lines).poll_next(cx)) {
            Some(Ok(line)) => WireEvent::Line(line),
            Some(Err(CodecError::Io(error))) => WireEvent::Ended(CloseReason::Io(error.kind())),
            // The only other error.
            Some(Err(_)) => WireEvent::Ended(CloseReason::EndlessLine),
            None => WireEvent::Ended(CloseReason::Eof),
        })
    }

    fn fail(&mut self, error: &CodecError) {
        self.broken = Some(match error {
            CodecError::Io(error) => error.kind(),
            _ => io::ErrorKind::Other,
        });
        self.lines.write_buffer_mut().clear();
    }
}
