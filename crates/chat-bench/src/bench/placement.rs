//! Chooses the cores of the servers and of the load generator, and raises the limit of file descriptors.

use std::fmt;

use anyhow::{Context, Result};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

/// How many cores a server may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cores {
    One,
    Two,
}

/// The cores of the servers and of the load generator.
#[derive(Clone, Debug)]
pub(super) struct Placement {
    load: CpuSet,
    one_server_core: CpuSet,
    two_server_cores: CpuSet,
}

impl Placement {
    /// Assigns the first core that this process may use to the load, and the second to the servers. A server on two
    /// cores also gets the third core, or shares the core of the load if there is no third.
    pub(super) fn choose() -> Result<Self> {
        let all = sched_getaffinity(None).context("cannot find the cores of this process")?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| all.is_set(core));
        let only = |core| {
            let mut set = CpuSet::new();
            set.set(core);
            set
        };
        Ok(match (cores.next(), cores.next()) {
            (Some(load), Some(server)) => {
                let mut two_server_cores = only(server);
                two_server_cores.set(cores.next().unwrap_or(load));
                Self { load: only(load), one_server_core: only(server), two_server_cores }
            }
            _ => Self { load: all, one_server_core: all, two_server_cores: all },
        })
    }

    /// Pins this process to the cores of a server. A server that this process starts now inherits them.
    pub(super) fn pin_to_server_cores(&self, cores: Cores) {
        // If the system refuses, the figures vary more, but are valid.
        let _ = sched_setaffinity(None, self.server_cores(cores));
    }

    /// Pins this process to the core of the load.
    pub(super) fn pin_to_load_core(&self) {
        let _ = sched_setaffinity(None, &self.load);
    }

    /// Whether the load shares a core with a server that has this number of cores.
    pub(super) fn load_shares_core(&self, cores: Cores) -> bool {
        let server = self.server_cores(cores);
        (0..CpuSet::MAX_CPU).any(|core| self.load.is_set(core) && server.is_set(core))
    }

    fn server_cores(&self, cores: Cores) -> &CpuSet {
        match cores {
            Cores::One => &self.one_server_core,
            Cores::Two => &self.two_server_cores,
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match [Cores::One, Cores::Two].map(|cores| self.load_shares_core(cores)) {
            [false, false] => "servers run on one core, or on two where the row says so; the load runs on another",
            [false, true] => {
                "servers run on one core, the load on another; a server on two cores shares one with the load, so its rate means little"
            }
            [true, _] => "servers and load share the only core, so rates mean little",
        })
    }
}

/// Raises the limit of file descriptors as far as the system allows. Servers inherit the limit.
pub(super) fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    // If the system refuses, the old limit stays in force.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
