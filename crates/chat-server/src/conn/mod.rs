//! One connection from its first octet to its last: login, then a reader (this task) and a writer (its own task).

mod keepalive;
mod lines;
mod login;
mod pieces;
mod rate;
mod reader;
mod refuse;
mod write;
mod writer;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinError,
    time::timeout,
};
use tracing::{debug, info};

use self::{
    lines::Lines,
    login::Member,
    reader::Reader,
    writer::{Delivered, Writer},
};
use crate::{
    options::StopOnBye,
    peer::{ConnId, PeerInfo},
    reason::EndReason,
    shared::Shared,
};

/// So long a closed connection is read from, so that a reset does not destroy the last line (clause 6.7).
const LINGER: Duration = Duration::from_secs(1);

/// Serves a connection until it ends, and gives back all that it held.
pub(crate) async fn serve<R, W>(shared: Arc<Shared>, reader: R, mut writer: W, peer: PeerInfo)
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let conn = shared.next_conn();
    let mut lines = Lines::new(reader);
    let _pass = match shared.admit(&peer) {
        Ok(pass) => pass,
        Err(reason) => {
            debug!(%conn, %peer, %reason, "refused");
            return refuse::refuse(&shared, lines, writer).await;
        }
    };
    info!(%conn, %peer, "connected");

    let login = login::log_in(&shared, conn, &peer, &mut lines, &mut writer);
    let login = AssertUnwindSafe(login).catch_unwind();
    let reason = tokio::select! {
        () = shared.cut.cancelled() => EndReason::Cut,
        login = login => match login {
            Ok(Ok(member)) => converse(&shared, conn, &peer, &mut lines, writer, member).await,
            Ok(Err(reason)) => reason,
            Err(_) => EndReason::Panicked,
        },
    };
    info!(%conn, %peer, %reason, "disconnected");
    if closes_politely(reason) {
        linger(&shared, &mut lines).await;
    }
}

/// From `JOIN` to `LOGOUT`.
async fn converse<R, W>(
    shared: &Arc<Shared>,
    conn: ConnId,
    peer: &PeerInfo,
    lines: &mut Lines<R>,
    writer: W,
    member: Member,
) -> EndReason
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let outbox = Arc::clone(&member.joined.outbox);
    let name = member.joined.name;
    info!(%conn, %peer, %name, "joined");

    let terminator = lines.codec().terminator();
    let write_timeout = shared.options.write_timeout;
    let writer = Writer::new(writer, conn, member.joined, terminator, write_timeout);
    let mut writing = shared.tasks.spawn(writer.run(shared.cut.clone()));

    let reader = Reader::new(shared, conn, peer, name, &outbox, lines);
    let reading = AssertUnwindSafe(reader.run(member.first)).catch_unwind();
    let mut written = None;
    let reason = tokio::select! {
        end = &mut writing => end_of(written.insert(end), EndReason::Closed),
        read = reading => read.unwrap_or(EndReason::Panicked),
        () = shared.stop.cancelled() => EndReason::ServerStopped,
    };
    // The one place where a member leaves. A server that stops says BYE to all instead, at the end of the ring.
    if reason != EndReason::ServerStopped {
        // An error says that the hub has stopped meanwhile.
        let _ = shared.hub.leave(conn, reason).await;
    }
    if reason == EndReason::Bye && shared.options.stop_on_bye == StopOnBye::AnyClient {
        shared.begin_stop().await;
    }
    let written = match written {
        Some(written) => written,
        None => writing.await,
    };
    // The writer knows better: it may have failed to deliver what was owed, or met the end of the ring first.
    let reason = end_of(&written, reason);
    if shared.stop.is_cancelled() {
        shared.tally.count(reason);
    }
    reason
}

/// What a connection ended by, if its reader ended by `read` and its writer like this.
fn end_of(written: &Result<Result<Delivered, EndReason>, JoinError>, read: EndReason) -> EndReason {
    match written {
        Ok(Ok(Delivered::UntilLeft)) => read,
        Ok(Ok(Delivered::UntilStopped)) => EndReason::ServerStopped,
        Ok(Err(reason)) => *reason,
        Err(_) => EndReason::Panicked,
    }
}

/// Whether the server ended it in good order, with a last line that must arrive.
fn closes_politely(reason: EndReason) -> bool {
    use EndReason::{Closed, Cut, Lagged, LoginTimeout, Panicked, PingTimeout, Transport, WriteTimeout};
    let at_once =
        matches!(reason, Closed | Cut | Lagged | LoginTimeout | Panicked | PingTimeout | Transport(_) | WriteTimeout);
    !at_once
}

async fn linger<R: AsyncRead + Unpin>(shared: &Shared, lines: &mut Lines<R>) {
    tokio::select! {
        () = shared.cut.cancelled() => {}
        // Past the deadline the peer has had its time.
        _ = timeout(LINGER, lines.discard()) => {}
    }
}
