//! The writer of a member: the ring's batches as they are, and its own lines at their places among them.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use chat_proto::{ServerMessage, Terminator};
use tokio::{
    io::AsyncWrite,
    sync::broadcast::{self, error::TryRecvError},
};

use super::{
    pieces::Pieces,
    write::{close, write},
};
use crate::{
    hub::{Batch, Due, Joined, Outbox, Place, View, encode},
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
            match self.outbox.due(self.reached).await {
                Due::Batches => {
                    if let Some(delivered) = self.batches().await? {
                        break delivered;
                    }
                }
                Due::Replies => {
                    let mut replies = self.replies(&[]);
                    self.write(&mut replies).await?;
                }
            }
        };
        close(&mut self.io, self.shared.options.write_timeout).await;
        Ok(delivered)
    }

    /// Writes the batches that are there: a writer that comes late has one write to make, not many. Whether they were the
    /// last.
    async fn batches(&mut self) -> Result<Option<Delivered>, EndReason> {
        let (mut pieces, mut messages) = (Pieces::default(), 0);
        let delivered = loop {
            if pieces.remaining() >= AT_ONCE || !self.outbox.has_more(self.reached) {
                break None;
            }
            match self.ring.try_recv() {
                Ok(batch) => {
                    let view = self.view(&batch);
                    pieces.push(view.octets);
                    messages += view.messages;
                    if view.last {
                        break Some(Delivered::UntilLeft);
                    }
                }
                // Told once only: what comes next is after the hole.
                Err(TryRecvError::Lagged(_)) => return Err(EndReason::Lagged),
                Err(TryRecvError::Empty | TryRecvError::Closed) => {
                    pieces.push(self.replies(&[ServerMessage::Bye]));
                    break Some(Delivered::UntilStopped);
                }
            }
        };
        self.write(&mut pieces).await?;
        self.shared.counters.delivered(self.conn, messages);
        Ok(delivered)
    }

    /// A batch as this connection gets it, with the replies that stand in it or right after it.
    fn view(&mut self, batch: &Batch) -> View {
        self.reached = batch.end();
        let replies = self.outbox.take(self.reached);
        batch.view(self.conn, &replies, self.terminator)
    }

    /// The replies that are due, and then these words.
    fn replies(&self, words: &[ServerMessage]) -> Bytes {
        encode(&self.outbox.take(self.reached), words, self.terminator)
    }

    async fn write(&mut self, octets: &mut impl Buf) -> Result<(), EndReason> {
        write(&mut self.io, octets, self.shared.options.write_timeout).await
    }
}
