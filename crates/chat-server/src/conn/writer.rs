//! The writer of a member: writes the ring's batches as they are, with the member's own lines at their positions.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use chat_proto::{ServerMessage, Terminator};
use chat_room::{ConnId, Pieces, Position};
use tokio::io::AsyncWrite;

use super::write_timeout::{close, poll_write, write};
use crate::{
    hub::{Joined, Subscription, Taken, WriterTask},
    reason::EndReason,
    shared::Shared,
};

/// No more batches are added to a write that has this many bytes.
const MAX_WRITE: usize = 65_536;

pub(super) struct Writer<W> {
    io: W,
    conn: ConnId,
    ring: Subscription,
    /// Everything before this position was taken to be written.
    reached: Position,
    terminator: Terminator,
    shared: Arc<Shared>,
}

/// What is written together.
#[derive(Debug, Default)]
struct Write {
    pieces: Pieces,
    /// Messages of other members among it.
    messages: usize,
    /// Set if it is the last.
    last: Option<Delivered>,
}

/// How a writer ends that has written everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Delivered {
    /// Up to the member's own leave.
    UntilLeft,
    /// Up to the end of the ring, then `BYE` (clause 6.3).
    UntilStopped,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    pub(super) fn new(io: W, conn: ConnId, joined: Joined, terminator: Terminator, shared: Arc<Shared>) -> Self {
        let Joined { ring, batch, .. } = joined;
        Self { io, conn, ring, reached: Position { batch, offset: 0 }, terminator, shared }
    }

    /// Writes until the member's stream ends, and shuts the sending side down. The error says why not everything was
    /// written.
    pub(super) async fn run(&mut self) -> Result<Delivered, EndReason> {
        let timeout = self.shared.options.write_timeout;
        loop {
            let mut part = poll_fn(|cx| self.poll_deliver(cx)).await?;
            write(&mut self.io, &mut part.pieces, timeout).await?;
            self.shared.counters.delivered(self.conn, part.messages);
            if let Some(delivered) = part.last {
                close(&mut self.io, timeout).await;
                return Ok(delivered);
            }
        }
    }

    /// Writes what comes until the socket is full or nothing comes after it. Returns what is left, boxed because that
    /// is rare.
    fn poll_deliver(&mut self, cx: &mut Context<'_>) -> Poll<Result<Box<Write>, EndReason>> {
        loop {
            let mut part = match ready!(self.ring.replies().poll_task(self.reached, cx)) {
                WriterTask::Batches => self.take_batches()?,
                WriterTask::Replies => {
                    let mut part = Write::default();
                    self.add_replies(&mut part.pieces);
                    part
                }
            };
            let written = poll_write(&mut self.io, &mut part.pieces, cx)?;
            if written.is_pending() || part.last.is_some() {
                return Poll::Ready(Ok(Box::new(part)));
            }
            self.shared.counters.delivered(self.conn, part.messages);
        }
    }

    /// Takes the batches that are in the ring: a writer that is behind makes one write, not many.
    fn take_batches(&mut self) -> Result<Write, EndReason> {
        let mut part = Write::default();
        while part.last.is_none()
            && part.pieces.remaining() < MAX_WRITE
            && self.ring.replies().has_batches(self.reached)
        {
            match self.ring.take() {
                Taken::Batch(batch) => {
                    // With the replies that stand in the batch or right behind it.
                    self.reached = batch.end();
                    let replies = self.ring.replies().take(self.reached);
                    let view = batch.view(self.conn, &replies, self.terminator, &mut part.pieces);
                    part.messages += view.messages;
                    part.last = view.last.then_some(Delivered::UntilLeft);
                }
                Taken::Lagged => return Err(EndReason::Lagged),
                Taken::Closed => {
                    self.add_replies(&mut part.pieces);
                    part.pieces.push(&ServerMessage::Bye, self.terminator);
                    part.pieces.close();
                    part.last = Some(Delivered::UntilStopped);
                }
            }
        }
        Ok(part)
    }

    /// Adds the replies up to the position that the writer has reached.
    fn add_replies(&self, out: &mut Pieces) {
        for reply in self.ring.replies().take(self.reached) {
            reply.write(self.terminator, out);
        }
        out.close();
    }
}
