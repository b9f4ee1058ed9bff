//! Writing with a timeout on progress: the server's way to deal with a peer that does not read (clause 6.5).

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

/// Progress of this many bytes restarts the write timeout. With less, a peer could hold its connection by taking a byte
/// now and then.
const MIN_PROGRESS: usize = 4_096;

/// Writes all bytes. It fails when less than [`MIN_PROGRESS`] bytes are written within the timeout, unless that is all.
pub(super) async fn write<W: AsyncWrite + Unpin>(
    io: &mut W,
    bytes: &mut impl Buf,
    timeout: Option<Duration>,
) -> Result<(), EndReason> {
    // Usually the socket takes everything at once: no timer, and no space for one in the task.
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
            Poll::Pending if before - bytes.remaining() >= MIN_PROGRESS => Poll::Ready(Ok(())),
            poll => poll,
        });
        within(timeout, progress).await.unwrap_or(Err(EndReason::WriteTimeout))?;
        if !bytes.has_remaining() {
            return Ok(());
        }
    }
}

/// Writes until the socket is full. The rest stays in `bytes`.
pub(super) fn poll_write<W: AsyncWrite + Unpin>(
    io: &mut W,
    bytes: &mut impl Buf,
    cx: &mut Context<'_>,
) -> Poll<Result<(), EndReason>> {
    let mut io = Pin::new(io);
    while bytes.has_remaining() {
        let written = if bytes.chunk().len() == bytes.remaining() {
            // `write` is cheaper than `writev` with one slice.
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

/// Shuts the sending side down. A failure does not matter: all lines were written.
pub(super) async fn close<W: AsyncWrite + Unpin>(io: &mut W, timeout: Option<Duration>) {
    let _ = within(timeout, io.shutdown()).await;
}
