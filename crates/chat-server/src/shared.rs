//! What all parts of one server have in common.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Policy,
    event::{EventSender, EventSource},
    gate::{Gate, Pass},
    hub::Hub,
    options::Options,
    peer::{ConnId, PeerInfo},
    policy::Connect,
    reason::EndReason,
    stats::{Counters, Stats},
    turned_away::TurnedAway,
};

/// Refused connections that are told so at the same time.
const FAREWELLS: usize = 128;

pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) policy: Arc<dyn Policy>,
    pub(crate) hub: Hub,
    pub(crate) events: EventSource,
    /// Graceful: nothing new is taken, what is owed is delivered.
    pub(crate) stop: CancellationToken,
    /// At once.
    pub(crate) cut: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) tally: Tally,
    pub(crate) counters: Arc<Counters>,
    pub(crate) farewells: Semaphore,
    pub(crate) turned_away: TurnedAway,
    gate: Gate,
    conns: AtomicU64,
}

impl Shared {
    /// Makes all of it, and starts the hub's task.
    pub(crate) fn start(options: Options, policy: Arc<dyn Policy>) -> Self {
        let sender = EventSender::new();
        let events = sender.source();
        let counters = Arc::<Counters>::default();
        let (hub, task) = Hub::new(options.ring_batches, sender, Arc::clone(&counters));
        tokio::spawn(task);
        Self {
            gate: Gate::new(options.max_clients, options.max_clients_per_address),
            farewells: Semaphore::new(FAREWELLS),
            turned_away: TurnedAway::default(),
            options,
            policy,
            hub,
            events,
            stop: CancellationToken::new(),
            cut: CancellationToken::new(),
            tasks: TaskTracker::new(),
            tally: Tally::default(),
            counters,
            conns: AtomicU64::new(1),
        }
    }

    pub(crate) fn next_conn(&self) -> ConnId {
        ConnId::new(self.conns.fetch_add(1, Ordering::Relaxed))
    }

    /// Lets a connection in, or says why not (clause 2.6).
    pub(crate) fn admit(&self, peer: &PeerInfo) -> Result<Pass, EndReason> {
        if self.stop.is_cancelled() {
            return Err(EndReason::ServerStopped);
        }
        let pass = self.gate.enter(peer).map_err(EndReason::Full)?;
        match self.policy.connect(peer) {
            Connect::Accept => Ok(pass),
            Connect::Refuse => Err(EndReason::Policy),
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        self.counters.stats(self.gate.inside(), self.tasks.len())
    }

    /// From here on nobody comes in, and what was said after this is not taken.
    pub(crate) async fn begin_stop(&self) {
        self.stop.cancel();
        self.hub.stop().await;
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("options", &self.options).finish_non_exhaustive()
    }
}

/// How the members of a stopping server ended.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    drained: AtomicUsize,
    cut: AtomicUsize,
}

/// What became of the clients of a server that has stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Clients that were sent all that they were owed, and `BYE`, or left by themselves meanwhile.
    pub drained: usize,
    /// Clients that did not take it, or not in time.
    pub cut: usize,
}

impl Tally {
    /// Counts a member that ended while the server stopped.
    pub(crate) fn count(&self, reason: EndReason) {
        let count = match reason {
            EndReason::ServerStopped | EndReason::Bye | EndReason::Closed => &self.drained,
            _ => &self.cut,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn report(&self) -> Report {
        Report { drained: self.drained.load(Ordering::Relaxed), cut: self.cut.load(Ordering::Relaxed) }
    }
}
