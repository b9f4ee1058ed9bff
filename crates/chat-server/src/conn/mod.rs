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
    task::{JoinError, JoinHandle},
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
    hub::Membership,
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
///
/// Not an `async fn`: that would hold each argument twice for as long as the connection lasts.
pub(crate) fn serve<R, W>(mut guard: EndGuard, reader: R, mut writer: W) -> impl Future<Output = ()> + Send
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let mut lines = LineReader::new(reader);
    async move {
        let (conn, peer) = (guard.identity.id.number(), &guard.identity.peer);
        let pass = match guard.shared.admit(peer) {
            Ok(pass) => pass,
            Err(reason) => {
                debug!(conn, %peer, %reason, "refused");
                warn_if_full(&guard.shared, &reason);
                guard.shared.counters.ended(&reason);
                guard.end(reason);
                return Box::pin(refuse::refuse(&guard.shared, lines, writer)).await;
            }
        };
        info!(conn, %peer, proxy = peer.proxy().map(display), "connected");
        guard.accept();
        // A block, so that what the session needs takes no space beside what follows.
        let lingers = {
            let EndGuard { shared, identity, .. } = &guard;
            let client = Client { shared, identity, lines: shared.limits.line_limit(&pass) };
            // Boxed, because its state would make the task larger for the whole session.
            let login = Box::pin(login::log_in(&client, &mut lines, &mut writer));
            // The transport is the embedder's code and may panic.
            let login = AssertUnwindSafe(login).catch_unwind().await.unwrap_or(Err(EndReason::Panicked));
            let ended = match &mut login.map(|login| Session::begin(&client, &mut lines, writer, *login)) {
                Ok(session) => session.run().await,
                Err(reason) => {
                    info!(conn, peer = %identity.peer, %reason, "disconnected");
                    shared.counters.ended(reason);
                    Ended { reason: reason.clone(), is_delivered: true }
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
}

/// Warns the operator, at most once a minute, that connections are refused because the server is full.
fn warn_if_full(shared: &Shared, reason: &EndReason) {
    if *reason == EndReason::Full(Full::Server)
        && let Some(turned_away) = shared.full_warning.count()
    {
        warn!(max_clients = shared.limits.max_clients(), turned_away, "the server is full");
    }
}

/// A member, from `JOIN` to `LOGOUT`: its read loop in this task, and its writer in a task of its own.
struct Session<'a, R> {
    client: &'a Client<'a>,
    membership: Membership,
    read_loop: ReadLoop<'a, R>,
    writing: JoinHandle<Result<Delivered, EndReason>>,
}

/// How a member ended.
struct Ended {
    /// The published reason.
    reason: EndReason,
    /// Whether everything that it was owed was written.
    is_delivered: bool,
}

impl<'a, R: AsyncRead + Unpin + Send + 'static> Session<'a, R> {
    fn begin<W>(client: &'a Client<'a>, lines: &'a mut LineReader<R>, writer: W, login: LoggedIn) -> Self
    where
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let &Client { shared, identity, .. } = client;
        let LoggedIn { joined, membership, first } = login;
        let (member, replies) = (joined.member.clone(), Arc::clone(&joined.replies));
        info!(conn = identity.id.number(), peer = %identity.peer, name = %member.name(), "joined");
        let mut writer = Writer::new(writer, identity.id, joined, lines.codec().terminator(), Arc::clone(shared));
        let writing = shared.tasks.spawn(async move { writer.run().await });
        Self { client, membership, read_loop: ReadLoop::new(client, member, replies, lines, first), writing }
    }

    async fn run(&mut self) -> Ended {
        let &Client { shared, identity, .. } = self.client;
        let mut written = None;
        let read = {
            let mut reading = pin!(self.read_loop.run());
            tokio::select! {
                // Not by chance: the same input leads to the same end, so that a simulation can replay a run.
                biased;
                end = &mut self.writing => Some(match end_of(written.insert(end)) {
                    EndReason::Transport(ErrorKind::BrokenPipe) => reset_or_closed(reading.now_or_never()),
                    reason => reason,
                }),
                () = shared.stop.cancelled() => None,
                reason = identity.ordered() => Some(reason),
                read = &mut reading => Some(read),
            }
        };
        // The one place where a member leaves. When the server stops, the hub lets all members leave instead.
        let left = read.map(|reason| self.membership.leave(reason));
        if left == Some(EndReason::Bye) && shared.options.stop_on_bye == StopOnBye::AnyClient {
            shared.begin_stop();
        }
        let written = if let Some(written) = written {
            written
        } else {
            tokio::select! {
                biased;
                written = &mut self.writing => written,
                reason = cut(shared, identity) => {
                    self.writing.abort();
                    Ok(Err(reason))
                }
            }
        };
        if shared.stop.is_cancelled() {
            shared.tally.count(matches!(written, Ok(Ok(_))));
        }
        let reason = left.unwrap_or_else(|| self.membership.leave(end_of(&written)));
        let undelivered = if let Ok(Ok(_)) = written { None } else { Some(end_of(&written)) };
        // Logged if it adds to the reason.
        let logged = undelivered.as_ref().filter(|undelivered| **undelivered != reason).map(display);
        let (conn, peer, name) = (identity.id.number(), &identity.peer, self.read_loop.name());
        info!(conn, %peer, %name, %reason, undelivered = logged, "disconnected");
        Ended { reason, is_delivered: undelivered.is_none() }
    }
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
        assert!(size_of_val(&task) <= 1_008, "the read loop's task: {}", size_of_val(&task));

        let (joined, _membership) = shared.hub.join(&identity, JoinAs::Guest).await.unwrap();
        assert!(size_of_val(&*joined.replies) <= 144, "the reply queue: {}", size_of_val(&*joined.replies));
        let (_, writer) = stream().await;
        let mut writer = Writer::new(writer, identity.id, joined, chat_proto::Terminator::CrLf, shared);
        let size = size_of_val(&writer) + size_of_val(&writer.run());
        assert!(size <= 408, "the writer's task: {size}");
    }
}
