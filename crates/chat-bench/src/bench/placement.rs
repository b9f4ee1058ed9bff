//! On which cores the servers and the load run, and how many sockets they may have.

use std::fmt;

use anyhow::{Context, Result};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

/// How many cores a server gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cores {
    One,
    Two,
}

/// Which cores the servers get, and which the load.
#[derive(Clone, Debug)]
pub(super) struct Placement {
    load: CpuSet,
    server: CpuSet,
    both: CpuSet,
    pinned: bool,
}

impl Placement {
    /// The load gets the first core that this process may use, and the servers the second. A server on two cores shares the
    /// load's core only if there is no third.
    pub(super) fn choose() -> Result<Self> {
        let all = sched_getaffinity(None).context("cannot ask for the cores of this process")?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| all.is_set(core));
        let one = |core| {
            let mut set = CpuSet::new();
            set.set(core);
            set
        };
        match (cores.next(), cores.next()) {
            (Some(load), Some(server)) => {
                let mut both = one(server);
                both.set(cores.next().unwrap_or(load));
                Ok(Self { load: one(load), server: one(server), both, pinned: true })
            }
            _ => Ok(Self { load: all, server: all, both: all, pinned: false }),
        }
    }

    /// Moves this process to the cores that the server it starts next inherits. [`Placement::enter_load`] moves it back.
    pub(super) fn enter_server(&self, cores: Cores) {
        let set = match cores {
            Cores::One => &self.server,
            Cores::Two => &self.both,
        };
        // Without the right to choose cores the figures are worse, and still true.
        let _ = sched_setaffinity(None, set);
    }

    /// Moves this process to the load's core.
    pub(super) fn enter_load(&self) {
        let _ = sched_setaffinity(None, &self.load);
    }

    /// Whether a server with this number of cores shares one with the load.
    pub(super) fn is_shared(&self, cores: Cores) -> bool {
        cores == Cores::Two && (0..CpuSet::MAX_CPU).any(|core| self.load.is_set(core) && self.both.is_set(core))
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.pinned && self.is_shared(Cores::Two) {
            "servers on one core, the load on another; a server on two shares one with the load, so that its rate says little"
        } else if self.pinned {
            "servers on one core, or two where the row says so, the load on another"
        } else {
            "only one core: servers and load share it, so that rates say little"
        })
    }
}

/// Allows as many sockets as the system permits. Servers inherit the limit.
pub(super) fn raise_limits() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
