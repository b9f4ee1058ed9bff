//! Writing with a deadline, which is the server's one way to deal with a peer that does not read (clause 6.5).

use std::{pin::pin, task::Poll, time::Duration};

use bytes::Buf;
use futures::poll;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use crate::reason::EndReason;

/// Writes all of it, in time.
pub(super) async fn write<W: AsyncWrite + Unpin>(
    io: &mut W,
    mut octets: impl Buf,
    deadline: Option<Duration>,
) -> Result<(), EndReason> {
    let mut written = pin!(async {
        io.write_all_buf(&mut octets).await?;
        io.flush().await
    });
    // Nearly always the socket takes it at once, and no clock is needed, nor room for one.
    let written = match poll!(written.as_mut()) {
        Poll::Ready(written) => Some(written),
        Poll::Pending => Box::pin(within(deadline, written)).await,
    };
    match written {
        Some(written) => written.map_err(|error| EndReason::Transport(error.kind())),
        None => Err(EndReason::WriteTimeout),
    }
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
