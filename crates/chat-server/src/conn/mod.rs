//! One connection from its first byte to its last: the login, then a read loop (this task) and a writer (its own task).

mod deadline;
mod heartbeat;
mod line_reader;
mod login;
mod read_loop;
mod refuse;
mod write_timeout;
mod writer;

use std::{io::ErrorKind, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinError,
    time::timeout,
};
use tracing::{debug, field::display, info, warn};

use self::{
    line_reader::LineReader,
    login::LoggedIn,
    read_loop::ReadLoop,
    writer::{Delivered, Writer},
};
use crate::{
    connection::EndGuard,
    limit::LineLimit,
    member::Identity,
    options::StopOnBye,
    reason::{EndReason, Full},
    shared::Shared,
};

/// How long a closed connection is read from, so that a reset does not destroy the last line (clause 6.7).
const LINGER: Duration = Duration::from_secs(1);

/// What the parts that serve a connection share.
struct Client<'a> {
    shared: &'a Arc<Shared>,
    identity: &'a Arc<Identity>,
    /// The rate limit of its lines, if there is one.
    lines: Option<LineLimit<'a>>,
}

/// Serves a connection until it ends.
pub(crate) async fn serve<R, W>(mut guard: EndGuard, reader: R, mut writer: W)
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let (conn, peer) = (guard.identity.id.number(), &guard.identity.peer);
    let mut lines = LineReader::new(reader);
    let pass = match guard.shared.admit(peer) {
        Ok(pass) => pass,
        Err(reason) => {
            debug!(conn, %peer, %reason, "refused");
            if reason == EndReason::Full(Full::Server)
                && let Some(turned_away) = guard.shared.full_warning.count()
            {
                warn!(max_clients = guard.shared.limits.max_clients(), turned_away, "the server is full");
            }
            guard.shared.counters.ended(&reason);
            guard.end(reason);
            return Box::pin(refuse::refuse(&guard.shared, lines, writer)).await;
        }
    };
    info!(conn, %peer, proxy = peer.proxy().map(display), "connected");
    guard.accept();
    let EndGuard { shared, identity, .. } = &guard;
    let client = Client { shared, identity, lines: shared.limits.line_limit(&pass) };

    // A block, so that what the session needs takes no space beside what follows.
    let lingers = {
        // Boxed, because its state would make the task larger for the whole session.
        let login = Box::pin(login::log_in(&client, &mut lines, &mut writer));
        // The transport is the embedder's code and may panic.
        let ended = match AssertUnwindSafe(login).catch_unwind().await.unwrap_or(Err(EndReason::Panicked)) {
            Ok(member) => run_session(&client, &mut lines, writer, member).await,
            Err(reason) => {
                info!(conn = identity.id.number(), peer = %identity.peer, %reason, "disconnected");
                shared.counters.ended(&reason);
                Ended { reason, is_delivered: true }
            }
        };
        let lingers = ended.is_delivered && ended.reason.has_last_line();
        guard.end(ended.reason);
        lingers
    };
    if lingers {
        linger(&guard.shared, &mut lines).await;
    }
}

/// How a member ended.
struct Ended {
    /// The published reason.
    reason: EndReason,
    /// Whether everything that it was owed was written.
    is_delivered: bool,
}

/// From `JOIN` to `LOGOUT`.
async fn run_session<R, W>(client: &Client<'_>, lines: &mut LineReader<R>, writer: W, login: Box<LoggedIn>) -> Ended
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let &Client { shared, identity, .. } = client;
    let (conn, peer) = (identity.id, &identity.peer);
    // A block, so that the parts that are moved leave no space behind.
    let (member, replies, first, mut membership, mut writing) = {
        let LoggedIn { joined, membership, first } = *login;
        let (member, replies) = (joined.member.clone(), Arc::clone(&joined.replies));
        info!(conn = conn.number(), %peer, name = %member.name(), "joined");
        let mut writer = Writer::new(writer, conn, joined, lines.codec().terminator(), Arc::clone(shared));
        (member, replies, first, membership, shared.tasks.spawn(async move { writer.run().await }))
    };
    let mut read_loop = ReadLoop::new(client, member, &replies, lines, first);
    let mut written = None;
    let read = {
        let mut reading = pin!(read_loop.run());
        tokio::select! {
            // Not by chance: the same input leads to the same end, so that a simulation can replay a run.
            biased;
            end = &mut writing => Some(match end_of(written.insert(end)) {
                EndReason::Transport(ErrorKind::BrokenPipe) => reset_or_closed(reading.now_or_never()),
                reason => reason,
            }),
            () = shared.stop.cancelled() => None,
            reason = identity.ordered() => Some(reason),
            read = &mut reading => Some(read),
        }
    };
    // The one place where a member leaves. When the server stops, the hub lets all members leave instead.
    let left = read.map(|reason| membership.leave(reason));
    if left == Some(EndReason::Bye) && shared.options.stop_on_bye == StopOnBye::AnyClient {
        shared.begin_stop();
    }
    let written = if let Some(written) = written {
        written
    } else {
        tokio::select! {
            biased;
            written = &mut writing => written,
            reason = cut(shared, identity) => {
                writing.abort();
                Ok(Err(reason))
            }
        }
    };
    if shared.stop.is_cancelled() {
        shared.tally.count(matches!(written, Ok(Ok(_))));
    }
    let reason = left.unwrap_or_else(|| membership.leave(end_of(&written)));
    let undelivered = if let Ok(Ok(_)) = written { None } else { Some(end_of(&written)) };
    // Logged if it adds to the reason.
    let logged = undelivered.as_ref().filter(|undelivered| **undelivered != reason).map(display);
    info!(conn = conn.number(), %peer, name = %read_loop.name(), %reason, undelivered = logged, "disconnected");
    Ended { reason, is_delivered: undelivered.is_none() }
}

/// Waits until the server or this connection is cut.
async fn cut(shared: &Shared, identity: &Identity) -> EndReason {
    tokio::select! {
        biased;
        () = shared.cut.cancelled() => EndReason::ServerCut,
        reason = identity.cut() => reason,
    }
}

/// How a peer went that has closed its socket, so that nothing can be written: the read loop may have met a reset at the
/// same time.
fn reset_or_closed(read: Option<EndReason>) -> EndReason {
    match read {
        Some(reset @ EndReason::Transport(_)) => reset,
        _ => EndReason::Closed,
    }
}

/// Why a member leaves if its writer ended first, like this.
fn end_of(written: &Result<Result<Delivered, EndReason>, JoinError>) -> EndReason {
    match written {
        // Before the member has left, only the end of the ring ends a writer.
        Ok(Ok(Delivered::UntilLeft | Delivered::UntilStopped)) => EndReason::ServerStopped,
        Ok(Err(reason)) => reason.clone(),
        Err(error) if error.is_cancelled() => EndReason::Dropped,
        Err(_) => EndReason::Panicked,
    }
}

async fn linger<R: AsyncRead + Unpin>(shared: &Shared, lines: &mut LineReader<R>) {
    tokio::select! {
        biased;
        () = shared.cut.cancelled() => {}
        _ = timeout(LINGER, lines.discard()) => {}
    }
}

#[cfg(test)]
mod tests {
    use chat_room::JoinAs;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::{
        limit::Limits,
        options::Options,
        policy::{AllowAll, Rules},
    };

    /// The memory of an idle client is designed: its two tasks and its reply queue. If a task outgrows this, it holds
    /// something that an idle client does not need.
    #[tokio::test]
    async fn an_idle_client_is_small() {
        let shared = Arc::new(Shared::start(Options::default(), Limits::new().share(), Rules::new(AllowAll)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = async || TcpStream::connect(address).await.unwrap().into_split();

        let (reader, writer) = stream().await;
        let identity = shared.identify(address.into());
        let task = serve(EndGuard::new(Arc::clone(&shared), Arc::clone(&identity), None), reader, writer);
        assert!(size_of_val(&task) <= 1_152, "the read loop's task: {}", size_of_val(&task));

        let (joined, _membership) = shared.hub.join(&identity, JoinAs::Guest).await.unwrap();
        assert!(size_of_val(&*joined.replies) <= 144, "the reply queue: {}", size_of_val(&*joined.replies));
        let (_, writer) = stream().await;
        let mut writer = Writer::new(writer, identity.id, joined, chat_proto::Terminator::CrLf, shared);
        let size = size_of_val(&writer) + size_of_val(&writer.run());
        assert!(size <= 408, "the writer's task: {size}");
    }
}
