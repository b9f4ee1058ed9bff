//! Chooses the cores for the servers and the load, and raises the limit on open files.

use std::fmt;

use anyhow::{Context, Result};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

/// The number of cores of a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cores {
    One,
    Two,
}

/// The cores of the servers, and those of the load.
#[derive(Clone, Debug)]
pub(super) struct Placement {
    load: CpuSet,
    server: CpuSet,
    /// The cores of a server that has two.
    two_cores: CpuSet,
    /// `false` if there is only one core.
    is_pinned: bool,
}

impl Placement {
    /// The load gets the first core that this process may use, and the servers get the second. A server on two cores
    /// shares the core of the load only if there is no third.
    pub(super) fn choose() -> Result<Self> {
        let all = sched_getaffinity(None).context("cannot find the cores of this process")?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| all.is_set(core));
        let only = |core| {
            let mut set = CpuSet::new();
            set.set(core);
            set
        };
        match (cores.next(), cores.next()) {
            (Some(load), Some(server)) => {
                let mut two_cores = only(server);
                two_cores.set(cores.next().unwrap_or(load));
                Ok(Self { load: only(load), server: only(server), two_cores, is_pinned: true })
            }
            _ => Ok(Self { load: all, server: all, two_cores: all, is_pinned: false }),
        }
    }

    /// Moves this process to the cores of a server. A server that it then starts inherits them.
    /// [`Placement::enter_load`] moves it back.
    pub(super) fn enter_server(&self, cores: Cores) {
        let set = match cores {
            Cores::One => &self.server,
            Cores::Two => &self.two_cores,
        };
        // If the system refuses, the figures are less stable, but valid.
        let _ = sched_setaffinity(None, set);
    }

    /// Moves this process to the core of the load.
    pub(super) fn enter_load(&self) {
        let _ = sched_setaffinity(None, &self.load);
    }

    /// Whether a server with this number of cores shares a core with the load.
    pub(super) fn is_shared(&self, cores: Cores) -> bool {
        cores == Cores::Two && (0..CpuSet::MAX_CPU).any(|core| self.load.is_set(core) && self.two_cores.is_set(core))
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_pinned && self.is_shared(Cores::Two) {
            "servers run on one core, the load on another; a server on two cores shares one with the load, so its rate means little"
        } else if self.is_pinned {
            "servers run on one core, or on two where the row says so; the load runs on another"
        } else {
            "there is only one core, which servers and load share, so rates mean little"
        })
    }
}

/// Raises the limit on open files as far as the system allows. Servers inherit the limit.
pub(super) fn raise_socket_limit() {
    let limit = getrlimit(Resource::Nofile);
    // If the system refuses, the old limit stays in force.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
