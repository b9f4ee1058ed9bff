//! A planted bug: a stream that drops, swaps or repeats one batch. A batch arrives as one write.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use chat_server::testkit::Rng;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What happens to a batch of messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trick {
    /// It is not delivered.
    Drop,
    /// It is delivered after the next batch.
    Swap,
    /// It is delivered twice.
    Twice,
}

/// Whether the trick was played.
#[derive(Clone, Default)]
pub(super) struct Played(Arc<AtomicBool>);

impl Played {
    pub(super) fn is_played(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A stream that plays the trick on what is written to it.
pub(super) struct Tamper<S> {
    inner: S,
    trick: Option<Trick>,
    /// The number of message batches that still pass before the trick.
    batches_before_trick: usize,
    /// The batch that is held back until the next one, for a swap.
    held: Option<Vec<u8>>,
    /// Bytes that are not written yet.
    unwritten: VecDeque<u8>,
    played: Played,
}

impl<S> Tamper<S> {
    pub(super) fn new(inner: S, trick: Option<Trick>, rng: &mut Rng) -> (Self, Played) {
        let played = Played::default();
        let batches_before_trick = rng.index(30);
        (
            Self { inner, trick, batches_before_trick, held: None, unwritten: VecDeque::new(), played: played.clone() },
            played,
        )
    }

    /// Takes a batch to write, and plays the trick on it if it is time.
    fn take(&mut self, batch: &[u8]) {
        let has_messages = batch.starts_with(b"FROM ");
        if let Some(held) = self.held.take() {
            if has_messages {
                self.unwritten.extend(batch);
                self.unwritten.extend(held);
                self.played.0.store(true, Ordering::Relaxed);
                return;
            }
            // A swap with a batch without messages may be correct. Try again with a later batch.
            self.unwritten.extend(held);
        } else if has_messages && self.trick.is_some() && !self.played.is_played() {
            if self.batches_before_trick > 0 {
                self.batches_before_trick -= 1;
            } else {
                match self.trick {
                    Some(Trick::Swap) => {
                        self.held = Some(batch.to_vec());
                        return;
                    }
                    Some(Trick::Twice) => self.unwritten.extend(batch),
                    Some(Trick::Drop) | None => {}
                }
                self.played.0.store(true, Ordering::Relaxed);
                if self.trick == Some(Trick::Drop) {
                    return;
                }
            }
        }
        self.unwritten.extend(batch);
    }
}

impl<S: AsyncWrite + Unpin> Tamper<S> {
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unwritten.is_empty() {
            let (front, _) = self.unwritten.as_slices();
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, front))?;
            self.unwritten.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tamper<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tamper<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        this.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(held) = this.held.take() {
            this.unwritten.extend(held);
        }
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.inner).poll_shutdown(cx)
    }
}
