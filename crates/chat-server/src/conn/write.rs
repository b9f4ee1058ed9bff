//! Writing with a deadline on progress: the server's one way to deal with a peer that does not read (clause 6.5).

use std::{
    future::poll_fn,
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Buf;
use futures::poll;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio_util::io::poll_write_buf;

use super::deadline::within;
use crate::reason::EndReason;

/// Bytes that a peer must take before the write timeout is over, to get as much time again. A peer that takes fewer holds
/// on to what it is owed rather than reading it.
const PROGRESS: usize = 4_096;

/// Writes all of it. The peer is given up when it has not taken [`PROGRESS`] bytes, or what was left, within the timeout.
pub(super) async fn write<W: AsyncWrite + Unpin>(
    io: &mut W,
    bytes: &mut impl Buf,
    timeout: Option<Duration>,
) -> Result<(), EndReason> {
    // Nearly always the socket takes it at once, and no clock is needed, nor room for one.
    match poll!(poll_fn(|cx| poll_write(io, bytes, cx))) {
        Poll::Ready(written) => written,
        Poll::Pending => Box::pin(write_on(io, bytes, timeout)).await,
    }
}

async fn write_on<W: AsyncWrite + Unpin>(
    io: &mut W,
    bytes: &mut impl Buf,
    timeout: Option<Duration>,
) -> Result<(), EndReason> {
    loop {
        let before = bytes.remaining();
        let progress = poll_fn(|cx| match poll_write(io, bytes, cx) {
            Poll::Pending if before - bytes.remaining() >= PROGRESS => Poll::Ready(Ok(())),
            poll => poll,
        });
        within(timeout, progress).await.unwrap_or(Err(EndReason::WriteTimeout))?;
        if !bytes.has_remaining() {
            return Ok(());
        }
    }
}

/// Writes all of it. What is left if it must wait is still in `bytes`.
pub(super) fn poll_write<W: AsyncWrite + Unpin>(
    io: &mut W,
    bytes: &mut impl Buf,
    cx: &mut Context<'_>,
) -> Poll<Result<(), EndReason>> {
    let mut io = Pin::new(io);
    while bytes.has_remaining() {
        let written = if bytes.chunk().len() == bytes.remaining() {
            // The kernel does a plain write in less time than one of a list with one entry.
            let written = ready!(io.as_mut().poll_write(cx, bytes.chunk()));
            written.inspect(|&written| bytes.advance(written))
        } else {
            ready!(poll_write_buf(io.as_mut(), cx, bytes))
        };
        match written {
            Ok(0) => return Poll::Ready(Err(EndReason::Transport(ErrorKind::WriteZero))),
            Err(error) => return Poll::Ready(Err(failed(&error))),
            Ok(_) => {}
        }
    }
    io.poll_flush(cx).map_err(|error| failed(&error))
}

fn failed(error: &io::Error) -> EndReason {
    EndReason::Transport(error.kind())
}

/// Ends the stream. If the peer does not take its end, it has all lines all the same.
pub(super) async fn close<W: AsyncWrite + Unpin>(io: &mut W, timeout: Option<Duration>) {
    let _ = within(timeout, io.shutdown()).await;
}
