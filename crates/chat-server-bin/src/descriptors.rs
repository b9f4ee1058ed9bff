//! Raises the limit of file descriptors, because each client needs one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// Number of descriptors for standard streams, the runtime and signals, with a reserve.
const RESERVED: u64 = 32;

/// Raises the soft limit to the hard limit. Returns the resulting soft limit. `None`: there is no limit.
pub(super) fn raise_limit() -> Option<u64> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // If the system refuses, the old soft limit stays in force.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current
}

/// Warns if there are too few descriptors for `max_clients`.
pub(super) fn warn_if_too_few(descriptors: Option<u64>, max_clients: Option<usize>, listeners: usize) {
    let (Some(descriptors), Some(max_clients)) = (descriptors, max_clients) else { return };
    let reserved = RESERVED + listeners as u64;
    let max_clients = max_clients as u64;
    if descriptors < max_clients.saturating_add(reserved) {
        let clients = descriptors.saturating_sub(reserved);
        warn!(
            descriptors,
            clients,
            max_clients,
            "too few file descriptors for --max-clients: further connections will wait to be accepted; raise the limit \
             (ulimit -Hn, or LimitNOFILE= of systemd), or lower --max-clients"
        );
    }
}
