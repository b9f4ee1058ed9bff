//! The writer of a member: the ring's batches as they are, and its own lines at their places among them.

use std::sync::Arc;

use bytes::Buf;
use chat_proto::{ServerMessage, Terminator};
use tokio::{
    io::AsyncWrite,
    sync::broadcast::{
        self,
        error::{RecvError, TryRecvError},
    },
};

use super::{
    pieces::Pieces,
    write::{close, write},
};
use crate::{
    hub::{Batch, Joined, Outbox, Place, View, encode},
    peer::ConnId,
    reason::EndReason,
    shared::Shared,
};

/// Octets at which a write is large enough.
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
        let delivered = loop {
            tokio::select! {
                // Replies stand after what the ring has already.
                biased;
                batch = self.ring.recv() => match batch {
                    Ok(batch) => {
                        if self.batches(&batch).await? {
                            break Delivered::UntilLeft;
                        }
                    }
                    Err(RecvError::Lagged(_)) => return Err(EndReason::Lagged),
                    Err(RecvError::Closed) => {
                        self.replies(&[ServerMessage::Bye]).await?;
                        break Delivered::UntilStopped;
                    }
                },
                () = self.outbox.filled() => self.replies(&[]).await?,
            }
        };
        close(&mut self.io, self.shared.options.write_timeout).await;
        Ok(delivered)
    }

    /// Writes a batch, and those behind it that are there already: a writer that comes late has one write to make, not
    /// many. Whether it was the last.
    async fn batches(&mut self, first: &Batch) -> Result<bool, EndReason> {
        let View { octets, mut messages, mut last } = self.view(first);
        let mut pieces = Pieces::from(octets);
        while !last && pieces.remaining() < AT_ONCE && !self.ring.is_empty() {
            match self.ring.try_recv() {
                Ok(batch) => {
                    let view = self.view(&batch);
                    pieces.push(view.octets);
                    messages += view.messages;
                    last = view.last;
                }
                // Told once only: what comes next is after the hole.
                Err(TryRecvError::Lagged(_)) => return Err(EndReason::Lagged),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        self.write(pieces).await?;
        self.shared.counters.delivered(self.conn, messages);
        Ok(last)
    }

    /// A batch as this connection gets it, with the replies that stand in it or right after it.
    fn view(&mut self, batch: &Batch) -> View {
        self.reached = batch.end();
        let replies = self.outbox.take(self.reached);
        batch.view(self.conn, &replies, self.terminator)
    }

    /// Writes the replies that are due, and then these words.
    async fn replies(&mut self, words: &[ServerMessage]) -> Result<(), EndReason> {
        let replies = self.outbox.take(self.reached);
        self.write(encode(&replies, words, self.terminator)).await
    }

    async fn write(&mut self, octets: impl Buf) -> Result<(), EndReason> {
        write(&mut self.io, octets, self.shared.options.write_timeout).await
    }
}
