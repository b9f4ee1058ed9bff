//! One connection from its first octet to its last: login, then a reader (this task) and a writer (its own task).

mod deadline;
mod keepalive;
mod lines;
mod login;
mod reader;
mod refuse;
mod write;
mod writer;

use std::{io::ErrorKind, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinError,
    time::timeout,
};
use tracing::{debug, field::display, info};

use self::{
    lines::Lines,
    login::Member,
    reader::Reader,
    writer::{Delivered, Writer},
};
use crate::{
    limit::Meter,
    options::StopOnBye,
    peer::{ConnId, PeerInfo},
    reason::EndReason,
    shared::Shared,
};

/// So long a closed connection is read from, so that a reset does not destroy the last line (clause 6.7).
const LINGER: Duration = Duration::from_secs(1);

/// Whose connection it is, for the parts that serve it.
struct Client<'a> {
    shared: &'a Arc<Shared>,
    conn: ConnId,
    peer: &'a PeerInfo,
    /// The meter of its lines, unless they are not limited.
    meter: Option<Meter<'a>>,
}

/// Serves a connection until it ends, and gives back all that it held.
#[expect(clippy::manual_async_fn, reason = "an async function would keep its arguments twice, for as long as it lives")]
pub(crate) fn serve<R, W>(
    shared: Arc<Shared>,
    reader: R,
    mut writer: W,
    peer: PeerInfo,
) -> impl Future<Output = ()> + Send + 'static
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    async move {
        let conn = shared.next_conn();
        let mut lines = Lines::new(reader);
        // The policy is the embedder's code, and may panic anywhere.
        let admitted = std::panic::catch_unwind(AssertUnwindSafe(|| shared.admit(&peer)));
        let pass = match admitted.unwrap_or(Err(EndReason::Panicked)) {
            Ok(pass) => pass,
            Err(reason) => {
                debug!(conn = conn.number(), %peer, %reason, "refused");
                shared.turned_away.told(reason, shared.options.max_clients);
                shared.counters.ended(reason);
                return Box::pin(refuse::refuse(&shared, lines, writer)).await;
            }
        };
        info!(conn = conn.number(), %peer, "connected");
        let client = Client { shared: &shared, conn, peer: &peer, meter: shared.connections.meter(&pass) };

        // On the heap while it lasts: in place, it would make room for itself for as long as the connection lives.
        let login = Box::pin(login::log_in(&client, &mut lines, &mut writer));
        let login = AssertUnwindSafe(login).catch_unwind();
        let member = match login.await.unwrap_or(Err(EndReason::Panicked)) {
            Ok(member) => member,
            Err(reason) => {
                info!(conn = conn.number(), %peer, %reason, "disconnected");
                shared.counters.ended(reason);
                return linger_after(reason, &shared, &mut lines).await;
            }
        };
        let Ended { reason, undelivered } = converse(&client, &mut lines, writer, member).await;
        if undelivered.is_none() {
            linger_after(reason, &shared, &mut lines).await;
        }
    }
}

/// How a member ended.
struct Ended {
    /// As the hub has told it to everybody.
    reason: EndReason,
    /// Why not all that it was owed was written, if so.
    undelivered: Option<EndReason>,
}

/// From `JOIN` to `LOGOUT`.
#[expect(clippy::manual_async_fn, reason = "as above")]
fn converse<'a, R, W>(
    client: &'a Client<'a>,
    lines: &'a mut Lines<R>,
    writer: W,
    member: Box<Member>,
) -> impl Future<Output = Ended> + Send + 'a
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    async move {
        let &Client { shared, conn, peer, .. } = client;
        // In a block, so that what is handed on leaves no room behind.
        let (name, outbox, first, mut membership, mut writing) = {
            let Member { joined, membership, first } = *member;
            let (name, outbox) = (joined.name, Arc::clone(&joined.outbox));
            info!(conn = conn.number(), %peer, %name, "joined");
            let mut writer = Writer::new(writer, conn, joined, lines.codec().terminator(), Arc::clone(shared));
            (name, outbox, first, membership, shared.tasks.spawn(async move { writer.run().await }))
        };
        let mut reader = Reader::new(client, name, &outbox, lines, first);
        let mut written = None;
        let read = {
            let mut reading = pin!(reader.run());
            tokio::select! {
                // Not by chance: the same events are to lead to the same end, so that a simulation can replay them.
                biased;
                end = &mut writing => Some(match end_of(written.insert(end)) {
                    GONE => how_it_went(reading.now_or_never()),
                    reason => reason,
                }),
                () = shared.stop.cancelled() => None,
                read = &mut reading => Some(read),
            }
        };
        // The one place where a member leaves. A server that stops lets all go instead, and says BYE at the end of the ring.
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
                () = shared.cut.cancelled() => {
                    writing.abort();
                    Ok(Err(EndReason::Cut))
                }
            }
        };
        if shared.stop.is_cancelled() {
            shared.tally.count(matches!(written, Ok(Ok(_))));
        }
        let reason = left.unwrap_or_else(|| membership.leave(end_of(&written)));
        let undelivered = if let Ok(Ok(_)) = written { None } else { Some(end_of(&written)) };
        // Told if it says more than the reason does.
        let told = undelivered.filter(|undelivered| *undelivered != reason).map(display);
        info!(conn = conn.number(), %peer, name = %reader.name(), %reason, undelivered = told, "disconnected");
        Ended { reason, undelivered }
    }
}

/// What a writer meets whose peer has closed its stream altogether.
const GONE: EndReason = EndReason::Transport(ErrorKind::BrokenPipe);

/// How a peer went whom nothing can be written to any more: the reader may have met a reset at the same time.
fn how_it_went(read: Option<EndReason>) -> EndReason {
    match read {
        Some(reset @ EndReason::Transport(_)) => reset,
        _ => EndReason::Closed,
    }
}

/// Why a member leaves whose writer ended like this by itself.
fn end_of(written: &Result<Result<Delivered, EndReason>, JoinError>) -> EndReason {
    match written {
        // Nobody but the end of the ring ends a writer that is not told to.
        Ok(Ok(Delivered::UntilLeft | Delivered::UntilStopped)) => EndReason::ServerStopped,
        Ok(Err(reason)) => *reason,
        Err(error) if error.is_cancelled() => EndReason::Dropped,
        Err(_) => EndReason::Panicked,
    }
}

/// Whether the server ended it in good order, with a last line that must arrive.
fn closes_politely(reason: EndReason) -> bool {
    use EndReason::{Closed, Cut, Dropped, Lagged, LoginTimeout, Panicked, PingTimeout, Transport, WriteTimeout};
    let at_once = matches!(
        reason,
        Closed | Cut | Dropped | Lagged | LoginTimeout | Panicked | PingTimeout | Transport(_) | WriteTimeout
    );
    !at_once
}

async fn linger_after<R: AsyncRead + Unpin>(reason: EndReason, shared: &Shared, lines: &mut Lines<R>) {
    if closes_politely(reason) {
        linger(shared, lines).await;
    }
}

async fn linger<R: AsyncRead + Unpin>(shared: &Shared, lines: &mut Lines<R>) {
    tokio::select! {
        biased;
        () = shared.cut.cancelled() => {}
        // Past the deadline the peer has had its time.
        _ = timeout(LINGER, lines.discard()) => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::{hub::Wanted, options::Options, policy::AllowAll};

    /// What a client costs that says nothing is designed, not found out: its two tasks and its outbox. A task that grows
    /// past this has got something that an idle client does not need.
    #[tokio::test]
    async fn an_idle_client_is_small() {
        let shared = Arc::new(Shared::start(Options::default(), Arc::new(AllowAll)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = async || TcpStream::connect(address).await.unwrap().into_split();

        let (reader, writer) = stream().await;
        let task = serve(Arc::clone(&shared), reader, writer, address.into());
        assert!(size_of_val(&task) <= 992, "the reader's task: {}", size_of_val(&task));

        let (joined, _membership) = shared.hub.join(shared.next_conn(), Wanted::Guest).await.unwrap();
        assert!(size_of_val(&*joined.outbox) <= 136, "the outbox: {}", size_of_val(&*joined.outbox));
        let (_, writer) = stream().await;
        let mut writer = Writer::new(writer, shared.next_conn(), joined, chat_proto::Terminator::CrLf, shared);
        let size = size_of_val(&writer) + size_of_val(&writer.run());
        assert!(size <= 408, "the writer's task: {size}");
    }
}
