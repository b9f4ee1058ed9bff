//! Writing with a deadline, which is the server's one way to deal with a peer that does not read (clause 6.5).

use std::{io, pin::pin, task::Poll, time::Duration};

use futures::poll;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use super::pieces::Pieces;
use crate::reason::EndReason;

/// Writes all of it, in time.
pub(super) async fn write<W: AsyncWrite + Unpin>(
    io: &mut W,
    octets: &[u8],
    deadline: Option<Duration>,
) -> Result<(), EndReason> {
    in_time(deadline, io.write_all(octets)).await?;
    in_time(deadline, io.flush()).await
}

/// Writes all the pieces, in time.
pub(super) async fn write_pieces<W: AsyncWrite + Unpin>(
    io: &mut W,
    mut pieces: Pieces,
    deadline: Option<Duration>,
) -> Result<(), EndReason> {
    in_time(deadline, io.write_all_buf(&mut pieces)).await?;
    in_time(deadline, io.flush()).await
}

async fn in_time(deadline: Option<Duration>, io: impl Future<Output = io::Result<()>>) -> Result<(), EndReason> {
    let mut io = pin!(io);
    // Nearly always the socket takes it at once, and no clock is needed, nor room for one.
    let done = match poll!(io.as_mut()) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => Box::pin(within(deadline, io)).await,
    };
    match done {
        Some(done) => done.map_err(|error| EndReason::Transport(error.kind())),
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
