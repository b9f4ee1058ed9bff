//! Writing with a deadline, which is the server's one way to deal with a peer that does not read (clause 6.5).

use std::{
    future::poll_fn,
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Buf;
use futures::poll;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    time::timeout,
};
use tokio_util::io::poll_write_buf;

use crate::reason::EndReason;

/// Writes all of it, in time.
pub(super) async fn write<W: AsyncWrite + Unpin>(
    io: &mut W,
    octets: &mut impl Buf,
    deadline: Option<Duration>,
) -> Result<(), EndReason> {
    let mut writing = poll_fn(|cx| poll_write(io, octets, cx));
    // Nearly always the socket takes it at once, and no clock is needed, nor room for one.
    match poll!(&mut writing) {
        Poll::Ready(written) => written,
        Poll::Pending => Box::pin(within(deadline, writing)).await.unwrap_or(Err(EndReason::WriteTimeout)),
    }
}

/// Writes all of it. What is left if it must wait is still in `octets`.
pub(super) fn poll_write<W: AsyncWrite + Unpin>(
    io: &mut W,
    octets: &mut impl Buf,
    cx: &mut Context<'_>,
) -> Poll<Result<(), EndReason>> {
    let mut io = Pin::new(io);
    while octets.has_remaining() {
        let written = if octets.chunk().len() == octets.remaining() {
            // The kernel does a plain write in less time than one of a list with one entry.
            let written = ready!(io.as_mut().poll_write(cx, octets.chunk()));
            written.inspect(|&written| octets.advance(written))
        } else {
            ready!(poll_write_buf(io.as_mut(), cx, octets))
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
pub(super) async fn close<W: AsyncWrite + Unpin>(io: &mut W, deadline: Option<Duration>) {
    let _ = within(deadline, io.shutdown()).await;
}

/// `None`: it took too long. Without a limit it takes as long as it takes.
pub(super) async fn within<T>(limit: Option<Duration>, future: impl Future<Output = T>) -> Option<T> {
    match limit {
        Some(limit) => timeout(limit, future).await.ok(),
        None => Some(future.await),
    }
}
