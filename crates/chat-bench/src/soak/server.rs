//! Runs chat-server, and samples the resources that it uses.

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

/// Time in which the server must free the resources of closed connections.
const FREE_TIMEOUT: Duration = Duration::from_secs(20);

/// The limits per address are off, because all clients have the same address. The timeouts are short, so that each ends
/// many connections.
const FLAGS: &str = "--listen 127.0.0.1:0 --quiet --rate-limit 0 --connect-rate 0 --max-clients-per-ip 0 \
                     --write-timeout 2 --ping-interval 5 --ping-timeout 2 --login-timeout 5";

pub(super) struct Server {
    process: ServerProcess,
    address: SocketAddr,
}

/// The resources that the server uses, and its statistics.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// Resident memory, in KiB.
    pub(super) memory: u64,
    pub(super) descriptors: u64,
    /// The statistics that the server prints on SIGUSR1.
    stats: BTreeMap<String, u64>,
}

impl Sample {
    /// Parses the statistics that the server prints on SIGUSR1.
    pub(super) fn new(memory: u64, descriptors: u64, line: &str) -> Self {
        let pairs = line.split(' ').filter_map(|pair| pair.split_once('='));
        let stats = pairs.filter_map(|(name, number)| Some((name.to_owned(), number.parse().ok()?))).collect();
        Self { memory, descriptors, stats }
    }

    /// A number of the statistics. 0 if the server does not print it.
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

    /// Requests the statistics, and reads the counters of the kernel.
    pub(super) fn sample(&mut self) -> Result<Sample> {
        self.signal("USR1")?;
        let line = self.process.read_line()?;
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.id())).context("cannot count descriptors")?;
        Ok(Sample::new(self.process.memory_kib()?, descriptors.count() as u64, &line))
    }

    /// Waits until the server uses as many descriptors, connections and tasks as in `before`.
    pub(super) fn wait_until_freed(&mut self, before: &Sample) -> Result<Sample> {
        let begun = Instant::now();
        loop {
            let sample = self.sample()?;
            let used = |sample: &Sample| {
                (sample.descriptors, sample.stat("clients"), sample.stat("connections"), sample.stat("tasks"))
            };
            if used(&sample) == used(before) {
                return Ok(sample);
            }
            if begun.elapsed() > FREE_TIMEOUT {
                bail!("the server did not free everything after all clients had left: {before:?} became {sample:?}");
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
