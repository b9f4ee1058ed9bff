//! What all parts of one server share.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use chat_room::ConnId;
use tokio::{runtime::Handle, sync::Semaphore, time::Sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    event::{EventSender, EventSource},
    hub::{Hub, Signals},
    limit::{Pass, SharedLimits},
    member::Identity,
    options::Options,
    peer::Peer,
    policy::Rules,
    reason::EndReason,
    stats::{Counters, Stats},
    warning::RareWarning,
};

/// The most refused connections from which the server still reads for a moment after their `BYE`.
const MAX_LINGERING: usize = 128;

pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) policy: Rules,
    pub(crate) hub: Hub,
    pub(crate) events: EventSource,
    /// Cancelled when the server begins to stop gracefully, or when the hub ends.
    pub(crate) stop: CancellationToken,
    /// Cancelled when all connections must end at once.
    pub(crate) cut: CancellationToken,
    /// Cancelled when the hub has ended, and all leaves are published.
    pub(crate) ended: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) tally: Tally,
    pub(crate) counters: Arc<Counters>,
    pub(crate) lingering: Semaphore,
    pub(crate) full_warning: RareWarning,
    pub(crate) limits: SharedLimits,
    /// The number of the next connection.
    next_id: AtomicU64,
    /// The runtime in which the server was built.
    runtime: Handle,
}

impl Shared {
    /// Makes the shared parts, and starts the hub's task. The hub does not hold them: it ends when all handles,
    /// connections and local clients are gone.
    pub(crate) fn start(options: Options, limits: SharedLimits, policy: Rules) -> Self {
        let sender = EventSender::default();
        let events = sender.source();
        let counters = Arc::<Counters>::default();
        let signals = Signals::default();
        let (hub, task) = Hub::new(options.ring_batches, sender, Arc::clone(&counters), signals.clone());
        let Signals { stop, cut, ended } = signals;
        let runtime = Handle::current();
        runtime.spawn(task);
        Self {
            limits,
            lingering: Semaphore::new(MAX_LINGERING),
            full_warning: RareWarning::default(),
            options,
            policy,
            hub,
            events,
            stop,
            cut,
            ended,
            tasks: TaskTracker::new(),
            tally: Tally::default(),
            counters,
            next_id: AtomicU64::new(1),
            runtime,
        }
    }

    /// Runs a connection in the current runtime, because its transport may need it; without one, in the server's
    /// runtime.
    pub(crate) fn spawn(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let runtime = match Handle::try_current() {
            Ok(current) => {
                // Panic here, in the caller, rather than in each connection's task.
                drop(tokio::time::sleep(Duration::ZERO));
                current
            }
            Err(_) => self.runtime.clone(),
        };
        self.tasks.spawn_on(connection, &runtime);
    }

    /// Sleeps with the timer of the current runtime, or outside of a runtime, with that of the server's. `None`: forever.
    pub(crate) fn sleep(&self, duration: Option<Duration>) -> Sleep {
        let _entered = Handle::try_current().is_err().then(|| self.runtime.enter());
        tokio::time::sleep(duration.unwrap_or(Duration::MAX))
    }

    /// Gives a new connection its number.
    pub(crate) fn identify(&self, peer: Peer) -> Arc<Identity> {
        let id = ConnId::new(self.next_id.fetch_add(1, Ordering::Relaxed));
        Arc::new(Identity::new(id, peer))
    }

    /// Accepts or refuses a connection (clause 2.6).
    pub(crate) fn admit(&self, peer: &Peer) -> Result<Pass, EndReason> {
        if self.stop.is_cancelled() {
            return Err(EndReason::ServerStopped);
        }
        let pass = self.limits.enter(peer).map_err(EndReason::Full)?;
        self.policy.connect(peer).map(|()| pass)
    }

    pub(crate) fn stats(&self) -> Stats {
        self.counters.stats(self.tasks.len())
    }

    /// The report of the stop. It counts the `remaining` connections, which have not ended, as cut.
    pub(crate) fn report(&self, remaining: usize) -> Report {
        self.tally.report(remaining, self.counters.has_hub_failed())
    }

    /// Begins a graceful stop: from now on, the server accepts no connections and no messages.
    pub(crate) fn begin_stop(&self) {
        self.stop.cancel();
        self.hub.stop();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Counts how members end while the server stops.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    drained: AtomicUsize,
    cut: AtomicUsize,
}

/// How the clients of a stopped server ended. Local clients are not counted.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chat_server::{ChatServer, Peer};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// let server = ChatServer::builder().build();
/// let (mut client, stream) = tokio::io::duplex(64);
/// server.attach(stream, Peer::labelled("gateway"));
/// client.write_all(b"hello\n").await?;
/// client.read_exact(&mut [0; 3]).await?; // OK
/// let report = server.shutdown().await;
/// assert_eq!((report.drained, report.cut, report.failed), (1, 0, false));
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Clients to which the server wrote all their lines, up to `BYE`, or that left by themselves.
    pub drained: usize,
    /// Clients that did not read these lines in time, and were cut.
    pub cut: usize,
    /// Whether the server stopped because of a fault: its hub panicked, or the hub's runtime ended.
    pub failed: bool,
}

impl Tally {
    /// Counts a member whose connection ended while the server stopped. `delivered`: all its lines were written.
    pub(crate) fn count(&self, delivered: bool) {
        let count = if delivered { &self.drained } else { &self.cut };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// The report. It counts the `remaining` connections, which have not ended, as cut.
    pub(crate) fn report(&self, remaining: usize, failed: bool) -> Report {
        let (drained, cut) = (self.drained.load(Ordering::Relaxed), self.cut.load(Ordering::Relaxed) + remaining);
        Report { drained, cut, failed }
    }
}
