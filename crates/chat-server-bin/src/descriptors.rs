//! File descriptors: a client needs one, and the system gives a process only so many, often fewer than it would if asked.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// What the program needs beside its clients and listeners: standard streams, the runtime, signals, and some to spare.
const OWN: u64 = 32;

/// Asks for as many as there may be. How many there are now; `None`: without a limit.
pub(super) fn raise() -> Option<u64> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Refused where the system has a limit of its own beside: then it stays as it is.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current
}

/// Warns if they are too few for so many clients.
pub(super) fn check(descriptors: Option<u64>, max_clients: Option<usize>, listeners: usize) {
    let (Some(descriptors), Some(max_clients)) = (descriptors, max_clients) else { return };
    let own = OWN + listeners as u64;
    let max_clients = max_clients as u64;
    if descriptors < max_clients.saturating_add(own) {
        let clients = descriptors.saturating_sub(own);
        warn!(
            descriptors,
            clients,
            max_clients,
            "too few file descriptors for --max-clients: further connections will wait unanswered; raise the limit \
             (ulimit -Hn, or LimitNOFILE= of systemd), or lower --max-clients"
        );
    }
}
