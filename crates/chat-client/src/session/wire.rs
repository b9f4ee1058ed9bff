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
use crate::Closed;

/// Above so many octets that wait to be written, no further line is taken.
const HIGH_WATER: usize = 64 * 1024;

/// A connection whose login is over.
pub(super) struct Wire {
    lines: Lines,
    /// Something waits to be written.
    unflushed: bool,
    /// Writing failed, for this reason.
    broken: Option<io::ErrorKind>,
}

/// Whether lines are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Intake {
    Open,
    /// Only write.
    Paused,
}

/// What came of waiting for the wire.
#[derive(Debug)]
pub(super) enum Turn {
    Line(Result<ServerMessage, ParseError>),
    /// There is room for lines again.
    Room,
    Ended(Closed),
}

impl Wire {
    pub(super) fn new(mut lines: Lines) -> Self {
        lines.set_backpressure_boundary(HIGH_WATER);
        Self { lines, unflushed: false, broken: None }
    }

    /// Whether [`Wire::say`] may be called.
    pub(super) fn has_room(&self) -> bool {
        self.lines.write_buffer().len() < HIGH_WATER
    }

    /// Puts a line into the buffer. It is written by the next [`Wire::turn`], with all the others.
    pub(super) fn say(&mut self, message: ClientMessage) {
        if let Err(error) = Pin::new(&mut self.lines).start_send(message) {
            self.fail(&error);
        }
        self.unflushed = true;
    }

    /// Writes what there is, while it waits for a line. It may be dropped unfinished without losing anything.
    pub(super) async fn turn(&mut self, intake: Intake) -> Turn {
        poll_fn(|cx| self.poll_turn(intake, cx)).await
    }

    fn poll_turn(&mut self, intake: Intake, cx: &mut Context<'_>) -> Poll<Turn> {
        let had_room = self.has_room();
        self.poll_write(cx);
        if !had_room && self.has_room() && self.broken.is_none() {
            return Poll::Ready(Turn::Room);
        }
        // A peer that takes no more may still have said something: that is heard first.
        match (self.poll_read(intake, cx), self.broken) {
            (Poll::Pending, Some(kind)) => Poll::Ready(Turn::Ended(Closed::Io(kind))),
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

    fn poll_read(&mut self, intake: Intake, cx: &mut Context<'_>) -> Poll<Turn> {
        if intake == Intake::Paused && self.broken.is_none() {
            return Poll::Pending;
        }
        Poll::Ready(match ready!(Pin::new(&mut self.lines).poll_next(cx)) {
            Some(Ok(line)) => Turn::Line(line),
            Some(Err(error)) => Turn::Ended(error.into()),
            None => Turn::Ended(Closed::Eof),
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
