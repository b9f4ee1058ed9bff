//! Runs chat-server, and reads which resources it uses.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{server_process::ServerProcess, workspace};

/// Maximum time until the server has freed the resources of closed connections.
const FREE_TIMEOUT: Duration = Duration::from_secs(20);

/// Flags of chat-server. The limits per address are off, because all clients have the same address. The timeouts are
/// short, so that each of them ends many connections.
const FLAGS: &str = "--listen 127.0.0.1:0 --quiet --rate-limit 0 --connect-rate 0 --max-clients-per-ip 0 \
                     --write-timeout 2 --ping-interval 5 --ping-timeout 2 --login-timeout 5";

pub(super) struct Server {
    process: ServerProcess,
    address: SocketAddr,
}

/// The resources that the server uses, and its counters.
#[derive(Clone, Debug)]
pub(super) struct Usage {
    /// Resident memory, in KiB.
    pub(super) memory_kib: u64,
    pub(super) descriptors: u64,
    stats: BTreeMap<String, u64>,
}

impl Usage {
    /// Parses the line of counters that the server prints on SIGUSR1.
    pub(super) fn new(memory_kib: u64, descriptors: u64, line: &str) -> Self {
        let pairs = line.split(' ').filter_map(|pair| pair.split_once('='));
        let stats = pairs.filter_map(|(name, number)| Some((name.to_owned(), number.parse().ok()?))).collect();
        Self { memory_kib, descriptors, stats }
    }

    /// A counter of the server. 0 if the server does not print it.
    pub(super) fn stat(&self, name: &str) -> u64 {
        self.stats.get(name).copied().unwrap_or(0)
    }
}

impl Server {
    pub(super) fn start() -> Result<Self> {
        let mut command = Command::new(workspace::program("chat-server")?);
        command.args(FLAGS.split_whitespace()).stdout(Stdio::piped());
        let mut process = ServerProcess::spawn(command)?;
        let address = process.read_address()?;
        Ok(Self { process, address })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Reads the memory and the descriptors of the process, and requests its counters.
    pub(super) fn usage(&mut self) -> Result<Usage> {
        self.signal("USR1")?;
        let line = self.process.read_line()?;
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.id())).context("cannot count descriptors")?;
        Ok(Usage::new(self.process.memory_kib()?, descriptors.count() as u64, &line))
    }

    /// Waits until the server has as many descriptors, connections and tasks as before. It need not free memory: the
    /// allocator keeps some.
    pub(super) fn wait_until_freed(&mut self, before: &Usage) -> Result<Usage> {
        let counts =
            |usage: &Usage| (usage.descriptors, usage.stat("clients"), usage.stat("connections"), usage.stat("tasks"));
        let start = Instant::now();
        loop {
            let usage = self.usage()?;
            if counts(&usage) == counts(before) {
                return Ok(usage);
            }
            if start.elapsed() > FREE_TIMEOUT {
                bail!("the server has not freed everything after all clients left: {before:?} became {usage:?}");
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Stops the server with SIGTERM, as an operator would.
    pub(super) fn stop(self) -> Result<()> {
        self.signal("TERM")?;
        let status = self.process.wait()?;
        if status.success() { Ok(()) } else { bail!("the server ended with {status}") }
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let mut kill = Command::new("kill");
        kill.args(["-s", signal, &self.id().to_string()]);
        let status = kill.status().context("cannot start kill")?;
        if status.success() { Ok(()) } else { bail!("the server has ended") }
    }
}
