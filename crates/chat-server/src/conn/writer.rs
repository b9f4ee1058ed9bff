//! The writer of a member: the ring's batches as they are, and its own lines at their places among them.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use chat_proto::{ServerMessage, Terminator};
use tokio::{
    io::AsyncWrite,
    sync::broadcast::{self, error::TryRecvError},
};

use super::write::{close, poll_write, write};
use crate::{
    hub::{Batch, Due, Joined, Outbox, Pieces, Place},
    peer::ConnId,
    reason::EndReason,
    shared::Shared,
};

/// Bytes at which a write is large enough.
const AT_ONCE: usize = 65_536;

pub(super) struct Writer<W> {
    io: W,
    conn: ConnId,
    ring: broadcast::Receiver<Arc<Batch>>,
    outbox: Arc<Outbox>,
    /// Everything before it has been written.
    reached: Place,
    terminator: Terminator,
    shared: Arc<Shared>,
}

/// What is written at once.
#[derive(Debug, Default)]
struct Parcel {
    pieces: Pieces,
    /// Messages of others among them.
    messages: usize,
    /// Whether nothing comes after it, and why.
    last: Option<Delivered>,
}

/// How a writer ends that has delivered everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Delivered {
    /// Up to its own leave.
    UntilLeft,
    /// Up to the end of the ring, and `BYE` (clause 6.3).
    UntilStopped,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    pub(super) fn new(io: W, conn: ConnId, joined: Joined, terminator: Terminator, shared: Arc<Shared>) -> Self {
        let Joined { ring, outbox, batch, .. } = joined;
        Self { io, conn, ring, outbox, reached: Place { batch, offset: 0 }, terminator, shared }
    }

    /// Writes until the member's stream ends, and closes its side. The error says why not all was delivered.
    pub(super) async fn run(&mut self) -> Result<Delivered, EndReason> {
        let deadline = self.shared.options.write_timeout;
        loop {
            let mut parcel = poll_fn(|cx| self.poll_deliver(cx)).await?;
            write(&mut self.io, &mut parcel.pieces, deadline).await?;
            self.shared.counters.delivered(self.conn, parcel.messages);
            if let Some(delivered) = parcel.last {
                close(&mut self.io, deadline).await;
                return Ok(delivered);
            }
        }
    }

    /// Delivers all that comes, until the socket does not take it at once or it was the last: that parcel is the caller's.
    /// On the heap, since it seldom must wait.
    fn poll_deliver(&mut self, cx: &mut Context<'_>) -> Poll<Result<Box<Parcel>, EndReason>> {
        loop {
            let mut parcel = match ready!(self.outbox.poll_due(self.reached, cx)) {
                Due::Batches => self.batches()?,
                Due::Replies => {
                    let mut parcel = Parcel::default();
                    self.outbox.write(self.reached, self.terminator, &[], &mut parcel.pieces);
                    parcel
                }
            };
            let written = poll_write(&mut self.io, &mut parcel.pieces, cx)?;
            if written.is_pending() || parcel.last.is_some() {
                return Poll::Ready(Ok(Box::new(parcel)));
            }
            self.shared.counters.delivered(self.conn, parcel.messages);
        }
    }

    /// The batches that are there: a writer that comes late has one write to make, not many.
    fn batches(&mut self) -> Result<Parcel, EndReason> {
        let mut parcel = Parcel::default();
        while parcel.last.is_none() && parcel.pieces.remaining() < AT_ONCE && self.outbox.has_more(self.reached) {
            match self.ring.try_recv() {
                Ok(batch) => {
                    // With the replies that stand in it or right after it.
                    self.reached = batch.end();
                    let replies = self.outbox.take(self.reached);
                    let view = batch.view(self.conn, &replies, self.terminator, &mut parcel.pieces);
                    parcel.messages += view.messages;
                    parcel.last = view.last.then_some(Delivered::UntilLeft);
                }
                // Told once only: what comes next is after the hole.
                Err(TryRecvError::Lagged(_)) => return Err(EndReason::Lagged),
                Err(TryRecvError::Empty | TryRecvError::Closed) => {
                    let bye = &[ServerMessage::Bye];
                    self.outbox.write(self.reached, self.terminator, bye, &mut parcel.pieces);
                    parcel.last = Some(Delivered::UntilStopped);
                }
            }
        }
        Ok(parcel)
    }
}
